//! Second factors of people who are in already: asked for before commands and votes, enrolled and
//! removed, and kept where nobody reads them.

mod asking;
mod at_rest;
mod enrolment;
mod votes;

use elevate_tests::{Entry, Factor, Login, Machine, SharedMachine, Spec, Terminal};

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.lead]
members = ["%lead"]

[rule.coded]
roles = ["operator"]
run_as = "ALL"
commands = ["/usr/bin/id ...", "/usr/bin/sleep ..."]
require = { mfa = "15m" }

[rule.brief]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/uname ..."]
require = { mfa = "1s" }

[rule.always]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/whoami"]
require = { mfa = "always" }

[rule.asked]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/touch ..."]
require = { approvals = 1, approvers = ["role:lead"] }

# What a factor must not be changed through.
[rule.tool]
roles = ["operator"]
run_as = "ALL"
commands = ["/usr/bin/elevatectl ..."]
require = {}
"#;

const PROMPT: &str = "Verification code: $";

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("factors").prepared(prepare));

fn prepare(machine: &Machine) {
    machine.policy("test", POLICY);
}

/// A user of this group, logged in by key alone and without a second factor.
fn login<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

/// An operator with a second factor that they enrolled themselves.
fn operator<'m>(machine: &'m Machine, name: &str) -> (Login<'m>, Factor<'m>) {
    let login = login(machine, name, "operator");
    let factor = login.enrol();
    (login, factor)
}

/// Runs a command that asks for a code, and gives it. Comes back with what was shown after it.
#[track_caller]
fn with_code(terminal: &mut Terminal, command: &str, code: &str) -> String {
    terminal.send(format!("{command}\n"));
    terminal.expect(PROMPT);
    terminal.send(format!("{code}\n"));
    terminal.expect("(?s)(.*)ready> $")
}

/// Runs a command that asks for nothing.
#[track_caller]
fn without(terminal: &mut Terminal, command: &str) -> String {
    terminal.send(format!("{command}\n"));
    let shown = terminal.expect(r"(?s)(Verification code: |.*\nready> )$");
    assert!(!shown.contains("Verification code"), "{command}: {shown}");
    shown
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
