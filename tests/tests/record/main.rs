//! What is written down: every step and every exec in the journal, and what was shown in a
//! recording.

mod asciinema;
mod disk;
mod execs;
mod hostile;
mod journal;
mod recordings;
mod resolved;
mod typed;

use std::time::Duration;

use elevate_tests::{Entry, Login, Machine, SharedMachine, Spec, Voter};
use serde_json::Value;

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.asker]
members = ["%asker"]

[role.lead]
members = ["%lead"]

[role.auditor]
members = ["%auditor"]
may = ["audit"]

[role.unrecorded]
members = ["%unrecorded"]

[role.typist]
members = ["%typist"]

[role.single]
members = ["%single"]

[role.careful]
members = ["%careful"]

[rule.anything]
roles = ["operator"]
run_as = "ALL"
commands = ["ALL"]
require = {}

[rule.asked]
roles = ["asker"]
run_as = "root"
commands = ["/usr/bin/sh ..."]
require = { approvals = 1, approvers = ["role:lead"] }

[rule.unrecorded]
roles = ["unrecorded"]
run_as = "root"
commands = ["ALL"]
require = {}
session = { record = "none", execs = "none" }

[rule.typed]
roles = ["typist"]
run_as = "root"
commands = ["ALL"]
require = {}
session = { record = "full" }

[rule.single]
roles = ["single"]
run_as = "root"
commands = ["ALL"]
require = {}
session = { execs = "deny" }

[rule.careful]
roles = ["careful"]
run_as = "root"
commands = ["ALL"]
require = {}
session = { on_full = "refuse" }
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("record").prepared(prepare));

fn prepare(machine: &Machine) {
    machine.policy("test", POLICY);
}

fn member<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

fn lead<'m>(machine: &'m Machine, name: &str) -> Voter<'m> {
    machine.member(name, &["lead"]);
    machine.voter(name)
}

/// Runs a line that makes one session, waits for its end to be on record, and names the session.
fn session(login: &Login<'_>, line: &str) -> String {
    login.run(line).success();
    ended(login)
}

fn ended(login: &Login<'_>) -> String {
    let user = [("ELEVATE_USER", login.user())];
    login.machine().event("end", &user).request()
}

#[track_caller]
fn assert_fields(entry: &Entry, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        assert!(
            entry.is(name, value),
            "{name} is not {value:?} in {entry:#?}"
        );
    }
}
