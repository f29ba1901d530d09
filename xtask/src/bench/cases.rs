//! What is measured beside each other, and how the machine lets one user do all of it.

use elevate_tests::Machine;

/// The ordinary user who runs everything.
pub(super) const USER: &str = "ben";

/// One command line, timed from its start until it is reaped.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) argv: &'static [&'static str],
}

/// What everything is compared with.
pub(super) const SUDO: &str = "sudo -n true";
pub(super) const DOAS: &str = "doas true";
/// What the goals are about.
pub(super) const OURS: &str = "elevate true";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "true, as oneself",
        argv: &["/usr/bin/true"],
    },
    Case {
        name: OURS,
        argv: &["/usr/bin/elevate", "true"],
    },
    Case {
        name: "elevate true, unrecorded",
        argv: &["/usr/bin/elevate", "/opt/bench/true"],
    },
    Case {
        name: SUDO,
        argv: &["/usr/bin/sudo", "-n", "true"],
    },
    Case {
        name: "sudo-rs -n true",
        argv: &["/usr/bin/sudo-rs", "-n", "true"],
    },
    Case {
        name: DOAS,
        argv: &["/usr/bin/doas", "true"],
    },
    Case {
        name: "pkexec true",
        argv: &["/usr/bin/pkexec", "/usr/bin/true"],
    },
    Case {
        name: "run0 true",
        argv: &["/usr/bin/run0", "--no-ask-password", "true"],
    },
];

/// Session settings are the strictest of all rules that match, so the unrecorded command is
/// another file: a copy.
const POLICY: &str = r#"
[role.bench]
members = ["ben"]

[rule.recorded]
roles    = ["bench"]
run_as   = "root"
commands = ["/usr/bin/true", "/usr/bin/sleep ..."]
require  = {}
session  = { record = "output", execs = "log" }

[rule.unrecorded]
roles    = ["bench"]
run_as   = "root"
commands = ["/opt/bench/true"]
require  = {}
session  = { record = "none", execs = "none" }
"#;

const POLKIT: &str = r#"
polkit.addRule(function(action, subject) {
    if (subject.user == "ben") { return polkit.Result.YES; }
});
"#;

/// Gives the user, without a password, everything of every peer.
pub(super) fn prepare(machine: &Machine) {
    machine.user(USER);
    let copy = ["install", "-D", "/usr/bin/true", "/opt/bench/true"];
    machine.run(&copy).success();
    let sudoers = "ben ALL=(ALL:ALL) NOPASSWD: ALL\n";
    machine.write("/etc/sudoers.d/bench", sudoers, 0o440);
    machine.write("/etc/doas.conf", "permit nopass ben\n", 0o600);
    machine.write("/etc/polkit-1/rules.d/bench.rules", POLKIT, 0o644);
    machine.write("/etc/elevate/policy.d/bench.toml", POLICY, 0o644);
}
