//! A terminal at which nobody presses a key is held, until somebody gives a code.

use std::time::{Duration, Instant};

use elevate_tests::{Machine, MachineInTest, Spec};

use super::{MACHINE, POLICY, member, modes, status};

const PROMPT: &str = "Verification code: $";

#[test]
fn nothing_is_shown_or_passed_on_until_a_code_is_given() {
    let machine = MACHINE.get();
    let ida = member(&machine, "ida", "idler");
    let mut factor = ida.enrol();
    let mut shell = ida.shell();
    let before = modes(&mut shell);
    let script = "while sleep 0.2; do echo tick; echo >>/root/ticks; done & \
                  while read -r word; do echo got $word; done";
    shell.send(format!("elevate bash -c '{script}'\n"));
    shell.expect("tick");
    shell.expect("no key was pressed for 4 seconds");
    shell.expect(PROMPT);
    let ticks = || machine.read("/root/ticks").len();
    let then = ticks();
    machine.poll("some ticks", super::PATIENCE, || {
        (ticks() > then + 3).then_some(())
    });
    shell.send("\x03");
    shell.expect(PROMPT);
    shell.send(format!("{}\n", factor.wrong()));
    let shown = shell.expect(r"(?s)(.*)Verification code: $");
    assert!(
        shown.contains("wrong") && !shown.contains("tick"),
        "{shown}"
    );
    let code = factor.code();
    shell.send(format!("{code}\n"));
    shell.expect("tick");
    shell.send("word\n");
    shell.expect("got word");
    let screen = shell.screen();
    assert!(
        !screen.contains(&code) && !screen.contains("got \r"),
        "{screen}"
    );
    shell.send("\x03");
    shell.expect("ready> $");
    assert_eq!(status(&mut shell), "130");
    assert_eq!(modes(&mut shell), before);
    let given = machine.event("factor-given", &[("ELEVATE_USER", "ida")]);
    assert!(
        given.get("ELEVATE_PURPOSE").unwrap().contains("session"),
        "{given:?}"
    );
}

#[test]
fn keys_keep_it_open_and_two_spans_without_one_end_it() {
    let machine = MACHINE.get();
    let pat = member(&machine, "pat", "patient");
    let _factor = pat.enrol();
    let mut shell = pat.shell();
    let before = modes(&mut shell);
    shell.send("elevate cat\n");
    machine.event("start", &[("ELEVATE_USER", "pat")]);
    let begun = Instant::now();
    let mut typed = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        shell.send(format!("x{typed}\n"));
        shell.expect(&format!("x{typed}\r\nx{typed}\r\n"));
        typed += 1;
    }
    shell.expect("no key was pressed for 2 seconds");
    shell.expect("nobody gave a code while its terminal was held");
    shell.expect("ready> $");
    assert_eq!(status(&mut shell), "137");
    assert_eq!(modes(&mut shell), before);
    let end = machine.event("end", &[("ELEVATE_USER", "pat")]);
    assert!(end.is("ELEVATE_OUTCOME", "idle"), "{end:?}");
}

#[test]
fn a_screen_is_drawn_anew_when_its_terminal_goes_on() {
    let machine = MACHINE.get();
    let ivy = member(&machine, "ivy", "idler");
    let mut factor = ivy.enrol();
    machine.write("/root/ivy", "a line of ivy's\n", 0o600);
    let mut shell = ivy.shell();
    shell.send("elevate vi /root/ivy\n");
    shell.expect("a line of ivy's");
    shell.expect(PROMPT);
    shell.resize(40, 100);
    shell.send(format!("{}\n", factor.code()));
    shell.expect("a line of ivy's");
    shell.send(":set lines?\n");
    shell.expect("lines=40");
    shell.send(":q\n");
    shell.expect("ready> $");
    assert_eq!(status(&mut shell), "0");
}

/// Takes what a session's leader told `elevated` last out of its socket, as if it had been read and
/// forgotten: by pidfd_open(2) and pidfd_getfd(2), which are calls 434 and 438 everywhere.
const STEAL: &str = r#"
my $pid = shift;
my $process = syscall(434, $pid + 0, 0);
for (glob "/proc/$pid/fd/*") {
    my ($number) = m{(\d+)$};
    my $taken = syscall(438, $process, $number + 0, 0);
    die "pidfd_getfd: $!" if $taken < 0;
    next unless readlink("/proc/self/fd/$taken") =~ /^socket:/;
    open(my $socket, "+<&=", $taken) or die "open: $!";
    # Looked at (MSG_PEEK) without waiting (MSG_DONTWAIT).
    my $said = "";
    recv($socket, $said, 4096, 0x42);
    next unless $said =~ /"held"/;
    recv($socket, $said, 4096, 0);
    exit 0;
}
exit 1;
"#;

#[test]
fn a_question_that_was_lost_with_the_daemon_is_asked_by_the_next() {
    // Long enough for a daemon to start twice.
    let policy = |machine: &Machine| machine.policy("test", &POLICY.replace("\"4s\"", "\"15s\""));
    let machine = MachineInTest::alone(Spec::new("held-restart").prepared(policy));
    let ike = member(&machine, "ike", "idler");
    let mut factor = ike.enrol();
    machine.write("/root/steal", STEAL, 0o600);
    let mut shell = ike.shell();
    // It executes nothing, of which the daemon would hear, too.
    let script = "while :; do read -r -t 0.3 word && echo got $word || echo tick; done";
    shell.send(format!("elevate bash -c '{script}'\n"));
    machine.event("start", &[("ELEVATE_USER", "ike")]);
    let daemon = machine.main_pid("elevated.service").unwrap();
    machine.signal(daemon, "STOP");
    shell.expect_within("no key was pressed for 15 seconds", 2 * super::PATIENCE);
    let steal = ["perl", "/root/steal", &daemon.to_string()];
    machine.poll("the leader's word", super::PATIENCE, || {
        (machine.run(&steal).status == 0).then_some(())
    });
    machine.signal(daemon, "KILL");
    shell.expect(PROMPT);
    machine
        .run(&["systemctl", "restart", "elevated.service"])
        .success();
    shell.send(format!("{}\n", factor.code()));
    shell.expect("tick");
    shell.send("word\n");
    shell.expect("got word");
    let asked = shell.screen().matches("Verification code").count();
    assert_eq!(asked, 1, "{}", shell.screen());
    shell.send("\x03");
    shell.expect("ready> $");
    assert_eq!(status(&mut shell), "130");
}
