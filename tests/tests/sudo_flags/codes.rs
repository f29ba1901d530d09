//! `-v`, `-k`, `-K`, `-S`, `-A`, `-p` and `-n`, where codes are owed.

use elevate_tests::Terminal;

use super::{MACHINE, coded};

const PROMPT: &str = "Verification code: $";

/// Runs a line that asks for a code, and gives it; what was shown after it.
#[track_caller]
fn with_code(desk: &mut Terminal, line: &str, code: &str) -> String {
    desk.send(format!("{line}\n"));
    desk.expect(PROMPT);
    desk.send(format!("{code}\n"));
    let shown = desk.expect("(?s)(.*)ready> $");
    assert!(!shown.contains(code), "echoed: {shown}");
    shown
}

/// Runs a line that asks for nothing.
#[track_caller]
fn without(desk: &mut Terminal, line: &str) -> String {
    desk.send(format!("{line}\n"));
    let shown = desk.expect("(?s)(.*)ready> $");
    assert!(!shown.contains("Verification"), "{shown}");
    shown
}

#[test]
fn v_gives_a_code_ahead_of_time_and_k_has_it_forgotten() {
    let machine = MACHINE.get();
    let (eva, mut factor) = coded(&machine, "eva");
    let mut desk = eva.shell();
    assert!(without(&mut desk, "elevate -n id -u; echo status $?").contains("status 1\r"));
    let shown = with_code(&mut desk, "elevate -v; echo status $?", &factor.code());
    assert!(shown.contains("status 0\r"), "{shown}");
    assert!(without(&mut desk, "elevate -n id -u").contains("\n0\r"));
    // It counts at this terminal alone.
    let mut other = eva.shell();
    assert!(without(&mut other, "elevate -n id -u; echo status $?").contains("status 1\r"));

    assert!(without(&mut desk, "elevate -k; echo status $?").contains("status 0\r"));
    assert!(without(&mut desk, "elevate -n id -u; echo status $?").contains("status 1\r"));
}

#[test]
fn k_forgets_here_and_large_k_everywhere() {
    let machine = MACHINE.get();
    let (eli, mut factor) = coded(&machine, "eli");
    let (mut desk, mut other) = (eli.shell(), eli.shell());
    for desk in [&mut desk, &mut other] {
        with_code(desk, "elevate -v", &factor.code());
    }
    without(&mut desk, "elevate -k");
    assert!(without(&mut desk, "elevate -n id -u; echo status $?").contains("status 1\r"));
    assert!(without(&mut other, "elevate -n id -u").contains("\n0\r"));
    without(&mut desk, "elevate -K");
    assert!(without(&mut other, "elevate -n id -u; echo status $?").contains("status 1\r"));
}

#[test]
fn with_k_a_command_asks_though_a_code_was_given_just_now() {
    let machine = MACHINE.get();
    let (ed, mut factor) = coded(&machine, "ed");
    let mut desk = ed.shell();
    with_code(&mut desk, "elevate -v", &factor.code());
    let shown = with_code(&mut desk, "elevate -k id -u", &factor.code());
    assert!(shown.contains("\n0\r"), "{shown}");
    assert!(without(&mut desk, "elevate -nk id -u; echo status $?").contains("status 1\r"));
}

#[test]
fn s_takes_codes_and_reasons_from_standard_input_and_leaves_the_rest() {
    let machine = MACHINE.get();
    let (ewa, mut factor) = coded(&machine, "ewa");
    let code = factor.code();
    let line = format!("printf '{code}\\nto the command\\n' | elevate -S cat");
    let given = ewa.run(&line).success();
    assert_eq!(given.text(), "to the command");
    assert!(given.errors().contains("Verification code:"), "{given:?}");
    assert!(!given.errors().contains(&code), "{given:?}");
    let code = factor.code();
    let given = ewa.run(&format!(
        "printf '{code}\\ndisk full\\n' | elevate -S uname"
    ));
    assert_eq!(given.success().text(), "Linux");
    let grant = machine.event("grant", &[("ELEVATE_USER", "ewa"), ("ELEVATE_RULE", "why")]);
    let reason = machine.events(&[
        ("ELEVATE_REQUEST", &grant.request()),
        ("ELEVATE_EVENT", "request"),
    ]);
    let reason = reason[0].get("ELEVATE_REASON").unwrap_or_default();
    assert!(reason.contains("disk full"), "{reason}");
    let wrong = factor.wrong();
    let refused = ewa
        .run(&format!("echo {wrong} | elevate -S id -u"))
        .status(1);
    assert!(refused.errors().contains("code"), "{refused:?}");
    assert_eq!(ewa.run("elevate -nS id -u").status(1).text(), "");
}

#[test]
fn a_asks_by_a_program_of_the_users() {
    let machine = MACHINE.get();
    let (eve, mut factor) = coded(&machine, "eve");
    let ask = |code: &str| {
        format!("#!/bin/sh\nid -un >~/asked-by\necho \"$1\" >~/asked-with\necho {code}\n")
    };
    machine.write("/home/eve/ask", ask(&factor.code()), 0o755);
    let given = eve.run("ELEVATE_ASKPASS=~/ask elevate -A id -u").success();
    assert_eq!(given.text(), "0");
    assert_eq!(
        eve.run("cat ~/asked-by ~/asked-with").text(),
        "eve\nVerification code:"
    );
    machine.write("/home/eve/ask", ask(&factor.code()), 0o755);
    let given = eve.run("SUDO_ASKPASS=~/ask elevate -A -p 'for %u: ' id -u");
    assert_eq!(given.success().text(), "0");
    assert_eq!(eve.run("cat ~/asked-with").text(), "for eve:");
    let none = eve.run("elevate -A id -u").status(2);
    assert!(none.errors().contains("ELEVATE_ASKPASS"), "{none:?}");
    let broken = eve.run("SUDO_ASKPASS=/nowhere elevate -A id -u").status(1);
    assert!(
        broken.errors().contains("cannot run /nowhere"),
        "{broken:?}"
    );
}

#[test]
fn p_words_the_question_with_the_names_that_sudo_has_for_it() {
    let machine = MACHINE.get();
    let (eso, mut factor) = coded(&machine, "eso");
    let mut desk = eso.shell();
    desk.send("elevate -p '<%p %u>%U@%h %H 100%%: ' -u tia id -un\n");
    desk.expect("\n<eso eso>tia@sudo-flags sudo-flags 100%: $");
    desk.send(format!("{}\n", factor.code()));
    desk.expect("tia\r");
}

/// Attack row 14: a pager reads keys while it waits for data, and would show a code.
#[test]
fn with_a_pager_that_holds_the_terminal_no_code_is_asked_for() {
    let machine = MACHINE.get();
    let (ela, mut factor) = coded(&machine, "ela");
    let mut desk = ela.shell();
    desk.send("elevate id | less\n");
    desk.expect("another command of the pipeline uses the terminal");
    desk.send("q");
    desk.expect("ready> $");
    with_code(&mut desk, "elevate -v", &factor.code());
    desk.send("elevate id | less -F\n");
    desk.expect("uid=0");
    desk.expect("ready> $");
    desk.send("stty -a | grep -c -- ' echo '\n");
    desk.expect("\n1\r");
}
