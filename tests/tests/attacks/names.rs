//! Names, ids and texts that leave their place: paths, command lines, records, terminals
//! (CVE-2023-42456, CVE-2023-28486).

use super::{MACHINE, login, refusals_after_honest_use, voter};

const IDS: &str = r#"["../../etc/passwd", "/etc/passwd", "-rf", "k7m2x9q\n", "K7M2X9QD", "", "k7m2x9qd\x1b[2J", "%s%n"]"#;

#[test]
fn what_is_no_id_finds_nothing_and_opens_nothing() {
    let machine = MACHINE.get();
    let user = login(&machine, "idris", "recorded");
    let program = format!(
        r#"
bus = Bus()
for id in {IDS}:
    for call in (("Cancel", "s", id), ("Revoke", "ss", id, "why"), ("ReadRecording", "s", id),
                 ("Vote", "sbss", id, True, "0" * 64, "")):
        try:
            print("done", bus.call(*call))
        except Refused as refused:
            print(refused.name)
"#
    );
    let answers = user.hostile(&program).text();
    assert_eq!(answers.lines().count(), 8 * 4, "{answers}");
    // Of recordings whoever is no auditor hears the same, whatever the id.
    let nothing = ["NotFound", "NotAuthorized"];
    assert!(
        answers.lines().all(|answer| nothing.contains(&answer)),
        "{answers}"
    );
    refusals_after_honest_use(&user);
}

/// Everything a requester writes, as it reaches the journal, an approver and a listing.
#[test]
fn nothing_that_a_user_writes_steers_a_terminal_or_a_record() {
    let machine = MACHINE.get();
    let alice = login(&machine, "escher", "asking");
    let approver = voter(&machine, "warden");
    let program = r#"
bad = b"\x1b[2J\n\r\x07ELEVATE_OUTCOME=granted\n\xff\xe2\x80\xae"
text = "\x1b]0;x\x07\nELEVATE_OUTCOME=granted\n\u202e\u200b"
os.makedirs(b"/home/escher/" + bad)
id, stream = elevate([b"echo", bad], reason=("s", text), cwd=("ay", b"/home/escher/" + bad),
                     environment=("aay", [b"TERM=" + bad.replace(b"/", b"")]))
stream.prove()
print(id, stream.hear(), flush=True)
stream.hear()
"#;
    let asking = alice.hostile_command(program).start();
    let request = machine.event("request", &[("ELEVATE_USER", "escher")]);
    let id = request.request();
    assert!(request.is("ELEVATE_OUTCOME", "waiting"), "{request:?}");
    assert_eq!(machine.events(&[("ELEVATE_REQUEST", &id)]).len(), 1);
    for (field, value) in request.fields() {
        let text = value
            .as_str()
            .unwrap_or_else(|| panic!("{field} is no text: {value}"));
        assert!(harmless(text), "{field}={text}");
    }
    for line in [
        format!("elevatectl show {id}"),
        format!("elevatectl show {id} --json"),
        "elevatectl requests".into(),
        "elevatectl requests --json".into(),
    ] {
        let shown = approver.run(&line).success().stdout;
        let shown = String::from_utf8(shown).unwrap_or_else(|why| panic!("{line}: {why}"));
        assert!(shown.contains(&id), "{line}: {shown}");
        assert!(shown.lines().all(harmless), "{line}: {shown}");
    }
    let denying = approver.deny(&id).success().text();
    assert!(!denying.contains("\x1b[2J"), "{denying}");
    drop(asking);
}

/// Without anything that a terminal or a reader's eye follows.
fn harmless(text: &str) -> bool {
    let misleads = |c: char| c.is_control() || ['\u{202e}', '\u{200b}', '\u{fffd}'].contains(&c);
    // Tabs separate columns where there is no terminal.
    !text.replace('\t', "").contains(misleads)
}
