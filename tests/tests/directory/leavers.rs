//! Scenario: an administrator disables somebody in the directory.

use std::time::{Duration, Instant};

use elevate_tests::Machine;

use crate::{AT_ONCE, MACHINE, PATIENCE, is_known, machine, until_known, until_unknown};

fn processes_of(machine: &Machine, uid: u32) -> String {
    let uid = uid.to_string();
    // Status 1 is "none".
    machine.run(&["pgrep", "-l", "-u", &uid]).text()
}

/// What `elevatectl ... list --json` holds that is still under way.
fn waiting_or_live(machine: &Machine, noun: &[&str]) -> usize {
    let argv = [&["elevatectl"], noun, &["--json"]].concat();
    let text = machine.run(&argv).success().text();
    let all: serde_json::Value = serde_json::from_str(&text).expect("a listing is JSON");
    let over = ["ended", "withdrawn", "denied", "timed-out", "changed"];
    let all = all.as_array().expect("a listing is an array").iter();
    all.filter(|one| !over.contains(&one["state"].as_str().unwrap_or_default()))
        .count()
}

#[test]
fn a_leaver_loses_login_session_grant_request_and_memberships_within_two_seconds() {
    let machine = machine("leaver");
    let login = machine.login("alice");
    let session = login.command("elevate sleep 1000").start();
    machine.event("start", &[("ELEVATE_USER", "alice")]);
    let request = login.command("elevate /usr/bin/true").start();
    let waiting = [("ELEVATE_USER", "alice"), ("ELEVATE_OUTCOME", "waiting")];
    machine.event("request", &waiting);
    let hidden = login.run("setsid nohup sleep 1000 >/dev/null 2>&1 & echo begun");
    assert_eq!(hidden.success().text(), "begun");

    let begun = Instant::now();
    machine.directory_server().disable("alice");
    let gone = || {
        let gone = login.ended()
            && session.ended()
            && request.ended()
            && !is_known(&machine, "alice")
            && processes_of(&machine, 5001).is_empty();
        gone.then(|| begun.elapsed())
    };
    let took = machine.poll("nothing of alice is left", PATIENCE, gone);
    assert!(took < AT_ONCE, "it took {took:?}");
    assert_eq!(waiting_or_live(&machine, &["requests"]), 0);
    assert_eq!(waiting_or_live(&machine, &["sessions", "list"]), 0);
    assert_eq!(waiting_or_live(&machine, &["grants", "list"]), 0);
    let group = machine.run(&["getent", "group", "dba"]).text();
    assert!(!group.contains("alice"), "{group}");
    let left = machine.run(&["sh", "-c", "ls /run/userdb | grep -i alice"]);
    assert_eq!(left.text(), "");
    assert_eq!(machine.processes("sleep 1000"), 0);

    let event = machine.event("leave", &[("ELEVATE_USER", "alice")]);
    assert!(event.is("ELEVATE_UID", "5001"), "{event:?}");
    let refusal = machine
        .ssh("alice")
        .option("PasswordAuthentication=no")
        .refused(&[]);
    assert_eq!(refusal.status, 255);
    let by_key = machine.run(&["userdbctl", "ssh-authorized-keys", "alice"]);
    assert!(by_key.status != 0, "{}", by_key.describe());
}

#[test]
fn whoever_comes_back_begins_anew() {
    let machine = MACHINE.get();
    let server = machine.directory_server();
    server.person("returner", "dba", &[]);
    until_known(&machine, "returner");
    let login = machine.login("returner");
    server.disable("returner");
    login.wait_until_ended(AT_ONCE + AT_ONCE);
    until_unknown(&machine, "returner");
    server.enable("returner");
    until_known(&machine, "returner");
    let login = machine.login("returner");
    login.run("elevate id").success();
}

#[test]
fn who_is_deleted_or_loses_the_last_role_leaves_too() {
    let machine = MACHINE.get();
    let server = machine.directory_server();
    for (name, leave) in [("deleted", 0), ("demoted", 1)] {
        server.person(name, "dba", &[]);
        until_known(&machine, name);
        let login = machine.login(name);
        match leave {
            0 => server.delete(&server.person_dn(name)),
            _ => server.replace(name, "department", &["nowhere"]),
        }
        login.wait_until_ended(AT_ONCE + AT_ONCE);
        until_unknown(&machine, name);
        machine.event("leave", &[("ELEVATE_USER", name)]);
    }
}

#[test]
fn others_are_untouched_by_somebodys_leaving() {
    let machine = MACHINE.get();
    let server = machine.directory_server();
    server.person("goer", "dba", &[]);
    server.person("stayer", "dba", &[]);
    until_known(&machine, "goer");
    until_known(&machine, "stayer");
    let (goer, stayer) = (machine.login("goer"), machine.login("stayer"));
    let session = stayer.command("elevate sleep 1001").start();
    machine.event("start", &[("ELEVATE_USER", "stayer")]);
    server.disable("goer");
    goer.wait_until_ended(AT_ONCE + AT_ONCE);
    assert!(!session.ended() && !stayer.ended());
    assert_eq!(stayer.run("id -un").success().text(), "stayer");
}

#[test]
fn somebody_who_left_while_the_daemon_was_down_is_ended_when_it_is_back() {
    let machine = machine("leaver-late");
    let login = machine.login("alice");
    let sockets = ["elevate-login.socket", "elevate-directory.socket"];
    let stop = [&["systemctl", "stop", "elevated"], &sockets[..]].concat();
    machine.run(&stop).success();
    machine.directory_server().disable("alice");
    assert_eq!(login.run("echo still here").success().text(), "still here");
    let start = [&["systemctl", "start"], &sockets[..], &["elevated"]].concat();
    machine.run(&start).success();
    // elevate-directory tries again within its longest pause.
    login.wait_until_ended(Duration::from_secs(45));
    until_unknown(&machine, "alice");
}
