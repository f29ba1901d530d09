//! Limits that the kernel enforces, on whole machines with their release's own kernel: a container
//! has no controllers to enforce them with. The main path is walked there once, too, since an
//! older kernel may lack what it needs.

use std::time::Duration;

use elevate_tests::{Login, Machine, SharedMachine, Spec};
use serde_json::Value;

const POLICY: &str = r#"
[role.free]
members = ["%free"]

[role.few]
members = ["%few"]

[role.small]
members = ["%small"]

[role.slow]
members = ["%slow"]

[rule.free]
roles = ["free"]
run_as = "ALL"
commands = ["ALL"]
require = {}

[rule.few]
roles = ["few"]
run_as = "root"
commands = ["ALL"]
require = {}
limit = { tasks = 20 }

[rule.small]
roles = ["small"]
run_as = "root"
commands = ["ALL"]
require = {}
limit = { memory = "64M" }

[rule.slow]
roles = ["slow"]
run_as = "root"
commands = ["ALL"]
require = {}
limit = { cpu = "20%" }
"#;

/// What tests run in their sessions; `cgroup FILE` shows a file of the session's own cgroup.
const CGROUP: &str = r#"#!/bin/sh
cat "/sys/fs/cgroup$(cut -d: -f3- /proc/self/cgroup)/$1"
"#;

static MACHINE: SharedMachine =
    SharedMachine::new(|| Spec::new("limits").whole().prepared(prepare));

fn prepare(machine: &Machine) {
    machine.policy("test", POLICY);
    machine.write("/usr/local/bin/cgroup", CGROUP, 0o755);
}

fn member<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

/// What `cgroup FILE` says in a session.
#[track_caller]
fn in_force(login: &Login<'_>, file: &str) -> String {
    let shown = login.run(&format!("elevate cgroup {file}"));
    shown.success().text()
}

#[test]
fn a_session_forks_no_more_than_its_rule_allows() {
    let machine = MACHINE.get();
    let few = member(&machine, "fay", "few");
    assert_eq!(in_force(&few, "pids.max"), "20");
    machine.write("/usr/local/bin/forks", FORKS, 0o755);
    let forked = few.run("elevate forks").success().text();
    // The first of them is the program itself.
    assert_eq!(forked, "19");

    let free = member(&machine, "fred", "free");
    assert_eq!(free.run("elevate forks").success().text(), "40");
}

/// Forks until it is refused, or forty times.
const FORKS: &str = "#!/usr/bin/python3
import os, signal
children = []
try:
    while len(children) < 40:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except BlockingIOError:
    pass
print(len(children))
for child in children:
    os.kill(child, signal.SIGKILL)
";

#[test]
fn what_takes_more_memory_than_its_rule_allows_is_killed_and_nothing_else() {
    let machine = MACHINE.get();
    let small = member(&machine, "sam", "small");
    let bytes = (64u32 << 20).to_string();
    assert_eq!(in_force(&small, "memory.max"), bytes);
    assert_eq!(in_force(&small, "memory.swap.max"), "0");
    machine.write("/usr/local/bin/hog", HOG, 0o755);
    machine.write("/usr/local/bin/outlive", OUTLIVE, 0o755);
    let bystander = small
        .command("elevate sh -c 'echo here; cat'")
        .stdin("still here");
    assert_eq!(small.run("elevate hog 16").success().text(), "had 16");

    let outlived = small.run("elevate outlive");
    assert_eq!(bystander.run().success().text(), "here\nstill here");
    assert_eq!(outlived.status, 5, "{outlived:?}");
    let said = outlived.text();
    assert!(said.starts_with("the hog ended with 137\n"), "{said}");
    assert!(said.contains("oom_kill 1"), "{said}");
    let killed = machine.run(&["journalctl", "--boot", "--dmesg", "--grep=Killed process"]);
    let killed = killed.success().text();
    assert_eq!(killed.matches("Killed process").count(), 1, "{killed}");
    assert!(killed.contains("(hog)"), "{killed}");

    let free = member(&machine, "fern", "free");
    assert_eq!(free.run("elevate hog 256").success().text(), "had 256");
}

/// Takes so many megabytes, and uses them.
const HOG: &str = "#!/usr/bin/python3
import sys
open('/proc/self/comm', 'w').write('hog')
taken = b'x' * (int(sys.argv[1]) << 20)
print('had', len(taken) >> 20)
";

/// Sees a hog die, and goes on.
const OUTLIVE: &str = r#"#!/bin/sh
hog 256
echo "the hog ended with $?"
cgroup memory.events
exit 5
"#;

