//! What was shown, in a recording, and who may read it.

use super::*;

pub(super) const RECORDINGS: &str = "/var/log/elevate/sessions";

/// The recording of a session: its header and its events.
pub(super) fn recording(machine: &Machine, id: &str) -> (Value, Vec<(f64, String, String)>) {
    let compressed = machine.read(&format!("{RECORDINGS}/{id}.cast.zst"));
    let text = zstd::decode_all(&compressed[..]).expect("zstd");
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(text.ends_with('\n'));
    let mut lines = text.lines();
    let header = serde_json::from_str(lines.next().expect("a header")).expect("JSON");
    let events = lines.map(|line| serde_json::from_str(line).expect("an event"));
    (header, events.collect())
}

fn shown(events: &[(f64, String, String)]) -> String {
    let output = events.iter().filter(|(_, code, _)| code == "o");
    output.map(|(_, _, data)| data.as_str()).collect()
}

#[test]
fn a_terminal_is_recorded_as_asciicast_and_played() {
    let machine = MACHINE.get();
    let ria = member(&machine, "ria", "operator");
    let script = "printf \"\\033[31mred\\033[0m \\342\\202\\254\\n\"; \
                  trap \"stty size; exit 3\" WINCH; echo ready; while :; do sleep 0.1; done";
    machine.write(
        "/usr/local/bin/show",
        format!("#!/bin/bash\n{script}\n"),
        0o755,
    );
    let mut terminal = ria.terminal("elevate show");
    terminal.expect("ready\r\n");
    terminal.resize(40, 100);
    terminal.expect("40 100");
    assert_eq!(terminal.wait(), 3);
    let id = ended(&ria);

    let (header, events) = recording(&machine, &id);
    assert_eq!(header["version"], 3);
    assert_eq!(header["term"]["cols"], 80);
    assert_eq!(header["term"]["rows"], 24);
    assert_eq!(header["term"]["type"], "xterm");
    assert_eq!(header["command"], "show");
    let now: u64 = machine.run(&["date", "+%s"]).text().parse().unwrap();
    let begun = header["timestamp"].as_u64().unwrap();
    assert!((now - 60..=now).contains(&begun), "{begun} {now}");
    assert!(events.iter().all(|(interval, ..)| *interval >= 0.0));
    let wanted = "\x1b[31mred\x1b[0m €\r\nready\r\n40 100\r\n";
    assert_eq!(shown(&events), wanted);
    assert!(
        events
            .iter()
            .any(|(_, code, data)| code == "r" && data == "100x40")
    );
    let (_, code, status) = events.last().unwrap();
    assert_eq!((code.as_str(), status.as_str()), ("x", "3"));

    let facts = machine.run(&[
        "stat",
        "-c",
        "%a %U:%G",
        &format!("{RECORDINGS}/{id}.cast.zst"),
    ]);
    assert_eq!(facts.text(), "600 root:root");
    assert_eq!(
        machine.run(&["stat", "-c", "%a %U:%G", RECORDINGS]).text(),
        "700 root:root"
    );

    let auditor = member(&machine, "ina", "auditor");
    let dumped = auditor
        .run(&format!("elevatectl sessions play --dump {id}"))
        .success();
    assert_eq!(dumped.text(), "red €\nready\n40 100");
    let mut playing = auditor.terminal(&format!("elevatectl sessions play --speed 100 {id}"));
    playing.expect("\x1b\\[0;31mred\x1b\\[0m €\r+\nready\r+\n40 100");
    assert_eq!(playing.wait(), 0);
}

#[test]
fn what_goes_into_pipes_is_recorded_and_what_is_typed_unseen_is_not() {
    let machine = MACHINE.get();
    let pat = member(&machine, "pat", "operator");
    let id = session(
        &pat,
        "elevate sh -c 'echo into a pipe; echo aside >&2' 2>aside | cat",
    );
    let (_, events) = recording(&machine, &id);
    let text = shown(&events);
    assert!(text.contains("into a pipe\n"), "{text:?}");
    assert!(text.contains("aside\n"), "{text:?}");

    let sol = member(&machine, "sol", "operator");
    let mut terminal =
        sol.terminal("elevate bash -c 'stty -echo; echo ready; read word; stty echo; echo over'");
    terminal.expect("ready");
    terminal.send("open-sesame\n");
    terminal.expect("over");
    terminal.wait();
    let (_, events) = recording(&machine, &ended(&sol));
    assert!(shown(&events).contains("over"));
    assert!(
        events.iter().all(|(.., data)| !data.contains("sesame")),
        "{events:?}"
    );
}

#[test]
fn a_recording_is_read_by_auditors_and_root_and_every_reading_is_on_record() {
    let machine = MACHINE.get();
    let (own, eve) = (
        member(&machine, "own", "operator"),
        member(&machine, "eve", "operator"),
    );
    let lead = member(&machine, "lew", "lead");
    let id = session(&own, "elevate echo secret");
    let play = format!("elevatectl sessions play --dump {id}");

    for stranger in [&own, &eve, &lead] {
        let refused = stranger.run(&play).status(1);
        assert_eq!(refused.text(), "");
        let missing = stranger
            .run("elevatectl sessions play --dump 00000000")
            .status(1);
        assert_eq!(
            refused.errors(),
            missing.errors(),
            "an answer that tells nothing"
        );
        let fields = [("ELEVATE_USER", stranger.user()), ("ELEVATE_REQUEST", &id)];
        let refusal = machine.event("refusal", &fields);
        assert_fields(&refusal, &[("ELEVATE_OUTCOME", "refused")]);
    }
    let read = [
        ("ELEVATE_EVENT", "recording-read"),
        ("ELEVATE_REQUEST", &id),
    ];
    assert_eq!(machine.events(&read), []);

    let (auditor, root) = (member(&machine, "aud", "auditor"), machine.login("root"));
    for reader in [&auditor, &root] {
        assert_eq!(reader.run(&play).success().text(), "secret");
        let fields = [("ELEVATE_USER", reader.user()), ("ELEVATE_REQUEST", &id)];
        machine.event("recording-read", &fields);
    }
    assert_eq!(machine.events(&read).len(), 2);
}

#[test]
fn a_rule_that_records_nothing_leaves_no_file_and_no_execs() {
    let machine = MACHINE.get();
    let una = member(&machine, "una", "unrecorded");
    let id = session(&una, "elevate sh -c '/bin/echo unseen'");
    assert!(!machine.has(&format!("{RECORDINGS}/{id}.cast.zst")));
    let auditor = member(&machine, "uta", "auditor");
    let played = auditor
        .run(&format!("elevatectl sessions play {id}"))
        .status(1);
    assert!(played.errors().contains("no recording"), "{played:?}");
    let list = una.run("elevatectl sessions list --all --json").success();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list[0]["recorded"], false);
    let events = machine.events(&[("ELEVATE_REQUEST", &id)]);
    let steps: Vec<_> = events
        .iter()
        .map(|e| e.get("ELEVATE_EVENT").unwrap())
        .collect();
    assert_eq!(steps, ["request", "grant", "start", "end"]);
}
