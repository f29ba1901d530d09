//! The end of a session: everything that it started is gone, on time, whoever was killed before.

use std::time::{Duration, Instant};

use elevate_tests::{Login, Machine, Running, SharedMachine, Spec};
use serde_json::Value;

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[rule.anything]
roles = ["operator"]
run_as = "ALL"
commands = ["ALL"]
require = {}
"#;

/// How late the last process of a tree may go. It takes tens of milliseconds; a busy machine of a
/// test takes longer.
const LATE: Duration = Duration::from_secs(1);

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("ending").prepared(prepare));

fn prepare(machine: &Machine) {
    machine.policy("test", POLICY);
}

fn operator<'m>(machine: &'m Machine, name: &str) -> Login<'m> {
    machine.member(name, &["operator"]);
    machine.login(name)
}

/// A session that runs, and what to find its processes by.
struct Session {
    client: Running,
    id: String,
    leader: u32,
    begun: Instant,
}

/// Starts a session whose processes all sleep this unusual number of seconds, and waits until there
/// are so many of them.
fn session(login: &Login<'_>, line: &str, sleep: &str, processes: usize) -> Session {
    let machine = login.machine();
    let begun = Instant::now();
    let client = login.command(line).start();
    let start = machine.event("start", &[("ELEVATE_USER", login.user())]);
    machine.poll("the processes", Duration::from_secs(20), || {
        (machine.processes(sleep) == processes).then_some(())
    });
    Session {
        client,
        id: start.request(),
        leader: start.get("ELEVATE_LEADER").unwrap().parse().unwrap(),
        begun,
    }
}

/// Waits until no process of a session is left; when that was.
#[track_caller]
fn gone(machine: &Machine, sleep: &str, timeout: Duration) -> Instant {
    machine.poll("all of it to be gone", timeout, || {
        (machine.processes(sleep) == 0).then(Instant::now)
    })
}

fn scope(id: &str) -> String {
    format!("/sys/fs/cgroup/elevate.slice/elevate-{id}.scope")
}

/// Three that try to stay: one in a session of its own, one deaf to hang-ups, one that is waited for.
fn stubborn(seconds: &str) -> String {
    format!(
        "sh -c 'setsid sleep {seconds} & nohup sleep {seconds} >/dev/null 2>&1 & sleep {seconds}'"
    )
}

#[test]
fn everything_is_gone_when_the_time_is_over() {
    let machine = MACHINE.get();
    let al = operator(&machine, "al");
    let line = format!("elevate --for 5s {}; exit $?", stubborn("7001"));
    let session = session(&al, &line, "sleep 7001", 3);
    assert!(machine.has(&scope(&session.id)));
    let over = gone(&machine, "sleep 7001", Duration::from_secs(20));
    let lasted = over - session.begun;
    assert!(
        lasted > Duration::from_millis(4900),
        "too early: {lasted:?}"
    );
    assert!(
        lasted < Duration::from_secs(5) + LATE,
        "too late: {lasted:?}"
    );
    assert!(!machine.has(&scope(&session.id)));

    let output = session.client.wait();
    assert_eq!(output.status, 128 + 9, "{output:?}");
    assert!(
        output
            .errors()
            .contains("the grant ended: its time was over"),
        "{output:?}"
    );
    let end = machine.event("end", &[("ELEVATE_REQUEST", &session.id)]);
    assert!(end.is("ELEVATE_OUTCOME", "deadline"), "{end:?}");
}

#[test]
fn daemons_die_with_the_command_that_started_them() {
    let machine = MACHINE.get();
    let dora = operator(&machine, "dora");
    machine.write("/usr/local/bin/daemonize", DAEMONIZE, 0o755);
    let output =
        dora.run("elevate sh -c 'daemonize 7002; nohup sleep 7002 >/dev/null 2>&1 & exit 4'");
    assert_eq!(output.status, 4, "{output:?}");
    // Gone before the client is.
    assert_eq!(machine.processes("sleep 7002"), 0);
}

/// Forks twice, in a session of its own, as daemons do, and says when the daemon runs.
const DAEMONIZE: &str = r#"#!/usr/bin/python3
import os, sys
ready, running = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.set_inheritable(running, False)
        os.execvp("sleep", ["sleep", sys.argv[1]])
    os._exit(0)
os.wait()
os.close(running)
os.read(ready, 1)
"#;

#[test]
fn a_chain_of_forks_that_orphans_itself_is_gone_when_the_time_is_over() {
    let machine = MACHINE.get();
    let fox = operator(&machine, "fox");
    machine.write("/usr/local/bin/chain", CHAIN, 0o755);
    let begun = Instant::now();
    let client = fox.command("elevate --for 3s chain").start();
    let start = machine.event("start", &[("ELEVATE_USER", "fox")]);
    let scope = scope(&start.request());
    let pids = format!("{scope}/cgroup.procs");
    machine.poll("the chains", Duration::from_secs(20), || {
        (machine.run(&["cat", &pids]).text().lines().count() >= 20).then_some(())
    });
    machine.poll("the scope to be gone", Duration::from_secs(20), || {
        (!machine.has(&scope)).then_some(())
    });
    let lasted = begun.elapsed();
    assert!(
        lasted > Duration::from_millis(2900),
        "too early: {lasted:?}"
    );
    assert!(
        lasted < Duration::from_secs(3) + LATE,
        "too late: {lasted:?}"
    );
    assert_eq!(machine.processes(".*python3 .*/chain"), 0);
    client.wait();
}

