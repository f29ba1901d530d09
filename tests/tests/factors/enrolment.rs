//! Enrolling, removing and renewing: by whom, from where, and what is on record.

use super::*;

fn status(login: &Login<'_>) -> serde_json::Value {
    let shown = login.run("elevatectl mfa status --json").success();
    serde_json::from_slice(&shown.stdout).expect("JSON")
}

#[test]
fn somebody_looks_after_their_own_factor() {
    let machine = MACHINE.get();
    let eve = login(&machine, "eve", "operator");
    assert_eq!(status(&eve)["enrolled"], false);
    let mut factor = eve.enrol();
    let now = status(&eve);
    assert_eq!(
        (&now["enrolled"], &now["recovery_codes"]),
        (&true.into(), &10.into())
    );

    let mut desk = eve.shell();
    let again = without(&mut desk, "elevatectl mfa enrol");
    assert!(
        again.contains("enrolled already") && again.contains("mfa remove"),
        "{again}"
    );

    // New recovery codes: the old ones count no more.
    let old = factor.recovery_code();
    let mut terminal = eve.terminal("elevatectl mfa recovery-codes");
    terminal.expect(PROMPT);
    terminal.send(format!("{}\n", factor.code()));
    factor.read_recovery_codes(&mut terminal);
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    assert_eq!(status(&eve)["recovery_codes"], 10);
    desk.send("elevate id -u\n");
    desk.expect(PROMPT);
    desk.send(format!("{old}\n"));
    desk.expect(PROMPT);
    desk.send(format!("{}\n", factor.recovery_code()));
    desk.expect("ready> $");
    assert_eq!(status(&eve)["recovery_codes"], 9);

    // A code that was fresh a moment ago does not do for this: it takes one of its own.
    desk.send("elevatectl mfa remove\n");
    desk.expect(PROMPT);
    desk.send(format!("{}\n", factor.code()));
    desk.expect("Removed the second factor of eve");
    desk.expect("ready> $");
    assert_eq!(status(&eve)["enrolled"], false);
    // With it went what was fresh.
    let refused = without(&mut desk, "elevate id -u");
    assert!(refused.contains("elevatectl mfa enrol"), "{refused}");
    let mut anew = eve.enrol();
    assert_ne!(anew.secret(), factor.secret());
    with_code(&mut desk, "elevate id -u", &anew.code());

    for (kind, count) in [
        ("factor-enrolled", 2),
        ("factor-renewed", 1),
        ("factor-removed", 1),
    ] {
        let events = machine.events(&[("ELEVATE_USER", "eve"), ("ELEVATE_EVENT", kind)]);
        assert_eq!(events.len(), count, "{kind}");
        assert_fields(&events[0], &[("ELEVATE_BY", "eve")]);
    }
}

#[test]
fn nothing_counts_before_the_confirming_code_and_that_code_counts_once() {
    let machine = MACHINE.get();
    let eli = login(&machine, "eli", "operator");
    let mut terminal = eli.terminal("elevatectl mfa enrol");
    let secret = terminal.expect(r"\nSecret: ([A-Z2-7]+)\r");
    let abandoned = Factor::new(&machine, &secret, []);
    terminal.expect(PROMPT);
    for _ in 0..2 {
        terminal.send(format!("{}\n", abandoned.wrong()));
        terminal.expect(PROMPT);
    }
    terminal.send("\x03");
    terminal.wait();
    assert_eq!(status(&eli)["enrolled"], false);
    assert_eq!(
        machine.events(&[
            ("ELEVATE_USER", "eli"),
            ("ELEVATE_EVENT", "factor-enrolled")
        ]),
        []
    );

    let mut factor = eli.enrol();
    let mut desk = eli.shell();
    desk.send("elevate id -u\n");
    desk.expect(PROMPT);
    desk.send(format!("{}\n", factor.shown_before()));
    desk.expect(PROMPT);
    desk.send(format!("{}\n", factor.code()));
    desk.expect("ready> $");
}

