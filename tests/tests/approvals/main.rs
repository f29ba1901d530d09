//! A command that somebody else must agree to first: who is told, whose vote counts, and that
//! nothing runs without it.

mod asking;
mod votes;
mod without;

use std::time::Duration;

use elevate_tests::{Login, Machine, Output, Running, SharedMachine, Spec, Voter};
use serde_json::Value;

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.lead]
members = ["%lead"]

[rule.restart-cron]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/systemctl restart cron"]
require = { approvals = 1, approvers = ["role:lead"], reason = true }
limit = { default = "5m", max = "15m" }

[rule.one]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/touch ...", "/usr/bin/sh ..."]
require = { approvals = 1, approvers = ["role:lead"] }

[rule.two]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/mkdir ..."]
require = { approvals = 2, approvers = ["role:lead"] }

[rule.reason]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/id ..."]
require = { reason = true }

# What an approval must not be reached through.
[rule.tool]
roles = ["operator", "lead"]
run_as = "ALL"
commands = ["/usr/bin/elevatectl ..."]
require = {}
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("approvals").prepared(prepare));

fn prepare(machine: &Machine) {
    machine.policy("test", POLICY);
}

fn member<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Login<'m> {
    machine.member(name, groups);
    machine.login(name)
}

fn operator<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    member(machine, name, &["operator"])
}

fn lead<'m>(machine: &'m Machine, name: &str) -> Voter<'m> {
    machine.member(name, &["lead"]);
    machine.voter(name)
}

/// Asks for something, and comes back with the request as soon as it waits.
fn ask(login: &Login<'_>, line: &str) -> (Running, String) {
    let running = login.command(line).start();
    let asked = [
        ("ELEVATE_USER", login.user()),
        ("ELEVATE_OUTCOME", "waiting"),
    ];
    let request = login.machine().event("request", &asked).request();
    (running, request)
}

/// The vote of somebody whose vote won't count, whatever code they could give.
fn approve(login: &Login<'_>, request: &str) -> Output {
    login.run(&format!("elevatectl approve --yes {request}"))
}

fn show(login: &Login<'_>, request: &str) -> Value {
    let shown = login.run(&format!("elevatectl show --json {request}"));
    serde_json::from_slice(&shown.success().stdout).expect("JSON")
}
