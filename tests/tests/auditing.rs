//! What an auditor does with sessions: list, show, play, search, follow, end and export them.

use std::time::Duration;

use elevate_tests::{Login, Machine, SharedMachine, Spec};
use serde_json::Value;

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.auditor]
members = ["%auditor"]
may = ["audit"]

[rule.anything]
roles = ["operator"]
run_as = "root"
commands = ["ALL"]
require = {}
"#;

const PATIENCE: Duration = Duration::from_secs(30);

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("auditing").prepared(prepare));

fn prepare(machine: &Machine) {
    for group in ["operator", "auditor"] {
        machine.run(&["groupadd", "--force", group]).success();
    }
    machine.policy("test", POLICY);
}

fn member<'m>(machine: &'m Machine, name: &str, groups: &[&str]) -> Login<'m> {
    machine.member(name, groups);
    machine.login(name)
}

/// Runs a line that makes one session, waits for its end to be on record, and names the session.
fn session(login: &Login<'_>, line: &str) -> String {
    login.run(line);
    ended(login)
}

fn ended(login: &Login<'_>) -> String {
    let user = [("ELEVATE_USER", login.user())];
    login.machine().event("end", &user).request()
}

fn json(login: &Login<'_>, line: &str) -> Value {
    serde_json::from_slice(&login.run(line).success().stdout).expect("JSON")
}

#[test]
fn a_session_is_shown_with_every_command_that_it_ran() {
    let machine = &MACHINE.get();
    let ola = member(machine, "ola", &["operator"]);
    let anna = member(machine, "anna", &["auditor"]);
    let script = "cd /tmp; /nowhere/to/be/found; /bin/echo one two; exit 3";
    let line = format!("elevate --reason 'to see' bash -c '{script}'");
    let id = session(&ola, &line);

    let shown = json(&anna, &format!("elevatectl sessions show {id} --json"));
    assert_eq!(shown["user"], "ola");
    assert_eq!(shown["target"], "root");
    assert_eq!(shown["rule"], "anything");
    assert_eq!(shown["reason"], "to see");
    assert_eq!(shown["outcome"], "exit 3");
    assert_eq!(shown["recording"]["complete"], true);
    let commands = shown["commands"].as_array().unwrap();
    let find = |what: &str| {
        let of = |command: &&Value| command["command"].as_str().unwrap().contains(what);
        commands
            .iter()
            .rfind(of)
            .unwrap_or_else(|| panic!("{what}: {shown:#}"))
    };
    let echo = find("echo one two");
    assert_eq!(echo["cwd"], "/tmp");
    assert_eq!(echo["uid"], 0);
    assert_eq!(echo["failed"], false);
    let bash = find("to/be/found; /bin/echo");
    assert_eq!(echo["ppid"], bash["pid"], "{shown:#}");

    let text = anna
        .run(&format!("elevatectl sessions show {id}"))
        .success()
        .text();
    for wanted in ["ola (uid ", "to see", "exit 3", "\tran\t/tmp\t"] {
        assert!(text.contains(wanted), "{wanted:?} in {text}");
    }
    let all = json(
        &anna,
        "elevatectl sessions list --recordings --user ola --json",
    );
    assert_eq!(all[0]["id"], id.as_str());
    assert_eq!(all[0]["complete"], true);
}

#[test]
fn text_is_found_where_it_stood_and_played_from_there() {
    let machine = &MACHINE.get();
    let (sue, sid) = (
        member(machine, "sue", &["operator"]),
        member(machine, "sid", &["operator"]),
    );
    let abel = member(machine, "abel", &["auditor"]);
    // Across the end of a row of 80, in two colours, and long scrolled away in the end.
    let hidden = "printf \"%76s\" \"\"; printf \"nee\\033[31mdle\\033[0m in sue\\n\"; seq 100";
    sue.terminal(&format!("elevate bash -c '{hidden}'")).wait();
    let id = ended(&sue);
    session(&sid, "elevate bash -c 'echo needle in sid'");

    let found = abel
        .run("elevatectl sessions search needle")
        .success()
        .text();
    assert!(found.contains("needle in sue"), "{found}");
    assert!(found.contains("needle in sid"), "{found}");
    let of_sue = abel.run("elevatectl sessions search --regex 'n[e]+dle' --user sue --since 1h");
    let of_sue = of_sue.success().text();
    let lines: Vec<_> = of_sue.lines().collect();
    assert_eq!(lines.len(), 1, "{of_sue}");
    let fields: Vec<_> = lines[0].split('\t').collect();
    assert_eq!(fields[1..4], ["sue", "root", &*id]);

    let play = format!("elevatectl sessions play {id} --from {}", fields[4]);
    let mut playing = abel.terminal(&play);
    playing.expect("100");
    assert_eq!(playing.wait_within(PATIENCE), 0);
    let none = abel.run("elevatectl sessions search no-such-needle-anywhere");
    assert_eq!(none.success().text(), "");
    machine.event("recording-read", &[("ELEVATE_REQUEST", &id)]);
}

