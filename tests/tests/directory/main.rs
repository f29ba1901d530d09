//! People who come from a directory server: who of them is on the host, what becomes of records that
//! can't be believed, of leavers, and of everybody while the server is gone.

mod hostile;
mod leavers;
mod outage;
mod people;
mod server;

use std::time::Duration;

use elevate_tests::{DirectoryServer, Machine, MachineInTest, SharedMachine, Spec};

const POLICY: &str = r#"
[role.dba]
members = ["attr:department=dba"]

[role.staff]
members = ["%oncall", "%leads"]

[role.elsewhere]
members = ["attr:department=external"]
login.when = { hosts = ["another-*"] }

[rule.look]
roles = ["dba", "staff"]
run_as = "root"
commands = ["/usr/bin/{id,sleep} ..."]
require = {}

[rule.agreed]
roles = ["dba", "staff"]
run_as = "root"
commands = ["/usr/bin/true"]
require = { approvals = 1, approvers = ["%leads"] }
"#;

/// As long as the design allows a change to take.
const AT_ONCE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(20);

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("directory").prepared(populated));

/// Makes a machine for one test, named after it.
#[track_caller]
fn machine(name: &str) -> MachineInTest {
    MachineInTest::alone(Spec::new(name).prepared(populated))
}

/// A directory server, whose people are on the machine as far as the policy admits them.
fn populated(machine: &Machine) {
    machine.directory_server().create();
    machine.policy("test", POLICY);
    machine.write("/etc/elevate/directory.toml", settings(), 0o644);
    machine.write(
        "/etc/elevate/directory.password",
        DirectoryServer::PASSWORD,
        0o600,
    );
    machine.write(
        "/etc/ssh/sshd_config.d/10-elevate-keys.conf",
        "AuthorizedKeysCommand /usr/bin/userdbctl ssh-authorized-keys %u\n\
         AuthorizedKeysCommandUser root\n",
        0o644,
    );
    systemctl(machine, &["reload", "ssh"]);
    systemctl(machine, &["enable", "--now", "elevate-directory"]);
    until_known(machine, "alice");
}

fn settings() -> String {
    format!(
        r#"
uri        = "{}"
ca_file    = "{}"
bind_dn    = "{}"
attributes = ["department"]

[people]
base = "ou=people,{base}"

[groups]
base = "ou=groups,{base}"
"#,
        DirectoryServer::URI,
        DirectoryServer::CA_FILE,
        DirectoryServer::BIND_DN,
        base = DirectoryServer::BASE,
    )
}

fn systemctl(machine: &Machine, arguments: &[&str]) {
    let argv = [&["systemctl"], arguments].concat();
    machine.run(&argv).success();
}

fn is_known(machine: &Machine, user: &str) -> bool {
    machine.run(&["getent", "passwd", user]).status == 0
}

fn until_known(machine: &Machine, user: &str) {
    let known = || is_known(machine, user).then_some(());
    machine.poll(&format!("{user} is on the machine"), PATIENCE, known);
}

fn until_unknown(machine: &Machine, user: &str) {
    let unknown = || (!is_known(machine, user)).then_some(());
    machine.poll(&format!("{user} is off the machine"), AT_ONCE, unknown);
}

/// What `elevatectl directory status --json` says to root.
fn status(machine: &Machine) -> serde_json::Value {
    let output = machine.run(&["elevatectl", "directory", "status", "--json"]);
    serde_json::from_str(&output.success().text()).expect("the status is JSON")
}

/// Waits until the directory is in this state.
fn until_state(machine: &Machine, state: &str, within: Duration) {
    let is = || (status(machine)["state"] == state).then_some(());
    machine.poll(&format!("the directory is {state}"), within, is);
}
