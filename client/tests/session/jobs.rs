//! Our place among the jobs of a shell.

use elevate_protocol::message::Channel;
use elevate_protocol::stream::{Status, ToClient, ToServer};
use rustix::process::Signal;

use super::alone;
use super::stage::{Stage, TERMINAL, client};

const GIVEN: ToServer = ToServer::Keyboard { given: true };

#[test]
fn it_stops_with_the_command_and_continues_with_the_shell() {
    let script = format!(
        "set -m; {}; echo stopped $?; read -r; fg; echo done $?",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    let signal = Signal::TSTP.as_raw();
    stage.say(&ToClient::Stopped { signal });
    stage.until_seen("stopped 148");
    stage.until_raw(false);
    stage.type_keys(b"go on\n");
    assert_eq!(stage.message_but_size(), ToServer::Continue);
    stage.until_raw(true);
    stage.type_keys(b"k");
    assert_eq!(
        stage.typed(),
        b"k",
        "continued once, and keys are ours again"
    );
    stage.end(Status::Exited(3));
    stage.until_seen("done 3");
    stage.finish();
}

#[test]
fn in_the_background_the_terminal_is_left_to_the_shell() {
    let script = format!(
        "set -m; {} & read -r line; echo shell has $line; fg",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    assert!(!stage.keyboard());
    stage.send(Channel::Terminal, b"output of\r\na job");
    stage.until_seen("output of\r\na job");
    assert!(!stage.is_raw());
    stage.type_keys(b"mine\n");
    stage.until_seen("shell has mine");
    stage.until_raw(true);
    // Nothing that was typed to the shell came before.
    assert_eq!(stage.message_but_size(), GIVEN);
    stage.type_keys(b"q");
    assert_eq!(stage.typed(), b"q");
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn a_job_in_the_background_that_wants_the_terminal_stops_until_it_is_brought_forward() {
    let script = format!(
        "set -m; {} & read -r line; until jobs -s | grep .; do :; done; read -r line; fg",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    let signal = Signal::TTIN.as_raw();
    stage.say(&ToClient::Stopped { signal });
    stage.type_keys(b"look\n");
    stage.until_seen("Stopped");
    assert!(stage.is_silent());
    stage.type_keys(b"go on\n");
    stage.until_raw(true);
    assert_eq!(stage.message_but_size(), GIVEN);
    assert_eq!(stage.message_but_size(), ToServer::Continue);
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn where_no_shell_could_stop_us_a_command_that_wants_the_terminal_waits_for_keys() {
    // Its parent is gone, and with it whoever could continue it.
    let script = format!(
        "(set -m; {} & exec true); while [ -e $ELEVATE_TEST_STREAM ]; do sleep 0.05; done",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    assert!(!stage.keyboard());
    let signal = Signal::TTIN.as_raw();
    stage.say(&ToClient::Stopped { signal });
    assert_eq!(stage.message_but_size(), GIVEN);
    stage.end(Status::Exited(0));
}

#[test]
fn a_signal_to_stop_stops_the_command_too() {
    let script = format!(
        "set -m; sh -c 'echo $$ >$ELEVATE_TEST_STREAM.pid; exec {}'; echo stopped $?; fg",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.signal(Signal::TSTP);
    let number = Signal::TSTP.as_raw();
    assert_eq!(stage.message(), ToServer::Signal { number });
    stage.until_seen("stopped 148");
    assert_eq!(stage.message_but_size(), ToServer::Continue);
    stage.until_raw(true);
    stage.end(Status::Exited(0));
    stage.finish();
}

#[test]
fn what_a_shell_did_to_the_terminal_while_we_could_do_nothing_is_undone() {
    let script = format!(
        "set -m; old=$(stty -g); sh -c 'echo $$ >$ELEVATE_TEST_STREAM.pid; exec {}'; \
         stty $old; echo stopped; read -r line; fg; echo done $?",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.signal(Signal::STOP);
    stage.until_seen("stopped");
    stage.until_raw(false);
    stage.type_keys(b"go on\n");
    assert_eq!(stage.message_but_size(), ToServer::Continue);
    stage.until_raw(true);
    stage.type_keys(b"k");
    assert_eq!(stage.typed(), b"k");
    stage.end(Status::Exited(3));
    stage.until_seen("done 3");
    stage.finish();
}

#[test]
fn a_client_that_was_stopped_and_goes_on_in_the_background_leaves_the_terminal_alone() {
    let script = format!(
        "set -m; old=$(stty -g); sh -c 'echo $$ >$ELEVATE_TEST_STREAM.pid; exec {}'; \
         stty $old; echo stopped; bg; wait; echo over; read -r line; echo shell has $line",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.signal(Signal::STOP);
    stage.until_seen("stopped");
    assert_eq!(
        stage.message_but_size(),
        ToServer::Keyboard { given: false }
    );
    assert_eq!(stage.message_but_size(), ToServer::Continue);
    assert!(!stage.is_raw());
    stage.end(Status::Exited(0));
    stage.until_seen("over");
    stage.type_keys(b"mine\n");
    stage.until_seen("shell has mine");
    stage.finish();
}

#[test]
fn a_terminal_that_somebody_put_into_line_mode_still_passes_what_is_typed() {
    let mut stage = alone();
    stage.attach(TERMINAL, true);
    stage.until_raw(true);
    stage.put_into_line_mode();
    stage.type_keys(b"line\n");
    assert_eq!(stage.typed(), b"line\n");
    stage.type_keys(b"\x04");
    assert_eq!(stage.typed(), b"\x04");
    stage.end(Status::Exited(0));
    stage.finish();
}
