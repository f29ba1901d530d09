//! A vote owes a fresh code of the voter's.

use super::*;

/// Asks for something, and comes back with the request as soon as it waits.
fn ask(login: &Login<'_>, marker: &str) -> (elevate_tests::Running, String) {
    let line = format!("elevate touch {marker}");
    let running = login.command(&line).start();
    let asked = [
        ("ELEVATE_COMMAND", &*format!("touch {marker}")),
        ("ELEVATE_OUTCOME", "waiting"),
    ];
    let request = login.machine().event("request", &asked).request();
    (running, request)
}

#[test]
fn a_vote_without_a_code_counts_for_nothing() {
    let machine = MACHINE.get();
    let asker = login(&machine, "una", "operator");
    let lena = login(&machine, "lena", "lead");
    let (asking, request) = ask(&asker, "/root/una");
    let approve = format!("elevatectl approve --yes {request}");

    let mut terminal = lena.terminal(&approve);
    terminal.expect("elevatectl mfa enrol");
    assert_eq!(terminal.wait(), 1, "she has no factor");
    let mut factor = lena.enrol();
    let refused = lena.run(&approve).status(1);
    assert!(refused.errors().contains("terminal"), "{refused:?}");
    let mut terminal = lena.terminal(&approve);
    for _ in 0..3 {
        terminal.expect(PROMPT);
        terminal.send(format!("{}\n", factor.wrong()));
    }
    assert_eq!(terminal.wait(), 1, "{}", terminal.screen());
    let mut terminal = lena.terminal(&approve);
    terminal.expect(PROMPT);
    terminal.send("\x03");
    terminal.wait();
    assert!(!machine.has("/root/una"));
    assert_eq!(
        machine.events(&[("ELEVATE_EVENT", "approval"), ("ELEVATE_REQUEST", &request)]),
        []
    );

    let mut terminal = lena.terminal(&approve);
    terminal.expect(PROMPT);
    terminal.send(format!("{}\n", factor.code()));
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    asking.wait().success();
    assert!(machine.has("/root/una"));
    let given = machine.event("factor-given", &[("ELEVATE_USER", "lena")]);
    let purpose = given.get("ELEVATE_PURPOSE").unwrap_or_default();
    assert!(
        purpose.contains("vote") && purpose.contains(&request),
        "{purpose}"
    );
}

#[test]
fn a_code_counts_for_the_votes_that_follow_at_the_same_terminal() {
    let machine = MACHINE.get();
    let asker = login(&machine, "ugo", "operator");
    let leo = login(&machine, "leo", "lead");
    let mut factor = leo.enrol();
    let (first, one) = ask(&asker, "/root/ugo-one");
    let (second, two) = ask(&asker, "/root/ugo-two");
    let mut desk = leo.shell();
    with_code(
        &mut desk,
        &format!("elevatectl approve --yes {one}"),
        &factor.code(),
    );
    without(&mut desk, &format!("elevatectl approve --yes {two}"));
    first.wait().success();
    second.wait().success();
}

#[test]
fn a_setting_can_ask_for_a_code_with_every_vote_and_none_can_ask_for_none() {
    static STRICT: SharedMachine = SharedMachine::new(|| Spec::new("vote-always").prepared(strict));
    fn strict(machine: &Machine) {
        prepare(machine);
        machine.write(
            "/etc/elevate/elevated.toml",
            "vote_mfa = \"always\"\n",
            0o644,
        );
        machine.run(&["systemctl", "restart", "elevated"]).success();
    }
    let machine = STRICT.get();
    let asker = login(&machine, "uma", "operator");
    let lou = login(&machine, "lou", "lead");
    let mut factor = lou.enrol();
    let (first, one) = ask(&asker, "/root/uma-one");
    let (second, two) = ask(&asker, "/root/uma-two");
    let mut desk = lou.shell();
    for request in [&one, &two] {
        let approve = format!("elevatectl approve --yes {request}");
        with_code(&mut desk, &approve, &factor.code());
    }
    first.wait().success();
    second.wait().success();

    for none in ["\"none\"", "\"0s\"", "false", "\"\""] {
        let setting = format!("vote_mfa = {none}\n");
        machine.write("/etc/elevate/elevated.toml", setting, 0o644);
        machine.run(&["systemctl", "restart", "elevated"]).success();
        let status = machine.run(&["elevatectl", "status"]).success().text();
        assert!(
            status.contains("vote_mfa") || status.contains("elevated.toml:1"),
            "{none}: {status}"
        );
        let (_asking, request) = ask(&asker, &format!("/root/uma-{}", none.len()));
        let approve = format!("elevatectl approve --yes {request}");
        let mut terminal = lou.terminal(&approve);
        terminal.expect(PROMPT);
        terminal.send("\x03");
        terminal.wait();
        asker.run(&format!("elevatectl cancel {request}")).success();
    }
}
