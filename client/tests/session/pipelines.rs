//! Pipelines: others use the terminal, too.

use elevate_protocol::message::Channel;
use elevate_protocol::stdio::{Route, Three};
use elevate_protocol::stream::{Status, ToServer};
use rustix::process::Signal;

use super::stage::{Stage, client};

const INTO_A_PIPE: Three<Route> = [Route::Terminal, Route::Carry, Route::Terminal];

#[test]
fn a_pipeline_stops_as_one_job() {
    let script = format!("set -m; {} | cat; echo stopped; fg; echo done", client());
    let mut stage = Stage::script(&script);
    stage.attach(INTO_A_PIPE, true);
    stage.want_terminal();
    stage.type_keys(b"a\r");
    assert_eq!(stage.typed(), b"a\r");
    stage.type_keys(b"\x1a");
    let number = Signal::TSTP.as_raw();
    assert_eq!(stage.message(), ToServer::Signal { number });
    stage.until_seen("stopped");
    // The command has to want the terminal again.
    assert_eq!(
        stage.message_but_size(),
        ToServer::Keyboard { given: false }
    );
    assert_eq!(stage.message_but_size(), ToServer::Continue);
    assert!(!stage.is_raw());
    stage.want_terminal();
    stage.end(Status::Exited(0));
    stage.until_seen("done");
    stage.finish();
}

#[test]
fn a_pager_keeps_its_terminal_until_the_command_wants_it() {
    let script = format!(
        "{} | {{ stty -icanon -echo </dev/tty; head -c1 </dev/tty | od -c; \
                          stty icanon echo </dev/tty; echo pager over; cat; }}",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(INTO_A_PIPE, true);
    assert!(!stage.keyboard());
    stage.until_raw(true);
    stage.type_keys(b"q");
    stage.until_seen("pager over");
    assert!(stage.is_silent(), "the pager's keys are the pager's");
    assert!(!stage.is_raw());
    stage.want_terminal();
    // Shown by the session's terminal, or not at all.
    stage.look_away();
    stage.type_keys(b"secret\r");
    assert_eq!(stage.typed(), b"secret\r");
    stage.end(Status::Exited(0));
    let (_, seen) = stage.finish();
    assert!(!seen.contains("secret"), "{seen}");
}

#[test]
fn a_pager_that_took_the_terminal_meanwhile_keeps_it_when_we_are_done() {
    let script = format!(
        "old=$(stty -g); {} | {{ head -c1; stty -icanon -echo isig icrnl </dev/tty; \
            echo took it; cat; stty -a </dev/tty | tr ';' '\\n' | grep -o -- '-icanon'; }}; stty $old",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(INTO_A_PIPE, true);
    stage.want_terminal();
    stage.send(Channel::Output, b"x");
    stage.until_seen("took it");
    stage.end(Status::Exited(0));
    stage.until_seen("-icanon");
    stage.finish();
}

#[test]
fn a_pipeline_into_the_terminal_shows_lines_as_they_are() {
    let script = format!("true | {}", client());
    let mut stage = Stage::script(&script);
    stage.attach([Route::Pass, Route::Terminal, Route::Terminal], true);
    assert!(!stage.keyboard());
    assert!(!stage.is_raw());
    stage.look_away();
    stage.send(Channel::Terminal, b"one\r");
    stage.send(Channel::Terminal, b"\ntwo\r\n\r\nlast\r");
    stage.end(Status::Exited(0));
    let (_, seen) = stage.finish();
    assert_eq!(seen, "one\r\ntwo\r\n\r\nlast\r");
}

#[test]
fn while_nobody_reads_the_output_keys_still_pass() {
    let script = format!(
        "mkfifo $ELEVATE_TEST_STREAM.out; exec 7<>$ELEVATE_TEST_STREAM.out; \
                          {} >$ELEVATE_TEST_STREAM.out 7>&-",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.attach(INTO_A_PIPE, true);
    stage.want_terminal();
    let chunk = vec![b'x'; 32 * 1024];
    let mut sent = 0;
    while stage.try_send(Channel::Output, &chunk) && sent < 10_000 {
        sent += 1;
    }
    assert!(sent < 10_000, "a client that is not read must stop reading");
    stage.type_keys(b"stop\n");
    assert_eq!(stage.typed(), b"stop\n");
}
