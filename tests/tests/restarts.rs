//! Parts of Elevate are killed or restarted while requests wait and sessions run. Each test has a
//! machine of its own.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use elevate_tests::{DEBS_VARIABLE, Entry, Login, Machine, MachineInTest, Running, Spec, Voter};
use serde_json::Value;

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.lead]
members = ["%lead"]

[rule.anything]
roles = ["operator"]
run_as = "ALL"
commands = ["/usr/bin/sh ...", "/usr/bin/sleep ..."]
require = {}

[rule.short]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/nice ..."]
require = {}
limit = { default = "1s", max = "5s" }

[rule.asked]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/touch ..."]
require = { approvals = 2, approvers = ["role:lead"] }
"#;

const DAEMON: &str = "elevated.service";
const LAUNCHER: &str = "elevate-launcher.service";
const PATIENCE: Duration = Duration::from_secs(20);
const LATE: Duration = Duration::from_secs(1);

/// Makes a machine for one test, named after it.
#[track_caller]
fn machine(name: &str) -> MachineInTest {
    MachineInTest::alone(Spec::new(name).prepared(|machine| machine.policy("test", POLICY)))
}

fn member<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    machine.member(name, &[group]);
    machine.login(name)
}

fn lead<'m>(machine: &'m Machine, name: &str) -> Voter<'m> {
    machine.member(name, &["lead"]);
    machine.voter(name)
}

/// Kills a service's main process and waits for its successor.
fn kill(machine: &Machine, unit: &str) {
    let pid = machine.main_pid(unit).expect(unit);
    machine.signal(pid, "KILL");
    machine.poll(&format!("another {unit}"), PATIENCE, || {
        let active = machine.run(&["systemctl", "is-active", unit]).status == 0;
        let other = machine.main_pid(unit).is_some_and(|new| new != pid);
        (active && other).then_some(())
    });
}

fn restart(machine: &Machine, unit: &str) {
    machine.run(&["systemctl", "restart", unit]).success();
}

/// Installs the package anew, as an upgrade does: daemon and launcher are others afterwards.
fn upgrade(machine: &Machine, unit: &str) {
    let before = machine.main_pid(unit).expect(unit);
    let debs = std::env::var_os(DEBS_VARIABLE).expect("the packages under test");
    let is_ours = |deb: &PathBuf| {
        let name = deb.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("elevate_")
    };
    let deb = std::env::split_paths(&debs)
        .find(is_ours)
        .expect("our package");
    machine.write("/root/elevate.deb", std::fs::read(deb).unwrap(), 0o644);
    machine
        .run(&["dpkg", "--install", "/root/elevate.deb"])
        .success();
    machine.poll(&format!("another {unit}"), PATIENCE, || {
        let other = machine.main_pid(unit).is_some_and(|new| new != before);
        other.then_some(())
    });
}

type Interruption = fn(&Machine, &str);
const INTERRUPTIONS: [(&str, Interruption); 3] = [
    ("restarted", restart),
    ("killed", kill),
    ("upgraded", upgrade),
];

#[test]
fn a_request_waits_on_and_every_vote_counts() {
    let machine = machine("restart-waiting");
    let (one, two) = (lead(&machine, "lea"), lead(&machine, "lee"));
    for (name, interrupt) in INTERRUPTIONS {
        let asker = member(&machine, &format!("asker-{name}"), "operator");
        let marker = format!("/root/{name}");
        let asking = asker.command(&format!("elevate touch {marker}")).start();
        let user = [("ELEVATE_USER", asker.user())];
        let request = machine.event("request", &user).request();

        interrupt(&machine, DAEMON);
        one.approve(&request).success();
        interrupt(&machine, DAEMON);
        assert!(!asking.ended(), "{name}: {}", asking.stderr_so_far());
        assert!(!machine.has(&marker), "{name}");
        two.approve(&request).success();
        asking.wait().success();
        assert!(machine.has(&marker), "{name}");
        let grant = machine.event("grant", &[("ELEVATE_REQUEST", &request)]);
        assert!(grant.is("ELEVATE_APPROVER", "lea lee"), "{grant:?}");
    }
}

#[test]
fn a_client_that_leaves_during_a_restart_takes_its_request_along() {
    let machine = machine("restart-leaving");
    let (ann, bob) = (member(&machine, "ann", "operator"), lead(&machine, "bob"));
    let asking = ann.command("elevate touch /root/ann").start();
    let request = machine
        .event("request", &[("ELEVATE_USER", "ann")])
        .request();
    let pid = machine.main_pid(DAEMON).expect("elevated runs");
    machine.signal(pid, "STOP");
    machine
        .run(&["pkill", "-KILL", "-u", "ann", "-x", "elevate"])
        .success();
    machine.signal(pid, "KILL");
    asking.wait();
    machine.event("withdrawal", &[("ELEVATE_REQUEST", &request)]);
    bob.approve(&request).status(1);
    assert!(!machine.has("/root/ann"));
}

