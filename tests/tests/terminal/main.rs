//! People in front of terminals: programs that own the whole screen, jobs of a shell, pipelines,
//! terminals that are held, and how each way out leaves the terminal.

mod held;
mod jobs;
mod pipelines;
mod programs;
mod restored;

use std::time::Duration;

use elevate_tests::{Login, Machine, SharedMachine, Spec, Terminal};

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[rule.anything]
roles = ["operator"]
run_as = "root"
commands = ["ALL", "SHELL"]
require = {}

[role.idler]
members = ["%idler"]

[rule.held]
roles = ["idler"]
run_as = "root"
commands = ["ALL"]
require = {}
limit = { default = "10m", max = "1h", idle = "4s" }

[role.patient]
members = ["%patient"]

[rule.held-briefly]
roles = ["patient"]
run_as = "root"
commands = ["ALL"]
require = {}
limit = { default = "10m", max = "1h", idle = "2s" }
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("terminal").prepared(prepare));

const PATIENCE: Duration = Duration::from_secs(20);

fn prepare(machine: &Machine) {
    machine.policy("test", POLICY);
}

fn member<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

fn operator<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    member(machine, name, "operator")
}

/// The modes of the terminal that a shell is in front of. It must be the shell's turn.
#[track_caller]
fn modes(shell: &mut Terminal) -> String {
    shell.send("stty --save | sed 's/^/modes=/'\n");
    let modes = shell.expect(r"modes=([0-9a-f]+:[0-9a-f:]+)\r");
    shell.expect("ready> $");
    modes
}

/// The status of what the shell ran last.
#[track_caller]
fn status(shell: &mut Terminal) -> String {
    shell.send("echo \"status $?\"\n");
    let status = shell.expect(r"status (\d+)\r");
    shell.expect("ready> $");
    status
}
