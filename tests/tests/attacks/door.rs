//! A machine whose sshd asks Elevate, for attacks on logins and codes.

use elevate_tests::{Factor, Machine, SharedMachine, Spec};

pub(super) static MACHINE: SharedMachine =
    SharedMachine::new(|| Spec::new("attacks-door").prepared(guarded));

const POLICY: &str = r#"
[role.staff]
members = ["%staff"]

[role.robot]
members = ["%robot"]
login.require = {}

[rule.coded]
roles = ["staff", "robot"]
run_as = "ALL"
commands = ["ALL"]
require = { mfa = "15m" }
"#;

/// A service with nothing in its stack but the module: what it says is what comes of it.
const PROBE: &str = "\
auth required pam_elevate.so services=probe timeout=2
account required pam_elevate.so services=probe timeout=2
session required pam_elevate.so services=probe timeout=2
";

pub(super) fn guarded(machine: &Machine) {
    machine.policy("door", POLICY);
    machine.guard_sshd();
    machine.write("/etc/pam.d/probe", PROBE, 0o644);
}

/// A user of this group with a second factor.
#[track_caller]
pub(super) fn enrolled<'m>(machine: &'m Machine, name: &str, group: &str) -> Factor<'m> {
    machine.member(name, &[group]);
    machine.enrol(name)
}
