//! Recordings on a real terminal: what is shown, what keys do, and that the terminal is given back.

mod stage;

use std::process::{Command, Output};
use std::time::Duration;

use elevate_protocol::recording::{Encoder, Executed, Mark};
use rustix::process::Signal;
use stage::{PROGRAM, Stage, recording};

/// What takes our screen away again, and shows the cursor.
const LEAVE: &str = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A session that says something at once, and something more after a minute and an hour.
fn slow(encoder: &mut Encoder) -> String {
    let mut lines = encoder.output(at(0), b"first\r\n").unwrap();
    lines += &encoder.output(at(4), b"soon\r\n").unwrap();
    lines += &encoder.marker(at(60), exec("systemctl restart"));
    lines += &encoder.output(at(60), b"later\r\n").unwrap();
    lines += &encoder.output(at(3600), b"last\r\n").unwrap();
    lines + &encoder.exit(at(3600), "0")
}

fn exec(command: &str) -> Mark {
    Mark::Exec(Executed {
        number: 1,
        pid: 100,
        ppid: 99,
        uid: 0,
        compat: false,
        denied: false,
        cut: false,
        cwd: "/root".into(),
        file: "/bin/x".into(),
        command: command.into(),
    })
}

fn play(file: &tempfile::NamedTempFile, flags: &str) -> String {
    let path = file.path().display();
    format!("{PROGRAM} sessions play {path} {flags}")
}

/// Run without a terminal.
fn piped(words: &[&str]) -> Output {
    Command::new(PROGRAM).args(words).output().unwrap()
}

#[test]
fn a_recording_is_played_to_its_end_and_its_last_screen_stays() {
    let file = recording(|encoder| {
        let mut lines = encoder.output(at(0), b"\x1b[31mred\x1b[0m\r\n").unwrap();
        lines += &encoder.output(at(1), "€".as_bytes()).unwrap();
        lines + &encoder.exit(at(2), "3")
    });
    let mut stage = Stage::script(&play(&file, "--speed 100"));
    stage.until_seen("\x1b[?1049h");
    stage.until_seen("\x1b[1;1H\x1b[0;31mred\x1b[0m\x1b[K");
    stage.until_seen("alice as root by rule all");
    stage.until_seen(LEAVE);
    let (status, seen) = stage.finish();
    assert_eq!(status, 0);
    assert!(
        seen.starts_with("\x1b[0;31mred\x1b[0m\r\n€\r\n"),
        "{seen:?}"
    );
    assert!(
        seen.ends_with(": ended after 0:02 with status 3\r\n"),
        "{seen:?}"
    );
}

#[test]
fn nothing_that_a_recording_holds_reaches_the_terminal_but_text_and_colours() {
    let hostile = "one\x1b]52;c;ZXZpbA==\x07\x1b]0;evil\x1b\\\x1b[6n\x1b[c\x1bP$q\"p\x1b\\\
                   \x1b[?1003h\x1b[21t\x1b]8;;http://evil\x07two\u{202e}\u{9b}31m\x1b[5i";
    let file = recording(|encoder| {
        let lines = encoder.output(at(0), hostile.as_bytes()).unwrap();
        lines + &encoder.exit(at(1), "\x1b]0;evil\x07")
    });
    let stage = Stage::script(&play(&file, "--speed 100"));
    let (status, seen) = stage.finish();
    assert_eq!(status, 0);
    assert!(seen.contains("onetwo\u{fffd}"), "{seen:?}");
    assert!(
        !seen.contains("\x1b]") && !seen.contains("\x1bP"),
        "{seen:?}"
    );
    assert!(
        !seen.contains('\u{202e}') && !seen.contains('\u{9b}'),
        "{seen:?}"
    );
    // What is left are our own: cursor places, colours, erasing, and the screen's modes.
    let sequences = seen.split('\x1b').skip(1);
    for sequence in sequences {
        let parameters = |c: char| c.is_ascii_digit() || "[;?".contains(c);
        let last = sequence.chars().find(|c| !parameters(*c)).unwrap();
        assert!("HmKJhl".contains(last), "{sequence:?}");
        let private = sequence.starts_with("[?");
        let ours = ["[?25", "[?7", "[?1049"]
            .iter()
            .any(|ours| sequence.starts_with(ours));
        assert!(!private || ours, "{sequence:?}");
    }
}

#[test]
fn keys_pause_seek_jump_and_end() {
    let file = recording(slow);
    let mut stage = Stage::script(&format!("{}; echo ended $?", play(&file, "")));
    stage.until_seen("first");
    stage.type_keys(" ");
    stage.until_seen("paused");
    stage.type_keys("\x1b[C");
    stage.until_seen("soon");
    stage.type_keys("]");
    stage.until_seen("command 1 of 1: systemctl restart");
    stage.type_keys(".");
    stage.until_seen("later");
    stage.type_keys("+");
    stage.until_seen("1.5x");
    stage.type_keys(&"<".repeat(13));
    stage.until_seen("0:00/1:00:00");
    assert!(!stage.is_restored());
    stage.type_keys("q");
    stage.until_seen(LEAVE);
    stage.until_seen("ended 0");
    let (_, seen) = stage.finish();
    assert_eq!(seen, "\r\n", "who ends it wants to see no more");
}

