//! Who is on the machine, and the policy they live under.

use elevate_tests::Machine;

use super::seat::Who;

/// Everybody's password, for su.
pub(super) const PASSWORD: &str = "correct horse";

pub(super) const POLICY: &str = include_str!("policy.toml");

/// Makes the users and writes the policy.
pub(super) fn enter(machine: &Machine) {
    for who in [Who::Alice, Who::Bob, Who::Eve] {
        machine.user(who.account());
    }
    machine.user("postgres");
    let passwords = format!("alice:{PASSWORD}\nbob:{PASSWORD}\neve:{PASSWORD}\n");
    machine
        .command(&["chpasswd"])
        .stdin(passwords)
        .run()
        .success();
    machine.write("/etc/elevate/policy.d/try.toml", POLICY, 0o644);
}