#[test]
fn root_looks_after_the_factors_of_others_and_nobody_else_does() {
    let machine = MACHINE.get();
    let (emil, mut factor) = operator(&machine, "emil");
    let eric = login(&machine, "eric", "operator");
    for verb in ["enrol", "remove", "recovery-codes", "status"] {
        let mut terminal = eric.terminal(&format!("elevatectl mfa {verb} emil"));
        let status = terminal.wait();
        let screen = terminal.screen();
        assert_eq!(status, 1, "{verb}: {screen}");
        assert!(screen.contains("only root"), "{verb}: {screen}");
        assert!(!screen.contains("Secret:"), "{screen}");
    }
    let shown = machine
        .run(&["elevatectl", "mfa", "status", "emil"])
        .success();
    assert!(shown.text().contains("10 left"), "{shown:?}");
    let mut renewing = machine.terminal(&["elevatectl", "mfa", "recovery-codes", "emil"]);
    factor.read_recovery_codes(&mut renewing);
    assert_eq!(renewing.wait(), 0);
    let mut desk = emil.shell();
    with_code(&mut desk, "elevate id -u", &factor.recovery_code());
    machine
        .run(&["elevatectl", "mfa", "remove", "emil"])
        .success();
    let refused = without(&mut desk, "elevate id -u");
    assert!(refused.contains("elevatectl mfa enrol"), "{refused}");
    let mut anew = machine.enrol("emil");
    with_code(&mut desk, "elevate id -u", &anew.code());
    for kind in ["factor-renewed", "factor-removed"] {
        let event = machine.event(kind, &[("ELEVATE_USER", "emil")]);
        assert_fields(&event, &[("ELEVATE_BY", "root")]);
    }
    machine
        .run(&["elevatectl", "mfa", "remove", "nobody-here"])
        .status(1);
}

#[test]
fn no_factor_is_changed_from_an_elevated_session_through_su_or_a_service() {
    let machine = MACHINE.get();
    let erin = login(&machine, "erin", "operator");
    let ezra = login(&machine, "ezra", "operator");
    let passwords = machine.command(&["chpasswd"]).stdin("ezra:open-sesame\n");
    passwords.run().success();

    let mut terminal = erin.terminal("elevate -u erin elevatectl mfa enrol");
    terminal.expect("elevated session");
    terminal.wait();
    // Root's right over the factors of others is no way around one's own.
    let mut terminal = erin.terminal("elevate elevatectl mfa enrol erin");
    terminal.expect("change your own as yourself");
    terminal.wait();
    // Without a command, since with one su takes the terminal away.
    let mut terminal = erin.terminal("su ezra");
    terminal.expect("Password: $");
    terminal.send("open-sesame\n");
    terminal.expect("ezra@");
    terminal.send("elevatectl mfa enrol; exit\n");
    terminal.expect("only from a login of your own");
    terminal.wait();
    let argv = ["runuser", "-u", "ezra", "--", "elevatectl", "mfa", "enrol"];
    let mut terminal = machine.terminal(&argv);
    terminal.expect("only from a login of your own");
    terminal.wait();

    for login in [&erin, &ezra] {
        assert_eq!(status(login)["enrolled"], false, "{}", login.user());
    }
    let refusals = machine.events(&[("ELEVATE_EVENT", "refusal"), ("ELEVATE_USER", "ezra")]);
    assert_eq!(refusals.len(), 2, "{refusals:#?}");
    // The honest way is open all the while.
    erin.enrol();
    ezra.enrol();
}

#[test]
fn without_a_terminal_nothing_is_enrolled() {
    let machine = MACHINE.get();
    let edd = login(&machine, "edd", "operator");
    let refused = edd.run("echo 123456 | elevatectl mfa enrol").status(1);
    assert!(refused.errors().contains("terminal"), "{refused:?}");
    assert!(!refused.text().contains("Secret"), "{refused:?}");
    assert_eq!(status(&edd)["enrolled"], false);
}

/// A name that goes to somebody else brings no factor along.
#[test]
fn a_factor_belongs_to_a_name_and_a_uid() {
    let machine = MACHINE.get();
    let (first, mut factor) = operator(&machine, "elmo");
    first.logout();
    let other = "
        loginctl terminate-user elmo
        for _ in $(seq 100); do usermod --uid 7777 elmo && break; sleep 0.1; done
        chown -R elmo: /home/elmo
    ";
    machine.run(&["sh", "-c", other]).success();
    let elmo = machine.login("elmo");
    assert_eq!(elmo.run("id -u").text(), "7777");
    assert_eq!(status(&elmo)["enrolled"], false);
    let mut desk = elmo.shell();
    let refused = without(&mut desk, "elevate id -u");
    assert!(refused.contains("elevatectl mfa enrol"), "{refused}");
    let _ = factor.code();
}