#[test]
fn a_session_is_followed_while_it_runs_and_goes_on_without_its_watcher() {
    let machine = &MACHINE.get();
    let lou = member(machine, "lou", &["operator"]);
    let ada = member(machine, "ada", &["auditor"]);
    let mut terminal = lou.terminal("elevate bash --norc");
    terminal.send("echo be$((40 + 2))gun\n");
    terminal.expect("be42gun");
    let start = machine.event("start", &[("ELEVATE_USER", "lou")]);
    let id = start.get("ELEVATE_REQUEST").unwrap();

    let mut watching = ada.terminal(&format!("elevatectl sessions follow {id}"));
    watching.expect("be42gun");
    terminal.send("echo more$((40 + 3))\n");
    watching.expect("more43");
    watching.send("q");
    assert_eq!(watching.wait_within(PATIENCE), 0);

    let mut watching = ada.terminal(&format!("elevatectl sessions follow {id}"));
    watching.expect("more43");
    terminal.send("exit 7\n");
    assert_eq!(terminal.wait_within(PATIENCE), 7);
    watching.expect("ended after .* with status 7");
    assert_eq!(watching.wait_within(PATIENCE), 0);
    let watch = [("ELEVATE_REQUEST", &*id), ("ELEVATE_WATCHER", "ada")];
    machine.event("watch", &watch);
}

#[test]
fn a_session_is_killed_and_its_recording_exported() {
    let machine = &MACHINE.get();
    let kit = member(machine, "kit", &["operator"]);
    let alf = member(machine, "alf", &["auditor"]);
    let mut terminal = kit.terminal("elevate bash -c 'echo begun; sleep 300'");
    terminal.expect("begun");
    let start = machine.event("start", &[("ELEVATE_USER", "kit")]);
    let id = start.get("ELEVATE_REQUEST").unwrap();
    kit.run(&format!(
        "elevatectl sessions kill {id} --reason 'seen enough'"
    ))
    .success();
    terminal.wait_within(PATIENCE);
    let end = machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    assert!(end.is("ELEVATE_OUTCOME", "revoked"), "{end:?}");

    let exported = alf
        .run(&format!("elevatectl sessions export {id}"))
        .success();
    let packed = machine.read(&format!("/var/log/elevate/sessions/{id}.cast.zst"));
    assert_eq!(exported.stdout, zstd::decode_all(&packed[..]).unwrap());
    let shown = json(&alf, &format!("elevatectl sessions show {id} --json"));
    assert!(
        shown["outcome"].as_str().unwrap().starts_with("revoked"),
        "{shown:#}"
    );
}

#[test]
fn nothing_in_a_recording_steers_the_terminal_of_whoever_reads_it() {
    let machine = &MACHINE.get();
    let eve = member(machine, "evie", &["operator"]);
    let amy = member(machine, "amy", &["auditor"]);
    // The clipboard, a title, a device query, a hyperlink, a mouse mode, and a turned line.
    let hostile = "be\\033]52;c;ZXZpbA==\\007\\033]0;pwned\\007\\033[6n\\033]8;;http://evil\\007\
                   \\033[?1003h\\342\\200\\256gun";
    eve.terminal(&format!(
        "elevate bash -c 'printf \"{hostile}\\n\"; sleep 1; exit 0'"
    ))
    .wait();
    let id = ended(&eve);
    let packed = machine.read(&format!("/var/log/elevate/sessions/{id}.cast.zst"));
    let recorded = String::from_utf8(zstd::decode_all(&packed[..]).unwrap()).unwrap();
    assert!(recorded.contains("pwned"), "{recorded}");
    for line in [
        format!("elevatectl sessions play --speed 10 {id}"),
        format!("elevatectl sessions play --dump {id}"),
        "elevatectl sessions search --user evie gun".to_owned(),
        format!("elevatectl sessions show {id}"),
    ] {
        let mut terminal = amy.terminal(&line);
        assert_eq!(terminal.wait_within(PATIENCE), 0, "{line}");
        let seen = terminal.screen();
        assert!(seen.contains("gun"), "{line}: {seen:?}");
        for steering in ["\x1b]", "\x1b[6n", "\x1b[?1003h", "\x07", "\u{202e}"] {
            assert!(!seen.contains(steering), "{line}: {seen:?}");
        }
    }
}