/// Starts a session, and comes back with its start event.
fn session(login: &Login<'_>, line: &str) -> (Running, Entry) {
    let running = login.command(line).start();
    let start = login
        .machine()
        .event("start", &[("ELEVATE_USER", login.user())]);
    (running, start)
}

fn listed(machine: &Machine, id: &str) -> Value {
    let list = machine
        .run(&["elevatectl", "sessions", "list", "--all", "--json"])
        .success();
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let found = list.as_array().unwrap().iter().find(|s| s["id"] == id);
    found.unwrap_or_else(|| panic!("{id} in {list:#}")).clone()
}

#[test]
fn a_session_runs_on_is_listed_recorded_and_can_be_revoked() {
    let machine = machine("restart-running");
    for (name, interrupt) in INTERRUPTIONS {
        for unit in [DAEMON, LAUNCHER] {
            let part = unit.split('.').next().unwrap();
            let user = member(&machine, &format!("{name}-{part}"), "operator");
            let script = "echo ready; while read word; do /bin/echo got $word; done; sleep 7101";
            let mut terminal = user.terminal(&format!("elevate sh -c '{script}'"));
            terminal.expect("ready");
            let start = machine.event("start", &[("ELEVATE_USER", user.user())]);
            let id = start.request();

            interrupt(&machine, unit);
            terminal.send("apple\n");
            terminal.expect("got apple");
            let session = listed(&machine, &id);
            assert_eq!(session["state"], "running", "{session}");
            assert_eq!(
                session["pid"].to_string(),
                start.get("ELEVATE_PID").unwrap()
            );
            let exec = [
                ("ELEVATE_REQUEST", id.as_str()),
                ("ELEVATE_ARGV", "/bin/echo got apple"),
            ];
            machine.event("exec", &exec);

            user.run(&format!("elevatectl grants revoke {id}"))
                .success();
            terminal.expect("the grant ended: .* revoked it");
            terminal.wait();
            let end = machine.event("end", &[("ELEVATE_REQUEST", &id)]);
            assert!(end.is("ELEVATE_OUTCOME", "revoked"), "{end:?}");
            assert_eq!(listed(&machine, &id)["state"], "ended");
            let play = format!("elevatectl sessions play --dump {id}");
            let played = machine.login("root").run(&play);
            assert!(played.success().text().contains("got apple"));
        }
    }
}

#[test]
fn a_session_that_ends_while_the_daemon_is_away_is_on_record_with_its_status() {
    let machine = machine("restart-ended");
    let kim = member(&machine, "kim", "operator");
    let script = "until test -e /tmp/sign; do sleep 0.05; done; /bin/true last; exit 6";
    let (running, start) = session(&kim, &format!("elevate sh -c '{script}'"));
    let pid = machine.main_pid(DAEMON).expect("elevated runs");
    machine.signal(pid, "STOP");
    machine.write("/tmp/sign", "", 0o644);
    machine.poll("the command's end", PATIENCE, || {
        let scope = format!(
            "/sys/fs/cgroup/elevate.slice/elevate-{}.scope",
            start.request()
        );
        (!machine.has(&scope)).then_some(())
    });
    machine.signal(pid, "KILL");
    running.wait().status(6);
    let id = start.request();
    let end = machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    assert!(end.is("ELEVATE_OUTCOME", "finished"), "{end:?}");
    assert!(end.is("ELEVATE_STATUS", "exit 6"), "{end:?}");
    let exec = [
        ("ELEVATE_REQUEST", id.as_str()),
        ("ELEVATE_ARGV", "/bin/true last"),
    ];
    machine.event("exec", &exec);
}

/// Three that try to stay.
fn stubborn(seconds: &str) -> String {
    format!(
        "sh -c 'setsid sleep {seconds} & nohup sleep {seconds} >/dev/null 2>&1 & sleep {seconds}'"
    )
}

fn wait_for_three(machine: &Machine, line: &str) {
    machine.poll("three processes", PATIENCE, || {
        (machine.processes(line) == 3).then_some(())
    });
}

fn gone(machine: &Machine, line: &str) -> Instant {
    machine.poll("all of it to be gone", PATIENCE, || {
        (machine.processes(line) == 0).then(Instant::now)
    })
}

#[test]
fn the_time_is_kept_though_daemon_and_launcher_were_killed() {
    let machine = machine("restart-deadline");
    let al = member(&machine, "al", "operator");
    let begun = Instant::now();
    let (running, start) = session(
        &al,
        &format!("elevate --for 5s {}; exit $?", stubborn("7102")),
    );
    wait_for_three(&machine, "sleep 7102");
    kill(&machine, DAEMON);
    kill(&machine, LAUNCHER);
    assert_eq!(machine.processes("sleep 7102"), 3);
    let lasted = gone(&machine, "sleep 7102") - begun;
    assert!(lasted > Duration::from_millis(4900), "{lasted:?}");
    assert!(lasted < Duration::from_secs(5) + LATE, "{lasted:?}");
    running.wait().status(128 + 9);
    let end = machine.event("end", &[("ELEVATE_REQUEST", &start.request())]);
    assert!(end.is("ELEVATE_OUTCOME", "deadline"), "{end:?}");
}

