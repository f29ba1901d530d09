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

/// The clients of this issue's sessions are no easier to take: a shell that is recorded, and one's own
/// user with more rights than one has.
#[test]
fn neither_a_recorded_shell_nor_ones_own_elevated_process_can_be_taken() {
    let machine = MACHINE.get();
    let user = login(&machine, "gwen", "recorded");
    let _own = user.command("exec elevate -u gwen sleep 305").start();
    machine.event("start", &[("ELEVATE_USER", "gwen")]);
    assert_eq!(
        touch(&user, "elevate -u gwen sleep 305"),
        "refused refused refused"
    );
    // With one's own ids and no further right the command is one's own process, whatever began it.
    assert_eq!(touch(&user, "sleep 305"), "traced stolen read");

    let _group = user
        .command("exec elevate -u gwen -g adm sleep 306")
        .start();
    assert_eq!(touch(&user, "sleep 306"), "refused refused refused");

    let shell = "/usr/libexec/elevate/elevate-shell";
    machine.member("gwyn", &["recorded"]);
    machine
        .run(&["usermod", "--shell", shell, "gwyn"])
        .success();
    let gwyn = machine.login("gwyn");
    assert_eq!(gwyn.run("id -un").success().text(), "gwyn");
}
