//! What is pushed into a terminal's input (CVE-2005-4890, CVE-2016-2779, CVE-2023-28339): the
//! command has a terminal of its own, and the caller's shell reads none of it.

use super::{MACHINE, login};

/// TIOCSTI of each byte on standard input, output and error and on the controlling terminal, with
/// the number as it is and with high bits that a filter could overlook; and the same again from an
/// orphan that outlives the command, unless it is ended.
const PUSH: &str = r#"
my $ioctl = `uname -m` =~ /x86_64/ ? 16 : 29;
open(my $tty, "+<", "/dev/tty");
sub push_all {
    for my $number (0x5412, 0x5412 | 1 << 32, 0x5412 | 0xdead << 32) {
        for my $descriptor (0, 1, 2, fileno($tty)) {
            for (split //, "touch /pushed\n") { my $byte = $_; syscall($ioctl, $descriptor, $number, $byte); }
        }
    }
}
push_all();
if (fork() == 0) { $SIG{HUP} = "IGNORE"; for (1 .. 200) { select(undef, undef, undef, 0.01); push_all(); } }
print "pushed\n";
"#;

#[test]
fn nothing_is_pushed_into_the_callers_terminal() {
    let machine = MACHINE.get();
    machine.write("/usr/local/bin/push", PUSH, 0o644);
    machine.write("/etc/doas.conf", "permit nopass ernie\n", 0o600);
    for (name, group) in [("ernie", "recorded"), ("bert", "plain")] {
        let user = login(&machine, name, group);
        let after = "read -t 3 line; echo \"read: <$line>\"";
        if name == "ernie" {
            let mut works = user.terminal(&format!("doas perl /usr/local/bin/push; {after}"));
            works.expect("read: <touch /pushed>");
        }
        let mut fails = user.terminal(&format!("elevate perl /usr/local/bin/push; {after}"));
        fails.expect("pushed");
        fails.expect("read: <>");
        assert!(!machine.has("/pushed"));
    }
}
