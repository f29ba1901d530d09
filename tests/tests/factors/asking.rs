//! A command whose rule wants a code: when it is asked for, and what happens without one.

use super::*;

#[test]
fn a_code_is_asked_for_accepted_and_remembered_at_that_terminal() {
    let machine = MACHINE.get();
    let (abe, mut factor) = operator(&machine, "abe");
    let mut desk = abe.shell();
    let code = factor.code();
    let shown = with_code(&mut desk, "elevate id -u", &code);
    assert!(shown.contains("\n0\r"), "{shown}");
    assert!(!shown.contains(&code), "echoed: {shown}");
    for command in ["elevate id -u", "elevate -n id -u"] {
        assert!(without(&mut desk, command).contains("\n0\r"), "{command}");
    }
    let given = machine.event("factor-given", &[("ELEVATE_USER", "abe")]);
    let request = machine.event("grant", &[("ELEVATE_USER", "abe")]).request();
    let purpose = given.get("ELEVATE_PURPOSE").unwrap_or_default();
    assert!(purpose.contains(&request), "{given:#?}");
    let all = [("ELEVATE_USER", "abe"), ("ELEVATE_EVENT", "factor-given")];
    assert_eq!(machine.events(&all).len(), 1);

    // Another terminal of the same login owes another.
    let mut other = abe.shell();
    let shown = with_code(&mut other, "elevate id -u", &factor.code());
    assert!(shown.contains("\n0\r"), "{shown}");
}

#[test]
fn a_code_that_grew_too_old_is_asked_for_again() {
    let machine = MACHINE.get();
    let (ann, mut factor) = operator(&machine, "ann");
    let mut desk = ann.shell();
    with_code(&mut desk, "elevate uname", &factor.code());
    desk.send("sleep 1.2\n");
    desk.expect("ready> $");
    // Too old for this rule, and young enough for that one.
    assert!(without(&mut desk, "elevate id -u").contains("\n0\r"));
    with_code(&mut desk, "elevate uname", &factor.code());
}

#[test]
fn where_a_rule_says_always_every_time_owes_a_code_of_its_own() {
    let machine = MACHINE.get();
    let (ash, mut factor) = operator(&machine, "ash");
    let mut desk = ash.shell();
    for _ in 0..2 {
        let shown = with_code(&mut desk, "elevate whoami", &factor.code());
        assert!(shown.contains("\nroot\r"), "{shown}");
    }
    let shown = without(&mut desk, "elevate -n whoami");
    assert!(shown.contains("needs a verification code"), "{shown}");
}

#[test]
fn who_cannot_be_asked_hears_so_and_nothing_runs() {
    let machine = MACHINE.get();
    let (amy, _factor) = operator(&machine, "amy");
    let mut desk = amy.shell();
    let shown = without(&mut desk, "elevate -n id -u; echo status $?");
    assert!(shown.contains("needs a verification code"), "{shown}");
    assert!(shown.contains("status 1\r"), "{shown}");
    for line in [
        "elevate id -u",
        "elevate -n id -u",
        "echo 123456 | elevate id -u",
    ] {
        let refused = amy.run(line).status(1);
        assert_eq!(refused.text(), "", "{line}");
        assert!(refused.errors().contains("code"), "{line}: {refused:?}");
        assert!(
            refused.errors().contains("terminal"),
            "a way out: {refused:?}"
        );
    }
    assert_eq!(
        machine.events(&[("ELEVATE_USER", "amy"), ("ELEVATE_EVENT", "grant")]),
        []
    );
}

#[test]
fn who_has_no_factor_is_told_how_to_enrol_one() {
    let machine = MACHINE.get();
    let art = login(&machine, "art", "operator");
    let refused = art.terminal("elevate id -u; exit 0");
    let mut refused = refused;
    refused.expect("you have none");
    refused.expect("elevatectl mfa enrol");
    refused.wait();
    let record = machine.event("factor-refused", &[("ELEVATE_USER", "art")]);
    assert_fields(&record, &[("ELEVATE_OUTCOME", "not-enrolled")]);
    let mut factor = art.enrol();
    let mut desk = art.shell();
    let shown = with_code(&mut desk, "elevate id -u", &factor.code());
    assert!(shown.contains("\n0\r"), "{shown}");
}

