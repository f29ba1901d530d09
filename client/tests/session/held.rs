//! A session whose terminal is held.

use elevate_protocol::message::Channel;
use elevate_protocol::stream::{EndReason, Status, ToClient, ToServer, Window};
use rustix::process::Signal;

use super::alone;
use super::stage::{Stage, TERMINAL, client, shell_status};

const PROMPT: &str = "Verification code: ";

fn code(text: &str) -> ToServer {
    let text = text.to_owned().into();
    ToServer::Code { text }
}

fn hold(stage: &mut Stage) {
    let text = "no key was pressed for 15 minutes: the session is held".to_owned();
    stage.say(&ToClient::Held { text: text.clone() });
    stage.until_seen(&format!("elevate: {text}\r\n"));
    assert!(!stage.is_raw());
}

fn ask(stage: &mut Stage) {
    stage.look_away();
    stage.say(&ToClient::AskCode {
        prompt: PROMPT.into(),
    });
    stage.until_seen(PROMPT);
    stage.until_hidden(true);
}

/// A client in the shell's place whose session is held, and that asks for a code.
fn asked() -> Stage {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.send(Channel::Terminal, b"prompt> ");
    hold(&mut stage);
    ask(&mut stage);
    stage
}

#[test]
fn a_code_lets_the_terminal_go_and_is_never_shown() {
    let mut stage = asked();
    stage.type_keys(b"111111\n");
    assert_eq!(stage.message(), code("111111"));
    ask(&mut stage);
    stage.resize(33, 77);
    stage.type_keys(b"987654\n");
    assert_eq!(stage.message(), code("987654"));
    let (rows, columns) = (33, 77);
    let window = Window { rows, columns };
    assert_eq!(stage.message(), ToServer::Resize { window });
    stage.say(&ToClient::Released);
    stage.until_raw(true);
    stage.type_keys(b"k");
    assert_eq!(stage.typed(), b"k");
    stage.end(Status::Exited(4));
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 4);
    assert!(!seen.contains("111") && !seen.contains("987"), "{seen}");
}

#[test]
fn nothing_that_is_typed_reaches_the_command() {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    hold(&mut stage);
    stage.type_keys(b"before it was asked\n");
    ask(&mut stage);
    for keys in [&b"half\x03"[..], b"\x1c", b"\n"] {
        stage.look_away();
        stage.type_keys(keys);
        stage.until_seen(PROMPT);
    }
    stage.until_seen("elevate: no verification code was given\r\n");
    stage.type_keys(b"987654\n");
    assert_eq!(stage.message(), code("987654"));
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn what_is_said_meanwhile_is_shown_and_the_question_stands_again() {
    let mut stage = asked();
    stage.type_keys(b"98");
    let text = "the session ends in 30 seconds".to_owned();
    stage.say(&ToClient::Notice { text });
    let again = format!("elevate: the session ends in 30 seconds\r\n{PROMPT}");
    stage.until_seen(&again);
    stage.until_hidden(true);
    stage.type_keys(b"7654\n");
    assert_eq!(stage.message(), code("7654"));
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn a_signal_that_ends_us_leaves_the_terminal_as_it_was() {
    for signal in [Signal::TERM, Signal::HUP, Signal::USR1] {
        let mut stage = asked();
        stage.type_keys(b"98");
        stage.signal(signal);
        let (status, seen) = stage.finish();
        assert_eq!(shell_status(status), 128 + signal.as_raw());
        assert!(!seen.contains("98"), "{seen}");
    }
}

#[test]
fn a_session_that_ends_while_it_is_held_is_explained() {
    let mut stage = asked();
    stage.type_keys(b"98");
    let (status, reason) = (Status::Signaled(9), EndReason::Idle);
    stage.say(&ToClient::Ended { status, reason });
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 128 + 9);
    assert!(
        seen.contains("nobody gave a code while its terminal was held"),
        "{seen}"
    );
    assert!(!seen.contains("98"), "{seen}");
}

#[test]
fn a_job_in_the_background_asks_when_it_is_brought_forward() {
    let script = format!(
        "set -m; {} & read -r line; echo shell has $line; read -r line; fg; echo done $?",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    hold(&mut stage);
    stage.say(&ToClient::AskCode {
        prompt: PROMPT.into(),
    });
    stage.type_keys(b"mine\n");
    stage.until_seen("shell has mine");
    stage.type_keys(b"go on\n");
    stage.until_seen(PROMPT);
    stage.until_hidden(true);
    stage.type_keys(b"987654\n");
    assert_eq!(stage.message_but_size(), code("987654"));
    stage.say(&ToClient::Released);
    stage.until_raw(true);
    stage.end(Status::Exited(3));
    stage.until_seen("done 3");
    stage.finish();
}

#[test]
fn a_code_that_is_asked_for_without_a_hold_is_not_given() {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.say(&ToClient::AskCode {
        prompt: PROMPT.into(),
    });
    stage.type_keys(b"k");
    assert_eq!(stage.typed(), b"k");
    stage.end(Status::Exited(0));
    let (_, seen) = stage.finish();
    assert!(!seen.contains(PROMPT), "{seen}");
}
