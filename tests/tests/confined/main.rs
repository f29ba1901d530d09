//! What confines a command beyond its user, on a booted machine: a view of the host of its own, which
//! leads nowhere, and capabilities, which are all that it can ever have.

mod capabilities;
mod honest;
mod ways_out;

use elevate_tests::{Login, Machine, Output, SharedMachine, Spec};

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("confined").prepared(prepare));

/// Rules that say nothing but how their session runs.
const POLICY: &str = r#"
[role.contained]
members = ["%contained"]

[role.networked]
members = ["%networked"]

[role.misplaced]
members = ["%misplaced"]

[role.free]
members = ["%free"]

[role.capable]
members = ["%capable"]

[rule.contained]
roles    = ["contained"]
run_as   = "ALL"
commands = ["ALL"]
require  = {}
session  = { contain = true, writable = ["/srv/data"] }

[rule.networked]
roles    = ["networked"]
run_as   = "root"
commands = ["ALL"]
require  = {}
session  = { contain = true, network = true }

[rule.misplaced]
roles    = ["misplaced"]
run_as   = "root"
commands = ["ALL"]
require  = {}
session  = { contain = true, writable = ["/srv/nowhere"] }

[rule.free]
roles    = ["free"]
run_as   = "ALL"
commands = ["ALL"]
require  = {}

[rule.capable]
roles    = ["capable"]
run_as   = "SELF"
commands = ["ALL"]
require  = {}
session  = { capabilities = ["CAP_NET_ADMIN"] }
"#;

fn prepare(machine: &Machine) {
    for group in ["contained", "networked", "misplaced", "free", "capable"] {
        machine.run(&["groupadd", group]).success();
    }
    machine
        .run(&["mkdir", "-m", "0777", "/srv/data", "/scripts", "/escaped"])
        .success();
    machine.policy("confined", POLICY);
    ways_out::prepare(machine);
}

fn login<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

/// Runs a shell script by `elevate` with these flags.
#[track_caller]
fn elevated(login: &Login<'_>, flags: &str, script: &str) -> Output {
    let name = format!("/scripts/{}", login.user());
    login.machine().write(&name, script, 0o644);
    login.run(&format!("elevate {flags} sh {name}"))
}
