//! What another program of the same user can do to a client: less than to any other of its programs.

use std::time::Duration;

use elevate_tests::Login;

use super::{MACHINE, login};

/// ptrace(2) with PTRACE_SEIZE, pidfd_getfd(2) of standard input, and the memory of a process.
const TOUCH: &str = r#"
my ($pid) = @ARGV; $pid += 0;
my $intel = `uname -m` =~ /x86_64/;
my $traced = syscall($intel ? 101 : 117, 0x4206, $pid, 0, 0) == 0 ? "traced" : "refused";
my $pidfd = syscall(434, $pid, 0);
my $stolen = syscall(438, $pidfd, 0, 0) >= 0 ? "stolen" : "refused";
my $read = open(my $memory, "<", "/proc/$pid/mem") ? "read" : "refused";
print "$traced $stolen $read\n";
"#;

fn touch(login: &Login<'_>, line: &str) -> String {
    let machine = login.machine();
    machine.write("/usr/local/bin/touch-process", TOUCH, 0o644);
    let pid = machine.poll(line, Duration::from_secs(20), || {
        let found = machine.run(&["pgrep", "--uid", login.user(), "--full", "--exact", line]);
        found.text().parse::<u32>().ok()
    });
    login
        .run(&format!("perl /usr/local/bin/touch-process {pid}"))
        .success()
        .text()
}

#[test]
fn a_client_can_be_neither_traced_nor_robbed_nor_read() {
    let machine = MACHINE.get();
    let user = login(&machine, "tracey", "recorded");
    let _plain = user.command("exec sleep 303").start();
    assert_eq!(
        touch(&user, "sleep 303"),
        "traced stolen read",
        "the attack works on others"
    );
    let _client = user.command("exec elevate sleep 304").start();
    machine.event("start", &[("ELEVATE_USER", "tracey")]);
    assert_eq!(touch(&user, "elevate sleep 304"), "refused refused refused");
}
