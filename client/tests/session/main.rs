//! The client's half of a session, in a real terminal, under a real shell's job control.

mod asking;
mod codes;
mod editing;
mod held;
mod jobs;
mod pipelines;
mod stage;

use std::fs::File;
use std::io::{Read, Write};

use elevate_protocol::message::Channel;
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, Status, ToClient, ToServer, Window};
use elevate_protocol::{ErrorName, Id};
use rustix::process::Signal;
use stage::{Stage, TERMINAL, client, shell_status};

/// A client with the terminal, in the shell's place.
pub(crate) fn alone() -> Stage {
    Stage::script(&format!(
        "echo $$ >$ELEVATE_TEST_STREAM.pid; exec {}",
        client()
    ))
}

#[test]
fn keys_and_output_pass_unchanged_and_the_terminal_is_restored() {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_seen("kinds [Terminal, Terminal, Terminal]");
    stage.until_raw(true);
    stage.type_keys(b"\x03\x1a\x04\r");
    let mut typed = Vec::new();
    while typed.len() < 4 {
        typed.extend(stage.typed());
    }
    assert_eq!(typed, b"\x03\x1a\x04\r");
    stage.send(Channel::Terminal, b"one\ntwo\x1b[0m");
    stage.end(Status::Exited(7));
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 7);
    assert!(seen.contains("one\ntwo\x1b[0m"), "{seen:?}");
}

#[test]
fn every_byte_of_a_flood_arrives_before_the_end() {
    let mut stage = Stage::script(&format!("{} | tail -c 40000000 | md5sum", client()));
    stage.attach([Route::Terminal, Route::Carry, Route::Terminal], true);
    let chunk: Vec<u8> = (0..=255).cycle().take(32 * 1024).collect();
    let wanted = 40_000_000usize.div_ceil(chunk.len());
    for _ in 0..wanted {
        stage.send(Channel::Output, &chunk);
    }
    stage.end(Status::Exited(0));
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 0);
    let all: Vec<u8> = chunk
        .iter()
        .copied()
        .cycle()
        .take(wanted * chunk.len())
        .collect();
    assert!(
        seen.contains(&md5sum(&all[all.len() - 40_000_000..])),
        "{seen}"
    );
}

