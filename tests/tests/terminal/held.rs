//! A terminal at which nobody presses a key is held, until somebody gives a code.

use std::time::{Duration, Instant};

use super::{MACHINE, member, modes, status};

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
