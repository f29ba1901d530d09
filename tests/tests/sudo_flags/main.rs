//! The flags of sudo, given to sudo and to `elevate` on the same machine, where both let the same
//! people do the same: what is the same is compared, and what differs on purpose is listed.

mod background;
mod codes;
mod differing;
mod listing;
mod same;

use elevate_tests::{Factor, Login, Machine, Output, SharedMachine, Spec};

/// `%all` may do anything, without a code; `%some` may run two commands; `%coded` owes codes.
const POLICY: &str = r#"
[role.all]
members = ["%all"]

[role.some]
members = ["%some"]

[role.coded]
members = ["%coded"]

[rule.everything]
roles = ["all"]
run_as = "ALL"
commands = ["ALL"]
require = {}
session = { record = "none", execs = "none", keep_env = ["*"] }

[rule.two]
roles = ["some"]
run_as = "root"
commands = ["/usr/bin/id ...", "/usr/bin/env"]
require = {}
session = { keep_env = ["KEPT"] }

[rule.lately]
description = "With a code of the last quarter of an hour"
roles = ["coded"]
run_as = "ALL"
commands = ["/usr/bin/id ...", "/usr/bin/cat ..."]
require = { mfa = "15m" }

[rule.why]
roles = ["coded"]
run_as = "root"
commands = ["/usr/bin/uname"]
require = { mfa = "15m", reason = true }
"#;

const SUDOERS: &str = "\
Defaults runcwd=*
%all ALL=(ALL:ALL) NOPASSWD:SETENV: ALL
%some ALL=(root) NOPASSWD: /usr/bin/id, /usr/bin/env
";

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("sudo-flags").prepared(prepare));

fn prepare(machine: &Machine) {
    for group in ["all", "some", "coded"] {
        machine.run(&["groupadd", group]).success();
    }
    machine.policy("flags", POLICY);
    machine.write("/etc/sudoers.d/flags", SUDOERS, 0o440);
    machine.member("tia", &["tias"]);
    let script = "#!/bin/sh\necho \"$0\" \"$@\"\n";
    machine.write("/usr/local/bin/zero", script, 0o755);
}

/// A user of a group, logged in.
#[track_caller]
fn login<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

/// The same with a second factor.
#[track_caller]
fn coded<'m>(machine: &'m Machine, name: &str) -> (Login<'m>, Factor<'m>) {
    let login = login(machine, name, "coded");
    let factor = login.enrol();
    (login, factor)
}

/// What became of a line in which `@` was sudo, and in which it was `elevate`.
#[track_caller]
fn both(login: &Login<'_>, line: &str) -> (Output, Output) {
    let run = |program| login.run(&line.replace('@', program));
    (run("sudo"), run("elevate"))
}

/// A line with `@` has the same status and output with both.
#[track_caller]
fn same(login: &Login<'_>, line: &str) {
    let (sudo, elevate) = both(login, line);
    let shown = |output: &Output| (output.status, output.text());
    let (wanted, said) = (sudo.describe(), elevate.describe());
    assert_eq!(shown(&elevate), shown(&sudo), "{line}\n{wanted}\n{said}");
}

/// The same with this status, so that two failures of another kind don't pass for it.
#[track_caller]
fn same_with(login: &Login<'_>, line: &str, status: i32) {
    same(login, line);
    login.run(&line.replace('@', "elevate")).status(status);
}