#[test]
fn it_begins_where_it_is_told_to() {
    let file = recording(slow);
    for (flags, screen) in [("--from 1:02", "later"), ("--jump 1", "command 1 of 1")] {
        let mut stage = Stage::script(&play(&file, flags));
        stage.until_seen(screen);
        stage.type_keys("q");
        assert_eq!(stage.finish().0, 0);
    }
    for (flag, place, why) in [
        ("--from", "2h", "the recording is 1:00:00.000 long"),
        ("--jump", "2", "the recording has 1 command"),
    ] {
        let (status, seen) = Stage::script(&play(&file, &format!("{flag} {place}"))).finish();
        assert_eq!(status, 2);
        assert!(seen.contains(why) && !seen.contains("1049"), "{seen:?}");
    }
}

#[test]
fn idle_time_is_cut_short_where_that_is_wanted() {
    let file = recording(slow);
    let (status, seen) = Stage::script(&play(&file, "--idle-limit 10ms")).finish();
    assert_eq!(status, 0);
    assert!(
        seen.contains("ended after 1:00:00 with status 0"),
        "{seen:?}"
    );
}

#[test]
fn every_signal_that_ends_us_gives_the_terminal_back() {
    let file = recording(slow);
    for signal in [
        Signal::INT,
        Signal::TERM,
        Signal::HUP,
        Signal::QUIT,
        Signal::USR1,
    ] {
        let mut stage = Stage::script(&format!("exec {}", play(&file, "")));
        stage.until_seen("first");
        stage.signal(signal);
        stage.until_seen(LEAVE);
        assert_eq!(stage.finish().0, 128 + signal.as_raw(), "{signal:?}");
    }
}

#[test]
fn ctrl_c_ends_it_as_it_ends_others() {
    let file = recording(slow);
    let mut stage = Stage::script(&format!("exec {}", play(&file, "")));
    stage.until_seen("first");
    stage.type_keys("\x03");
    stage.until_seen(LEAVE);
    assert_eq!(stage.finish().0, 130);
}

#[test]
fn while_stopped_the_terminal_is_the_shells_and_after_it_the_screen_is_drawn_anew() {
    let file = recording(slow);
    let script = format!(
        "set -m; {}; echo stopped $?; IFS= read -r line; echo \"shell has [$line]\"; fg",
        play(&file, "")
    );
    let mut stage = Stage::script(&script);
    stage.until_seen("first");
    stage.type_keys(" ");
    stage.until_seen("paused");
    stage.type_keys("\x1a");
    stage.until_seen(LEAVE);
    stage.until_seen("stopped 148");
    assert!(stage.is_restored());
    stage.type_keys("mine\n");
    stage.until_seen("shell has [mine]");
    stage.until_seen("\x1b[?1049h");
    stage.until_seen("first");
    stage.until_seen("paused");
    stage.type_keys("q");
    assert_eq!(stage.finish().0, 0);
}

#[test]
fn another_size_of_the_terminal_is_drawn_for() {
    let file = recording(slow);
    let mut stage = Stage::script(&play(&file, ""));
    stage.until_seen("first");
    stage.type_keys(" ");
    stage.until_seen("paused");
    stage.resize(5, 40);
    stage.until_seen("\x1b[2J");
    stage.until_seen("first");
    stage.until_seen("\x1b[5;1H");
    stage.until_seen("part of it | ");
    stage.type_keys("q");
    assert_eq!(stage.finish().0, 0);
}

#[test]
fn without_a_terminal_the_text_is_written() {
    let file = recording(|encoder| {
        let text = b"\x1b[31mred\x1b[0m\x1b]0;evil\x07\r\n10%\r20%\r\n";
        encoder.output(at(0), text).unwrap() + &encoder.exit(at(3600), "0")
    });
    let path = file.path().to_str().unwrap();
    let played = piped(&["sessions", "play", path]);
    assert!(played.status.success());
    assert_eq!(String::from_utf8_lossy(&played.stdout), "red\n20%\n");
    let dumb = format!("TERM=dumb {}", play(&file, ""));
    for script in [play(&file, "--dump"), dumb] {
        let (status, seen) = Stage::script(&script).finish();
        assert_eq!((status, seen.as_str()), (0, "red\r\n20%\r\n"));
    }
}

#[test]
fn an_export_is_the_recording_itself_and_goes_to_no_terminal() {
    let file = recording(slow);
    let path = file.path().to_str().unwrap();
    let exported = piped(&["sessions", "export", path]);
    assert!(exported.status.success());
    let packed = std::fs::read(file.path()).unwrap();
    assert_eq!(exported.stdout, zstd::decode_all(&packed[..]).unwrap());
    let (status, seen) = Stage::script(&format!("{PROGRAM} sessions export {path}")).finish();
    assert_eq!(status, 2);
    assert!(seen.contains("a terminal would obey"), "{seen:?}");
}

#[test]
fn what_is_no_recording_is_refused_before_the_terminal_is_taken() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"something else\n").unwrap();
    let (status, seen) = Stage::script(&play(&file, "")).finish();
    assert_eq!(status, 1);
    assert_eq!(seen, "elevatectl: this is not a recording of a session\r\n");
    let missing = piped(&["sessions", "play", "/nonexistent"]);
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(said.contains("cannot open /nonexistent"), "{said}");
    assert!(said.contains("is played by its id"), "{said}");
}

#[test]
fn who_stops_reading_ends_it_without_a_word() {
    let file = recording(|encoder| {
        let text = "many lines\r\n".repeat(100_000);
        encoder.output(at(0), text.as_bytes()).unwrap()
    });
    let script = format!("{} | head -n 1; echo ${{PIPESTATUS[0]}}", play(&file, ""));
    let (_, seen) = Stage::script(&script).finish();
    assert_eq!(seen, "many lines\r\n141\r\n");
}
