//! Sessions that last longer than they were granted for, and how far that goes.

use std::time::Duration;

use elevate_tests::{Login, Machine, SharedMachine, Spec};

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.careful]
members = ["%careful"]

[role.lead]
members = ["%lead"]

[rule.short]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/sh ..."]
require = {}
limit = { default = "6s", max = "20s" }

[rule.reasoned]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/dash ..."]
require = { reason = true }
limit = { default = "1m", max = "5m" }

[rule.approved]
roles = ["careful"]
run_as = "root"
commands = ["/usr/bin/bash ..."]
require = { approvals = 1, approvers = ["role:lead"] }
limit = { default = "30s", max = "1m" }
"#;

const PATIENCE: Duration = Duration::from_secs(40);

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("extending").prepared(prepare));

fn prepare(machine: &Machine) {
    for group in ["operator", "careful", "lead"] {
        machine.run(&["groupadd", "--force", group]).success();
    }
    machine.policy("test", POLICY);
    machine.write(
        "/etc/elevate/elevated.toml",
        "[limit]\nwarnings = [\"4s\"]\n",
        0o644,
    );
    machine.run(&["systemctl", "restart", "elevated"]).success();
}

fn member<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

/// The session of `user` that runs.
#[track_caller]
fn session(machine: &Machine, user: &str) -> String {
    let start = machine.event("start", &[("ELEVATE_USER", user)]);
    start.get("ELEVATE_REQUEST").unwrap()
}

#[test]
fn the_person_is_warned_and_a_session_that_is_extended_goes_on() {
    let machine = &*MACHINE.get();
    let login = member(machine, "exa", "operator");
    let mut terminal = login.terminal("elevate sh -c 'sleep 9; echo survived'");
    terminal.expect("elevatectl extend");
    let id = session(machine, "exa");
    login
        .run(&format!("elevatectl extend {id} --for 10s"))
        .success();
    terminal.expect("survived");
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    machine.event("extend", &[("ELEVATE_REQUEST", &id)]);
}

#[test]
fn nothing_extends_a_session_beyond_its_rule() {
    let machine = &*MACHINE.get();
    let login = member(machine, "maxi", "operator");
    let mut terminal = login.terminal("elevate sh -c 'sleep 60; echo survived'");
    let id = session(machine, "maxi");
    login
        .run(&format!("elevatectl extend {id} --for 1h"))
        .success();
    let refused = login
        .run(&format!("elevatectl extend {id} --for 1h"))
        .status(1);
    assert!(refused.errors().contains("limit.max"), "{refused:?}");
    assert_ne!(terminal.wait_within(PATIENCE), 0);
    assert!(!terminal.screen().contains("survived"));
    let end = machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    assert!(end.is("ELEVATE_OUTCOME", "deadline"), "{end:?}");
}

#[test]
fn an_extension_owes_what_the_session_owed() {
    let machine = &*MACHINE.get();
    let login = member(machine, "cara", "careful");
    machine.member("leo", &["lead"]);
    let voter = machine.voter("leo");
    let mut terminal = login.terminal("elevate bash -c 'sleep 45; echo survived'");
    let first = machine.event("request", &[("ELEVATE_USER", "cara")]);
    voter
        .approve(&first.get("ELEVATE_REQUEST").unwrap())
        .success();
    let id = session(machine, "cara");
    let refused = login
        .run(&format!("elevatectl extend {id} --non-interactive"))
        .status(1);
    assert!(refused.errors().contains("approval"), "{refused:?}");
    let extending = login
        .command(&format!("elevatectl extend {id} --for 25s"))
        .start();
    let second = machine.poll("the request for more time", PATIENCE, || {
        let asked = machine.events(&[("ELEVATE_EVENT", "request"), ("ELEVATE_USER", "cara")]);
        let ids = asked
            .iter()
            .filter_map(|entry| entry.get("ELEVATE_REQUEST"));
        ids.into_iter().find(|other| *other != id)
    });
    let shown = machine
        .run(&["elevatectl", "show", &second])
        .success()
        .text();
    assert!(
        shown.contains(&id),
        "approvers see which session it is: {shown}"
    );
    voter.approve(&second).success();
    extending.wait().success();
    terminal.expect_within("survived", Duration::from_secs(60));
}

#[test]
fn a_reason_that_is_owed_is_asked_for_and_on_record() {
    let machine = &*MACHINE.get();
    let login = member(machine, "rosa", "operator");
    let mut terminal = login.terminal("elevate --reason first dash -c 'sleep 300'");
    let id = session(machine, "rosa");
    let silent = format!("elevatectl extend {id} --non-interactive");
    let refused = login.run(&silent).status(1);
    assert!(refused.errors().contains("reason"), "{refused:?}");
    let mut extending = login.terminal(&format!("elevatectl extend {id}"));
    extending.expect("Reason: $");
    extending.send("it takes longer\n");
    extending.expect("ends at");
    assert_eq!(extending.wait(), 0, "{}", extending.screen());
    let extend = machine.event("extend", &[("ELEVATE_REQUEST", &id)]);
    assert!(extend.is("ELEVATE_REASON", "it takes longer"), "{extend:?}");
    terminal.send("\x03");
    terminal.wait_within(PATIENCE);
}

#[test]
fn nobody_extends_the_session_of_somebody_else() {
    let machine = &*MACHINE.get();
    let owner = member(machine, "owen", "operator");
    let other = member(machine, "otto", "operator");
    let mut terminal = owner.terminal("elevate sh -c 'sleep 60'");
    let id = session(machine, "owen");
    let refused = other.run(&format!("elevatectl extend {id}")).status(1);
    assert!(!refused.errors().contains("owen"), "{refused:?}");
    machine.run(&["elevatectl", "extend", &id]).status(1);
    terminal.wait_within(PATIENCE);
    let extended = machine.events(&[("ELEVATE_EVENT", "extend"), ("ELEVATE_REQUEST", &id)]);
    assert!(extended.is_empty(), "{extended:?}");
}