#[test]
fn the_time_is_kept_though_daemon_and_launcher_never_come_back() {
    let machine = machine("restart-never");
    let ed = member(&machine, "ed", "operator");
    let begun = Instant::now();
    let line = format!("elevate --for 5s {}; exit $?", stubborn("7103"));
    let (running, _) = session(&ed, &line);
    wait_for_three(&machine, "sleep 7103");
    never_come_back(&machine);
    let lasted = gone(&machine, "sleep 7103") - begun;
    assert!(lasted > Duration::from_millis(4900), "{lasted:?}");
    assert!(lasted < Duration::from_secs(5) + LATE, "{lasted:?}");
    running.wait().status(128 + 9);
}

#[test]
fn a_session_that_nobody_can_revoke_or_record_any_more_is_gone_at_once() {
    let machine = machine("restart-stop");
    let ute = member(&machine, "ute", "operator");
    let (running, _) = session(&ute, &format!("elevate {}", stubborn("7107")));
    wait_for_three(&machine, "sleep 7107");
    machine.run(&["systemctl", "stop", DAEMON]).success();
    let stopped = Instant::now();
    let over = gone(&machine, "sleep 7107");
    assert!(over - stopped < LATE, "{:?}", over - stopped);
    let output = running.wait();
    assert!(output.errors().contains("elevated stopped"), "{output:?}");
}

#[test]
fn the_service_manager_ends_what_nobody_else_is_left_to_end() {
    let machine = machine("restart-nobody");
    let noa = member(&machine, "noa", "operator");
    let begun = Instant::now();
    let line = format!("elevate --for 5s nice {}", stubborn("7106"));
    let (running, start) = session(&noa, &line);
    wait_for_three(&machine, "sleep 7106");
    let leader = start.get("ELEVATE_LEADER").unwrap();
    machine.signal(leader.parse().unwrap(), "STOP");
    never_come_back(&machine);
    assert_eq!(machine.processes("sleep 7106"), 3);
    let lasted = gone(&machine, "sleep 7106") - begun;
    assert!(lasted > Duration::from_millis(4900), "{lasted:?}");
    // Two seconds more than the rule's longest, so that it never comes before the leader.
    assert!(lasted < Duration::from_secs(7) + LATE, "{lasted:?}");
    machine.signal(leader.parse().unwrap(), "CONT");
    running.wait();
}

/// Kills daemon and launcher, whose programs are gone by then: systemd starts them in vain.
fn never_come_back(machine: &Machine) {
    let programs =
        ["elevated", "elevate-launcher"].map(|name| format!("/usr/libexec/elevate/{name}"));
    machine.run(&["rm", &programs[0], &programs[1]]).success();
    let pids = [DAEMON, LAUNCHER].map(|unit| machine.main_pid(unit).expect(unit).to_string());
    machine
        .run(&["kill", "-KILL", &pids[0], &pids[1]])
        .success();
}

#[test]
fn a_leader_killed_while_the_launcher_was_away_takes_its_session_along_at_once() {
    let machine = machine("restart-leader");
    let lu = member(&machine, "lu", "operator");
    let (running, start) = session(&lu, &format!("elevate {}", stubborn("7104")));
    wait_for_three(&machine, "sleep 7104");
    kill(&machine, LAUNCHER);
    machine.signal(
        start.get("ELEVATE_LEADER").unwrap().parse().unwrap(),
        "KILL",
    );
    let killed = Instant::now();
    let over = gone(&machine, "sleep 7104");
    assert!(over - killed < LATE, "{:?}", over - killed);
    running.wait().status(1);
}

#[test]
fn daemon_launcher_and_leader_all_killed_leave_nothing() {
    let machine = machine("restart-all");
    let max = member(&machine, "max", "operator");
    let (running, start) = session(&max, &format!("elevate {}", stubborn("7105")));
    wait_for_three(&machine, "sleep 7105");
    let leader = start.get("ELEVATE_LEADER").unwrap();
    let pids = [DAEMON, LAUNCHER].map(|unit| machine.main_pid(unit).expect(unit).to_string());
    machine
        .run(&["kill", "-KILL", &pids[0], &pids[1], &leader])
        .success();
    gone(&machine, "sleep 7105");
    running.wait().status(1);
    let end = machine.event("end", &[("ELEVATE_REQUEST", &start.request())]);
    assert!(end.is("ELEVATE_OUTCOME", "leader-gone"), "{end:?}");
    assert_eq!(listed(&machine, &start.request())["state"], "ended");
    // And the next one is served.
    max.run("elevate sh -c 'exit 3'").status(3);
}

#[test]
fn a_launcher_that_is_killed_is_there_for_the_next_command() {
    let machine = machine("restart-next");
    let nia = member(&machine, "nia", "operator");
    for _ in 0..3 {
        kill(&machine, LAUNCHER);
        nia.run("elevate sh -c 'exit 3'").status(3);
        kill(&machine, DAEMON);
        nia.run("elevate sh -c 'exit 4'").status(4);
    }
}
