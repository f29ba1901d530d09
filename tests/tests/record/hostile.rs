//! Words that would steer a terminal or forge an entry.

use super::*;

/// Words in the manner of bash: clear the screen, rename the window, feign a field, turn the
/// reading direction, no UTF-8.
const HOSTILE: &str = r"$'a\e[2Jb\e]0;evil\a\nELEVATE_OUTCOME=granted\n\u202etxt.exe\u2028'";

const NO_UTF8: &str = r"$'\xff\xfe\x9b31m'";

/// That a text holds nothing that steers a terminal or misleads a reader.
#[track_caller]
fn assert_harmless(text: &str) {
    for hostile in ["\x1b[2J", "\x1b]", "\x07", "\u{9b}", "\u{202e}", "\u{2028}"] {
        assert!(!text.contains(hostile), "{hostile:?} in {text:?}");
    }
}

/// That it is harmless, and says what the hostile words were.
#[track_caller]
fn assert_escaped(text: &str) {
    assert_harmless(text);
    for escaped in [r"\x1b[2J", r"\u{202e}"] {
        assert!(text.contains(escaped), "{escaped} in {text:?}");
    }
}

#[test]
fn hostile_words_are_shown_escaped_everywhere() {
    let machine = MACHINE.get();
    let (mal, bob) = (member(&machine, "mal", "asker"), lead(&machine, "bryn"));
    let mut desk = bob.terminal("bash --norc");
    desk.send("echo sitting $((1 + 1))\n");
    desk.expect("sitting 2");
    let line = format!(
        "elevate --reason {HOSTILE} sh -c '/bin/true \"$@\"' {HOSTILE} {HOSTILE} {NO_UTF8}"
    );
    let asking = mal.command(&line).start();
    let asked = machine.event("request", &[("ELEVATE_USER", "mal")]);
    let id = asked.request();
    assert_fields(&asked, &[("ELEVATE_OUTCOME", "waiting")]);

    desk.expect(&format!("mal asks to run .*\\s+.*elevatectl show {id}"));
    desk.send("clear; elevatectl requests; elevatectl watch\n");
    desk.expect(&format!("request {id} waiting"));
    desk.send("\x03");
    desk.send(format!("elevatectl show {id}; elevatectl approve {id}\n"));
    desk.expect(r"Approve\? ");
    desk.send("y\n");
    desk.expect("Verification code: $");
    desk.send(format!("{}\n", bob.code()));
    desk.expect("approved request");
    asking.wait().success();
    desk.send(
        "elevatectl sessions list --all; elevatectl grants list --all; echo all of $((1 + 1))\n",
    );
    desk.expect("all of 2");
    assert_escaped(&desk.screen().replace("\x1b[H\x1b[2J", ""));

    for listing in [
        "requests --all",
        "sessions list --all",
        "grants list --all",
        &format!("show {id}"),
    ] {
        for how in ["", "--json"] {
            let shown = bob
                .run(&format!("elevatectl {listing} {how}"))
                .success()
                .text();
            assert_harmless(&shown);
        }
    }
    machine.event("end", &[("ELEVATE_REQUEST", &id)]);
    for entry in machine.events(&[("ELEVATE_REQUEST", &id)]) {
        assert_harmless(&entry.get("MESSAGE").unwrap_or_default());
        assert_escaped(&entry.get("ELEVATE_COMMAND").unwrap_or_default());
        // journalctl prints what is not harmless text as numbers.
        let ours = entry
            .fields()
            .iter()
            .filter(|(name, _)| name.starts_with("ELEVATE_"));
        for (name, value) in ours {
            assert!(value.is_string(), "{name} of {entry:#?}");
        }
    }
    let exec = [
        ("ELEVATE_REQUEST", id.as_str()),
        ("ELEVATE_PATH", "/bin/true"),
    ];
    let argv = machine.event("exec", &exec).get("ELEVATE_ARGV").unwrap();
    assert_escaped(&argv);
    assert!(argv.contains(r"\xff\xfe\x9b31m"), "{argv}");
}

#[test]
fn hostile_words_that_are_refused_are_escaped_too() {
    let machine = MACHINE.get();
    let max = member(&machine, "max", "asker");
    for ask in [
        format!("elevate id {HOSTILE}"),
        format!("elevate -u {HOSTILE} id"),
        format!("elevate --rule {HOSTILE} id"),
        format!("elevate {HOSTILE}/x"),
        format!("elevatectl policy why -- id {HOSTILE}"),
    ] {
        let output = max.run(&ask);
        assert_harmless(&output.text());
        assert_harmless(&output.errors());
    }
    let refusals = machine.poll("all refusals", Duration::from_secs(20), || {
        let refusals = machine.events(&[("ELEVATE_USER", "max")]);
        (refusals.len() == 4).then_some(refusals)
    });
    for entry in refusals {
        assert_fields(
            &entry,
            &[("ELEVATE_EVENT", "refusal"), ("ELEVATE_OUTCOME", "refused")],
        );
        for name in entry.fields().keys() {
            assert_harmless(&entry.get(name).unwrap_or_default());
        }
    }
}
