//! Auditors: who may read and watch sessions, and sessions that run only while somebody does.

use std::time::Duration;

use elevate_tests::{Login, Machine, SharedMachine, Spec};

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.auditor]
members = ["%auditor"]
may = ["audit"]

[rule.watched]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/sh ..."]
require = {}
session = { watched = true }

[rule.plain]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/bash ..."]
require = {}
"#;

const PATIENCE: Duration = Duration::from_secs(30);

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("watching").prepared(prepare));

fn prepare(machine: &Machine) {
    for group in ["operator", "auditor"] {
        machine.run(&["groupadd", "--force", group]).success();
    }
    machine.policy("test", POLICY);
}

fn member<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Login<'m> {
    machine.member(name, groups);
    machine.login(name)
}

/// What the journal has of `user`'s sessions of this kind.
fn sessions(machine: &Machine, kind: &str, user: &str) -> Vec<String> {
    let events = machine.events(&[("ELEVATE_EVENT", kind), ("ELEVATE_USER", user)]);
    let ids = events
        .iter()
        .filter_map(|entry| entry.get("ELEVATE_REQUEST"));
    ids.collect()
}

#[test]
fn a_session_that_must_be_watched_begins_and_ends_with_its_watcher() {
    let machine = &*MACHINE.get();
    let login = member(machine, "olaf", &["operator"]);
    let auditor = member(machine, "anna", &["auditor"]);
    let mut terminal = login.terminal("elevate sh -c 'echo begun; sleep 300'");
    let id = terminal.expect(r"elevatectl sessions follow ([0-9a-z]+)");
    assert!(sessions(machine, "start", "olaf").is_empty());
    let mut watching = auditor.terminal(&format!("elevatectl sessions follow {id}"));
    terminal.expect("begun");
    watching.expect("begun");
    watching.close();
    assert_ne!(terminal.wait_within(PATIENCE), 0);
    assert!(
        terminal.screen().contains("watched"),
        "{}",
        terminal.screen()
    );
    let end = machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    assert!(end.is("ELEVATE_OUTCOME", "unwatched"), "{end:?}");
    for outcome in ["began", "ended"] {
        let fields = [("ELEVATE_REQUEST", &*id), ("ELEVATE_OUTCOME", outcome)];
        let watch = machine.event("watch", &fields);
        assert!(watch.is("ELEVATE_WATCHER", "anna"), "{watch:?}");
    }
}

#[test]
fn neither_the_person_nor_root_is_the_watcher_that_a_session_needs() {
    let machine = &*MACHINE.get();
    let own = member(machine, "olga", &["operator", "auditor"]);
    let auditor = member(machine, "adam", &["auditor"]);
    let mut terminal = own.terminal("elevate sh -c 'echo begun; sleep 300'");
    let id = terminal.expect(r"elevatectl sessions follow ([0-9a-z]+)");
    let follow = format!("elevatectl sessions follow {id}");
    let oneself = own.terminal(&follow);
    let root = machine.terminal(&["sh", "-c", &follow]);
    let through_elevate = member(machine, "oleg", &["operator"]);
    let elevated = through_elevate.terminal(&format!("elevate bash -c '{follow}'"));
    machine.poll("three who watch", PATIENCE, || {
        let watch = [("ELEVATE_EVENT", "watch"), ("ELEVATE_REQUEST", &*id)];
        (machine.events(&watch).len() >= 3).then_some(())
    });
    assert!(sessions(machine, "start", "olga").is_empty());
    let mut watching = auditor.terminal(&follow);
    watching.expect("begun");
    terminal.expect("begun");
    drop((oneself, root, elevated));
    login_interrupts(&mut terminal);
    terminal.wait_within(PATIENCE);
}

fn login_interrupts(terminal: &mut elevate_tests::Terminal) {
    terminal.send("\x03");
}

#[test]
fn whoever_is_no_auditor_reads_and_watches_nothing() {
    let machine = &*MACHINE.get();
    let login = member(machine, "ossi", &["operator"]);
    let other = member(machine, "nora", &["operator"]);
    login.run("elevate bash -c 'echo secret-of-ossi'").success();
    let id = sessions(machine, "start", "ossi").pop().unwrap();
    machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    for line in [
        format!("elevatectl sessions play {id}"),
        format!("elevatectl sessions follow {id}"),
        "elevatectl sessions search secret".to_owned(),
    ] {
        for who in [&login, &other] {
            let refused = who.run(&line).status(1);
            assert!(!refused.text().contains("secret-of-ossi"), "{refused:?}");
        }
    }
    let auditor = member(machine, "arne", &["auditor"]);
    let played = auditor
        .run(&format!("elevatectl sessions play {id}"))
        .success();
    assert!(played.text().contains("secret-of-ossi"), "{played:?}");
    let found = auditor
        .run("elevatectl sessions search secret-of-ossi")
        .success();
    assert!(found.text().contains(&id), "{found:?}");
    let read = machine.event("recording-read", &[("ELEVATE_REQUEST", &id)]);
    assert!(
        read.fields().values().any(|value| value == "arne"),
        "{read:?}"
    );
}
