//! The door: who gets in through sshd with a key and a code, who doesn't, and what becomes of it
//! while nobody can be asked.

mod accounts;
mod enabling;
mod first;
mod others;
mod outages;
mod refusals;
mod rescue;
mod roles;
mod socket;
mod su;

use std::time::Duration;

use elevate_tests::{Entry, Factor, Machine, MachineInTest, SharedMachine, Spec};

const POLICY: &str = r#"
[role.staff]
members = ["%staff"]

[role.robot]
members = ["%robot"]
login.require = {}

[role.vpn]
members = ["%vpn"]
login.when = { from = ["127.0.0.2"] }

[role.console]
members = ["%console"]
login.when = { services = ["login"] }

[role.elsewhere]
members = ["%elsewhere"]
login.when = { hosts = ["db-*"] }

[rule.anything]
roles = ["staff", "robot"]
run_as = "root"
commands = ["/usr/bin/id ..."]
require = { mfa = "15m" }

[rule.always]
roles = ["staff"]
run_as = "root"
commands = ["/usr/bin/whoami"]
require = { mfa = "always" }
"#;

const PATIENCE: Duration = Duration::from_secs(20);

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("door").prepared(guarded));

/// Makes a machine for one test, named after it.
#[track_caller]
fn machine(name: &str) -> MachineInTest {
    MachineInTest::alone(Spec::new(name).prepared(guarded))
}

fn guarded(machine: &Machine) {
    with_roles(machine);
    machine.guard_sshd();
}

fn with_roles(machine: &Machine) {
    // Whether somebody is in a group that isn't there is unknown, and that is a reason of its own.
    for group in ["staff", "robot", "vpn", "console", "elsewhere"] {
        machine.run(&["groupadd", "--force", group]).success();
    }
    machine.policy("test", POLICY);
}

/// A user of these groups with a second factor.
#[track_caller]
fn enrolled<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Factor<'m> {
    machine.member(name, groups);
    machine.enrol(name)
}

/// Stops everything that could answer the module.
fn stop(machine: &Machine) {
    let units = ["systemctl", "stop", "elevate-login.socket", "elevated"];
    machine.run(&units).success();
}

fn start(machine: &Machine) {
    let units = ["systemctl", "start", "elevate-login.socket", "elevated"];
    machine.run(&units).success();
}

/// The one refusal of this user's logins that is on record, once it is. What comes later in the
/// test counts as well: events are in order.
#[track_caller]
fn one_refusal(machine: &Machine, user: &str) -> Entry {
    let fields = [("ELEVATE_USER", user)];
    let first = machine.event("login-refused", &fields);
    let all = machine.events(&[("ELEVATE_EVENT", "login-refused"), fields[0]]);
    assert_eq!(all.len(), 1, "{all:#?}");
    first
}

#[track_caller]
fn reason(entry: &Entry) -> String {
    entry.get("ELEVATE_REASON").expect("an event has a reason")
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