fn md5sum(bytes: &[u8]) -> String {
    let mut sum = std::process::Command::new("md5sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    sum.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = sum.wait_with_output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn a_new_size_reaches_the_command() {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.resize(33, 77);
    let window = Window {
        rows: 33,
        columns: 77,
    };
    assert_eq!(stage.message(), ToServer::Resize { window });
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn a_signal_from_outside_is_passed_on_and_the_commands_death_is_ours() {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    for signal in [
        Signal::TERM,
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::USR1,
    ] {
        stage.signal(signal);
        let number = signal.as_raw();
        assert_eq!(stage.message(), ToServer::Signal { number });
    }
    stage.end(Status::Signaled(15));
    let (status, _) = stage.finish();
    assert_eq!(shell_status(status), 128 + 15);
}

#[test]
fn a_signal_that_our_caller_ignores_is_not_passed_on() {
    let script = format!(
        "trap '' HUP; echo $$ >$ELEVATE_TEST_STREAM.pid; exec {}",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.signal(Signal::HUP);
    stage.signal(Signal::USR2);
    let number = Signal::USR2.as_raw();
    assert_eq!(stage.message(), ToServer::Signal { number });
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn a_reader_that_goes_away_is_told_of() {
    let script = format!("{} | true; echo ended ${{PIPESTATUS[0]}}", client());
    let mut stage = Stage::script(&script);
    stage.attach([Route::Terminal, Route::Carry, Route::Terminal], true);
    // The reader goes at a time of its own.
    while stage.is_silent() {
        stage.try_send(Channel::Output, b"line\n");
        std::thread::yield_now();
    }
    assert_eq!(stage.message(), ToServer::Unread { error: false });
    stage.send(Channel::Output, b"more");
    stage.end(Status::Signaled(13));
    stage.until_seen("ended 141");
    stage.finish();
}

#[test]
fn descriptors_that_cannot_be_handed_over_are_copied() {
    let script = format!("printf 'in put' | {} 2>&1 | cat", client());
    let mut stage = Stage::script(&script);
    let mut handed = stage.attach([Route::Pump, Route::Pump, Route::Null], false);
    assert_eq!(handed.len(), 2);
    let (mut output, mut input) = (
        File::from(handed.pop().unwrap()),
        File::from(handed.pop().unwrap()),
    );
    let mut read = String::new();
    input.read_to_string(&mut read).unwrap();
    assert_eq!(read, "in put", "and then its end");
    output.write_all(b"last words").unwrap();
    drop(output);
    stage.end(Status::Exited(0));
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 0);
    assert!(seen.contains("last words"), "{seen}");
}

#[test]
fn a_leader_that_vanishes_is_a_failure_and_the_terminal_is_restored() {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.drop_leader();
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 1);
    assert!(
        seen.contains("the session's supervisor went away"),
        "{seen}"
    );
}

#[test]
fn a_notice_is_a_line_of_its_own_on_the_terminal() {
    let mut stage = Stage::script(&format!("{} 2>$ELEVATE_TEST_STREAM.err", client()));
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.send(Channel::Terminal, b"prompt> ");
    let text = "the session ends in 30 seconds\x1b[2J".to_owned();
    stage.say(&ToClient::Notice { text });
    stage.until_seen("prompt> \r\nelevate: the session ends in 30 seconds\\x1b[2J\r\n");
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn the_end_of_a_grant_is_explained() {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    let (status, reason) = (Status::Signaled(9), EndReason::Deadline);
    stage.say(&ToClient::Ended { status, reason });
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 128 + 9);
    assert!(
        seen.contains("elevate: the grant ended: its time was over\r\n"),
        "{seen:?}"
    );
}

#[test]
fn a_refusal_says_what_to_do_next() {
    let stage = alone();
    stage.say(&ToClient::Refused {
        error: ErrorName::CommandNotFound,
        message: "no such command\x1b[2J".into(),
        hint: Some("look for it".into()),
    });
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 127);
    assert!(seen.contains("elevate: no such command\\x1b[2J\r\nelevate: look for it\r\n"));
}

#[test]
fn a_reason_is_asked_for_on_the_terminal() {
    let mut stage = alone();
    stage.say(&ToClient::AskReason);
    stage.until_seen("Reason: ");
    stage.type_keys("caf\u{e9} is down\n".as_bytes());
    let text = "café is down".to_owned();
    assert_eq!(stage.message(), ToServer::Reason { text });
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn a_ticket_is_asked_for_with_what_it_looks_like() {
    let mut stage = alone();
    let like = "OPS-[0-9]+\x1b[2J".to_owned();
    stage.say(&ToClient::AskTicket { like });
    stage.until_seen("Ticket (OPS-[0-9]+\\x1b[2J): ");
    stage.type_keys(b"OPS-7\n");
    let text = "OPS-7".to_owned();
    assert_eq!(stage.message(), ToServer::Ticket { text });
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn ctrl_c_at_the_question_for_a_reason_withdraws_the_request() {
    let mut stage = alone();
    stage.say(&ToClient::AskReason);
    stage.until_seen("Reason: ");
    stage.type_keys(b"half a rea\x03");
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 128 + 2);
    assert!(seen.contains("the request is withdrawn"), "{seen}");
}

#[test]
fn the_wait_is_shown_and_ctrl_c_withdraws_the_request() {
    let mut stage = alone();
    stage.say(&ToClient::Waiting {
        request: Id::from_random(1),
        needed: 1,
        approvers: vec!["role:lead".into()],
        expires_in: 600_000,
    });
    stage.until_seen("waiting for 1 approval (role lead) · request 10000000 · ");
    stage.type_keys(b"\x03");
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 128 + 2);
    assert!(seen.contains("the request is withdrawn"), "{seen}");
}