#[test]
fn a_session_gets_no_more_processor_time_than_its_rule_allows() {
    let machine = MACHINE.get();
    let slow = member(&machine, "sloan", "slow");
    assert_eq!(in_force(&slow, "cpu.max"), "20000 100000");
    machine.write("/usr/local/bin/burn", BURN, 0o755);
    let (share, throttled) = burned(&slow);
    assert!((0.05..0.3).contains(&share), "{share}");
    assert!(throttled > 0);

    // An emulated processor is never quite its own, but much more so than a fifth.
    let free = member(&machine, "fritz", "free");
    let (share, throttled) = burned(&free);
    assert!(share > 0.4, "{share}");
    assert_eq!(throttled, 0);
}

/// The share of a processor that `burn` got, and how often it had to wait.
#[track_caller]
fn burned(login: &Login<'_>) -> (f64, u64) {
    let burned = login.run("elevate burn").success().text();
    let (share, throttled) = burned.split_once(' ').expect("two numbers");
    (share.parse().unwrap(), throttled.parse().unwrap())
}

/// Does nothing for three seconds, as fast as it can.
const BURN: &str = "#!/usr/bin/python3
import time
def stat(name):
    cgroup = open('/proc/self/cgroup').read().strip().split(':', 2)[2]
    lines = open('/sys/fs/cgroup' + cgroup + '/cpu.stat').read().splitlines()
    return int(dict(line.split() for line in lines).get(name, 0))
began, used = time.monotonic(), stat('usage_usec')
while time.monotonic() < began + 3:
    pass
share = (stat('usage_usec') - used) / 1e6 / (time.monotonic() - began)
print(share, stat('nr_throttled'))
";

#[test]
fn what_runs_is_recorded_and_logged_and_ends_on_this_kernel_too() {
    let machine = MACHINE.get();
    let fleur = member(&machine, "fleur", "free");
    let mut terminal =
        fleur.terminal("elevate sh -c 'id -un; /bin/true one; (exec /bin/true two)'");
    assert_eq!(terminal.wait_within(Duration::from_secs(60)), 0);
    assert_eq!(terminal.screen().trim(), "root");
    let end = machine.event("end", &[("ELEVATE_USER", "fleur")]);
    assert!(end.is("ELEVATE_STATUS", "exit 0"), "{end:?}");
    let id = end.request();

    let execs = machine.events(&[("ELEVATE_REQUEST", &id), ("ELEVATE_EVENT", "exec")]);
    let arguments = execs.iter().filter_map(|exec| exec.get("ELEVATE_ARGV"));
    let arguments: Vec<_> = arguments.collect();
    for wanted in ["id -un", "/bin/true one", "/bin/true two"] {
        let found = arguments.iter().any(|line| line.contains(wanted));
        assert!(found, "{wanted}: {arguments:?}");
    }
    let recording = machine.read(&format!("/var/log/elevate/sessions/{id}.cast.zst"));
    let recording = String::from_utf8(zstd::decode_all(&recording[..]).unwrap()).unwrap();
    let events = recording.lines().skip(1);
    let events = events.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let shown = events.filter(|event| event[1] == "o");
    let shown: String = shown
        .filter_map(|event| event[2].as_str().map(str::to_owned))
        .collect();
    assert_eq!(shown, "root\r\n", "{recording}");
}

#[test]
fn nothing_outlives_its_time_on_this_kernel_either() {
    let machine = MACHINE.get();
    let flo = member(&machine, "flo", "free");
    machine.write("/usr/local/bin/stay", STAY, 0o755);
    let output = flo.run("elevate --for 20s stay; exit $?");
    assert_eq!(output.status, 128 + 9, "{output:?}");
    assert_eq!(output.text(), "two sleep");
    assert_eq!(machine.processes("sleep 7100"), 0);
    let end = machine.event("end", &[("ELEVATE_USER", "flo")]);
    assert!(end.is("ELEVATE_OUTCOME", "deadline"), "{end:?}");
    let scope = format!(
        "/sys/fs/cgroup/elevate.slice/elevate-{}.scope",
        end.request()
    );
    assert!(!machine.has(&scope));
}

/// One that leaves for a session of its own, and one that is deaf to hang-ups. Looked at from within,
/// since a slow machine may take longer than their time to look.
const STAY: &str = r#"#!/bin/sh
setsid sleep 7100 &
nohup sleep 7100 >/dev/null 2>&1 &
until [ "$(pgrep --count --full --exact 'sleep 7100')" = 2 ]; do :; done
echo two sleep
wait
"#;