#[test]
fn three_wrong_codes_end_it_and_each_is_on_record() {
    let machine = MACHINE.get();
    let (avi, mut factor) = operator(&machine, "avi");
    let mut desk = avi.shell();
    let used = factor.code();
    with_code(&mut desk, "elevate whoami", &used);
    let wrong = factor.wrong();
    desk.send("elevate whoami; echo status $?\n");
    for code in [&wrong, &used, &wrong] {
        desk.expect(PROMPT);
        desk.send(format!("{code}\n"));
    }
    let shown = desk.expect("(?s)(.*)ready> $");
    assert!(shown.contains("status 1\r"), "{shown}");
    let refused = [("ELEVATE_USER", "avi"), ("ELEVATE_EVENT", "factor-refused")];
    let outcomes = || -> Vec<_> {
        let refused = machine.events(&refused).into_iter();
        refused
            .filter_map(|entry| entry.get("ELEVATE_OUTCOME"))
            .collect()
    };
    machine.event("refusal", &[("ELEVATE_USER", "avi")]);
    let outcomes = outcomes();
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
    assert_eq!((&*outcomes[0], &*outcomes[2]), ("wrong", "wrong"));
    // The honest way is open all the while.
    let shown = with_code(&mut desk, "elevate whoami", &factor.code());
    assert!(shown.contains("\nroot\r"), "{shown}");
}

#[test]
fn an_interrupted_prompt_leaves_the_terminal_as_it_was_and_nothing_runs() {
    let machine = MACHINE.get();
    let (ada, mut factor) = operator(&machine, "ada");
    let mut desk = ada.shell();
    let before = without(&mut desk, "stty -a | md5sum");
    desk.send("elevate id -u\n");
    desk.expect(PROMPT);
    desk.send("12\x03");
    desk.expect("ready> $");
    desk.send("elevate id -u\n");
    desk.expect(PROMPT);
    desk.send("\x1a");
    desk.expect("ready> $");
    let hash = |text: &str| text.lines().nth(1).map(str::to_owned);
    let stopped = without(&mut desk, "stty -a | md5sum");
    assert_eq!(hash(&before), hash(&stopped), "while it is stopped");
    desk.send("fg\n");
    desk.expect(PROMPT);
    let code = factor.code();
    desk.send(format!("{code}\n"));
    let shown = desk.expect("(?s)(.*)ready> $");
    assert!(shown.contains("\n0\r") && !shown.contains(&code), "{shown}");
    let after = without(&mut desk, "stty -a | md5sum");
    assert_eq!(hash(&before), hash(&after));
    assert_eq!(
        machine
            .events(&[("ELEVATE_USER", "ada"), ("ELEVATE_EVENT", "grant")])
            .len(),
        1
    );
}

/// A process of a service has no login behind it, and no terminal: it can be asked for nothing.
#[test]
fn a_command_from_a_service_has_no_fresh_code_and_can_give_none() {
    let machine = MACHINE.get();
    let (ali, mut factor) = operator(&machine, "ali");
    let mut desk = ali.shell();
    with_code(&mut desk, "elevate id -u", &factor.code());
    let line = [
        "systemd-run",
        "--quiet",
        "--wait",
        "--pipe",
        "--uid=ali",
        "elevate",
        "id",
        "-u",
    ];
    let refused = machine.run(&line);
    assert_ne!(refused.status, 0, "{refused:?}");
    assert_eq!(refused.text(), "", "{refused:?}");
    // With a terminal it is asked each time: it has no audit session that a code could count in.
    let argv = [
        "runuser",
        "-u",
        "ali",
        "--",
        "bash",
        "--norc",
        "--noprofile",
        "--noediting",
    ];
    let mut terminal = machine.terminal(&argv);
    terminal.send("PS1='ready> '; cat /proc/self/loginuid; echo\n");
    terminal.expect(r"4294967295\r\nready> $");
    for _ in 0..2 {
        let shown = with_code(&mut terminal, "elevate id -u", &factor.code());
        assert!(shown.contains("\n0\r"), "{shown}");
    }
    let shown = without(&mut terminal, "elevate -n id -u");
    assert!(shown.contains("needs a verification code"), "{shown}");
}

#[test]
fn a_restart_of_elevated_forgets_which_codes_are_fresh() {
    static RESTARTED: SharedMachine =
        SharedMachine::new(|| Spec::new("factors-restart").prepared(prepare));
    let machine = RESTARTED.get();
    let (ava, mut factor) = operator(&machine, "ava");
    let mut desk = ava.shell();
    let code = factor.code();
    with_code(&mut desk, "elevate id -u", &code);
    machine.run(&["systemctl", "restart", "elevated"]).success();
    desk.send("elevate id -u\n");
    desk.expect(PROMPT);
    desk.send(format!("{code}\n"));
    desk.expect(PROMPT);
    desk.send(format!("{}\n", factor.code()));
    let shown = desk.expect("(?s)(.*)ready> $");
    assert!(shown.contains("\n0\r"), "{shown}");
}