/// Twenty chains: each process forks its successor and goes.
const CHAIN: &str = r#"#!/usr/bin/python3
import os, signal, time
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        for name in ("HUP", "INT", "TERM"):
            signal.signal(getattr(signal, "SIG" + name), signal.SIG_IGN)
        while True:
            if os.fork():
                os._exit(0)
            time.sleep(0.002)
time.sleep(7003)
"#;

#[test]
fn a_session_whose_leader_is_killed_is_gone_at_once() {
    let machine = MACHINE.get();
    let leo = operator(&machine, "leo");
    let session = session(
        &leo,
        &format!("elevate {}", stubborn("7004")),
        "sleep 7004",
        3,
    );
    machine.signal(session.leader, "KILL");
    let killed = Instant::now();
    let over = gone(&machine, "sleep 7004", Duration::from_secs(20));
    assert!(over - killed < LATE, "{:?}", over - killed);
    let output = session.client.wait().status(1);
    assert!(
        output.errors().contains("supervisor went away"),
        "{output:?}"
    );
    let end = machine.event("end", &[("ELEVATE_REQUEST", &session.id)]);
    assert!(end.is("ELEVATE_OUTCOME", "leader-gone"), "{end:?}");
}

#[test]
fn a_session_whose_grant_is_revoked_is_gone_at_once() {
    let machine = MACHINE.get();
    let rob = operator(&machine, "rob");
    let session = session(
        &rob,
        &format!("elevate {}", stubborn("7005")),
        "sleep 7005",
        3,
    );
    let other = operator(&machine, "rio");
    let revoke = format!(
        "elevatectl grants revoke --reason 'enough of it' {}",
        session.id
    );
    other.run(&revoke).status(1);
    assert_eq!(machine.processes("sleep 7005"), 3);

    let root = machine.login("root");
    let asked = Instant::now();
    root.run(&revoke).success();
    let over = gone(&machine, "sleep 7005", Duration::from_secs(20));
    assert!(over - asked < LATE, "{:?}", over - asked);
    let output = session.client.wait();
    assert!(
        output.errors().contains("the grant ended: root revoked it"),
        "{output:?}"
    );
    let revoked = machine.event("revoke", &[("ELEVATE_REQUEST", &session.id)]);
    assert!(revoked.is("ELEVATE_REASON", "enough of it"), "{revoked:?}");
    let end = machine.event("end", &[("ELEVATE_REQUEST", &session.id)]);
    assert!(end.is("ELEVATE_OUTCOME", "revoked"), "{end:?}");
    rob.run(&revoke).status(1);
}

#[test]
fn one_ends_ones_own_grant() {
    let machine = MACHINE.get();
    let owen = operator(&machine, "owen");
    let session = session(&owen, "elevate sleep 7006", "sleep 7006", 1);
    owen.run(&format!("elevatectl grants revoke {}", session.id))
        .success();
    gone(&machine, "sleep 7006", Duration::from_secs(20));
    session.client.wait();
    let grants = owen.run("elevatectl grants list --all --json").success();
    let grants: Value = serde_json::from_slice(&grants.stdout).unwrap();
    assert_eq!(grants[0]["state"], "ended");
    assert_eq!(grants[0]["end_reason"], "revoked");
}

#[test]
fn a_session_ends_with_its_client() {
    let machine = MACHINE.get();
    let cleo = operator(&machine, "cleo");
    let session = session(
        &cleo,
        &format!("elevate {}", stubborn("7007")),
        "sleep 7007",
        3,
    );
    machine
        .run(&["pkill", "-KILL", "-u", "cleo", "-x", "elevate"])
        .success();
    gone(&machine, "sleep 7007", Duration::from_secs(20));
    let end = machine.event("end", &[("ELEVATE_REQUEST", &session.id)]);
    assert!(end.is("ELEVATE_OUTCOME", "client-gone"), "{end:?}");
    assert!(!machine.has(&scope(&session.id)));
}

#[test]
fn a_session_ends_with_the_window_that_it_was_in() {
    let machine = MACHINE.get();
    let wanda = operator(&machine, "wanda");
    let terminal = wanda.terminal("elevate sh -c 'setsid sleep 7008 & sleep 7008'");
    let start = machine.event("start", &[("ELEVATE_USER", "wanda")]);
    machine.poll("the processes", Duration::from_secs(20), || {
        (machine.processes("sleep 7008") == 2).then_some(())
    });
    terminal.close();
    gone(&machine, "sleep 7008", Duration::from_secs(20));
    machine.event("end", &[("ELEVATE_REQUEST", &start.request())]);
}

#[test]
fn what_was_written_before_the_end_arrives() {
    let machine = MACHINE.get();
    let lars = operator(&machine, "lars");
    let line = "elevate --for 2s sh -c 'seq 20000; sleep 7009'; exit $?";
    let output = lars.run(line);
    assert_eq!(output.status, 128 + 9);
    assert_eq!(output.text().lines().count(), 20000);
}

#[test]
fn sessions_of_others_go_on() {
    let machine = MACHINE.get();
    let (one, two) = (operator(&machine, "ono"), operator(&machine, "twyla"));
    let stays = session(&one, "elevate sleep 7010", "sleep 7010", 1);
    let goes = session(&two, "elevate sleep 7011", "sleep 7011", 1);
    machine.signal(goes.leader, "KILL");
    gone(&machine, "sleep 7011", Duration::from_secs(20));
    goes.client.wait();
    assert_eq!(machine.processes("sleep 7010"), 1);
    one.run(&format!("elevatectl grants revoke {}", stays.id))
        .success();
    stays.client.wait();
}
