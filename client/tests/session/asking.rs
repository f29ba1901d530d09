//! Ways of asking: `-S`, `-A`, `-p` and `-n`, pipelines with a pager, and `-b`.

use elevate_protocol::message::Channel;
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{Status, ToClient, ToServer};
use elevate_protocol::{ErrorName, Secret};

use super::stage::{Stage, TERMINAL, client, shell_status};

const PROMPT: &str = "Verification code: ";
const CARRIED: [Route; 3] = [Route::Null, Route::Carry, Route::Terminal];

fn secret(text: &str) -> Secret {
    text.to_owned().into()
}

fn code(text: &str) -> ToServer {
    ToServer::Code { text: secret(text) }
}

fn ask(stage: &Stage) {
    stage.say(&ToClient::AskCode {
        prompt: PROMPT.into(),
    });
}

fn refuse(stage: &Stage) {
    stage.say(&ToClient::Refused {
        error: ErrorName::TimedOut,
        message: "no verification code was given in time".into(),
        hint: None,
    });
}

#[test]
fn answers_come_from_standard_input_line_by_line_and_the_rest_is_the_commands() {
    let script = format!(
        "printf 'wrong\\n987654\\nthe commands own\\n' | {{ {} -S; echo ended $?; \
         echo left \"[$(cat)]\"; }}",
        client()
    );
    let mut stage = Stage::script(&script);
    ask(&stage);
    stage.until_seen(PROMPT);
    assert_eq!(stage.message(), code("wrong"));
    let text = "this code is wrong".to_owned();
    stage.say(&ToClient::Notice { text });
    ask(&stage);
    assert_eq!(stage.message(), code("987654"));
    stage.attach([Route::Null, Route::Terminal, Route::Terminal], true);
    stage.end(Status::Exited(4));
    stage.until_seen("ended 4");
    stage.until_seen("left [the commands own]");
    let (_, seen) = stage.finish();
    assert!(!seen.contains("9876"), "{seen}");
}

#[test]
fn a_reason_too_comes_from_standard_input_and_its_end_is_no_answer() {
    let script = format!("printf 'disk is full' | {} -S", client());
    let mut stage = Stage::script(&script);
    stage.say(&ToClient::AskReason);
    let text = "disk is full".to_owned();
    assert_eq!(stage.message(), ToServer::Reason { text });
    ask(&stage);
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 1);
    assert!(seen.contains("no verification code was given"), "{seen}");
}

#[test]
fn with_the_terminal_as_standard_input_it_is_asked_there_and_on_standard_error() {
    let script = format!(
        "{} -S 2>$ELEVATE_TEST_STREAM.err; echo ended $?; cat $ELEVATE_TEST_STREAM.err",
        client()
    );
    let mut stage = Stage::script(&script);
    ask(&stage);
    stage.until_hidden(true);
    stage.type_keys(b"987654\n");
    assert_eq!(stage.message(), code("987654"));
    stage.attach([Route::Terminal, Route::Terminal, Route::Carry], true);
    stage.end(Status::Exited(3));
    stage.until_seen("ended 3");
    stage.until_seen(PROMPT);
    let (_, seen) = stage.finish();
    assert!(!seen.contains("9876"), "{seen}");
}

#[test]
fn another_terminal_as_standard_input_shows_no_code() {
    // script(1) has a terminal of its own; without one of the client's, that is merely its input.
    let script = format!("setsid --wait {} -S; echo ended $?", client());
    let mut stage = Stage::script(&script);
    ask(&stage);
    stage.until_seen(PROMPT);
    stage.until_hidden(true);
    stage.type_keys(b"987654\n");
    assert_eq!(stage.message(), code("987654"));
    refuse(&stage);
    stage.until_seen("ended 1");
    let (_, seen) = stage.finish();
    assert!(!seen.contains("9876"), "{seen}");
}

#[test]
fn while_standard_input_says_nothing_a_timeout_and_a_signal_end_it() {
    for signal in [false, true] {
        let script = format!(
            "mkfifo $ELEVATE_TEST_STREAM.in; exec 7<>$ELEVATE_TEST_STREAM.in; \
             echo $$ >$ELEVATE_TEST_STREAM.pid; exec {} -S <&7",
            client()
        );
        let mut stage = Stage::script(&script);
        ask(&stage);
        stage.until_seen(PROMPT);
        match signal {
            true => stage.signal(rustix::process::Signal::TERM),
            false => refuse(&stage),
        }
        let (status, _) = stage.finish();
        assert_eq!(shell_status(status), if signal { 143 } else { 1 });
    }
}

/// A script in which `$ASK` is a program with this body.
fn with_askpass(body: &str, line: &str) -> String {
    format!(
        "ASK=$ELEVATE_TEST_STREAM.ask; printf '%s\\n' '#!/bin/sh' '{body}' >$ASK; chmod 755 $ASK; {line}"
    )
}

#[test]
fn a_program_asks_with_the_prompt_as_its_argument_and_what_it_writes_is_the_answer() {
    let line = format!(
        "SUDO_ASKPASS=/bin/false ELEVATE_ASKPASS=$ASK {} -A -p \"code for %U\"",
        client()
    );
    let body = "echo \"asked [$1] of $(id -u)\" >&2; cat; echo 987654; echo more";
    let mut stage = Stage::script(&with_askpass(body, &line));
    ask(&stage);
    stage.until_seen("asked [code for root] of ");
    assert_eq!(stage.message(), code("987654"));
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(0));
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 0);
    assert!(!seen.contains("9876"), "{seen}");
}

#[test]
fn without_a_program_that_asks_it_says_how_to_name_one() {
    let script = format!("unset SUDO_ASKPASS ELEVATE_ASKPASS; {} -A", client());
    let stage = Stage::silent_script(&script);
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 2);
    assert!(seen.contains("set ELEVATE_ASKPASS"), "{seen}");
}

#[test]
fn a_program_that_cannot_run_or_says_nothing_gives_no_code() {
    for (program, why) in [
        ("/nowhere/ask", "cannot run /nowhere/ask"),
        ("/bin/true", "no verification code was given"),
    ] {
        let mut stage = Stage::script(&format!("SUDO_ASKPASS={program} {} -A", client()));
        ask(&stage);
        stage.until_seen(why);
        assert_eq!(shell_status(stage.finish().0), 1);
    }
}

#[test]
fn a_program_that_still_asks_is_ended_when_the_time_is_over() {
    let line = format!(
        "SUDO_ASKPASS=$ASK {} -A; echo ended $?; read -r end",
        client()
    );
    let body =
        "trap \"echo put back >&2; exit\" TERM; echo asking >&2; while :; do sleep 0.1; done";
    let mut stage = Stage::script(&with_askpass(body, &line));
    ask(&stage);
    stage.until_seen("asking");
    refuse(&stage);
    stage.until_seen("ended 1");
    stage.until_seen("put back");
    // Not before: a terminal whose shell is gone shows nothing more.
    stage.type_keys(b"\n");
    stage.finish();
}

#[test]
fn ctrl_c_ends_the_program_that_asks_too() {
    let line = format!(
        "SUDO_ASKPASS=$ASK {} -A; echo ended $?; read -r end",
        client()
    );
    let body =
        "trap \"echo over >&2; exit\" INT TERM; echo asking >&2; while :; do sleep 0.1; done";
    let line = format!("trap : INT; {line}");
    let mut stage = Stage::script(&with_askpass(body, &line));
    ask(&stage);
    stage.until_seen("asking");
    stage.type_keys(b"\x03");
    stage.until_seen("over");
    stage.until_seen("ended 130");
    // Not before: a terminal whose shell is gone shows nothing more.
    stage.type_keys(b"\n");
    stage.finish();
}

#[test]
fn a_prompt_of_ones_own_has_the_escapes_of_sudo() {
    let script = format!("{} -p '[%%] %U, not %x: '", client());
    let mut stage = Stage::script(&script);
    ask(&stage);
    stage.until_seen("[%] root, not %x: ");
    stage.type_keys(b"987654\n");
    assert_eq!(stage.message(), code("987654"));
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(0));
    let (_, seen) = stage.finish();
    assert!(!seen.contains(PROMPT), "{seen}");
}

#[test]
fn with_n_nothing_is_asked_though_there_is_a_terminal() {
    let mut stage = Stage::script(&format!("{} -n", client()));
    ask(&stage);
    stage.until_seen("there is no terminal to ask for it");
    assert_eq!(shell_status(stage.finish().0), 1);
}

/// A pager as less(1) is: it takes the terminal at once, and reads keys while it waits for data.
const PAGER: &str = "{ stty -icanon -echo </dev/tty; echo taken >/dev/tty; \
                     echo >$ELEVATE_TEST_STREAM.go; cat; \
                     stty icanon echo </dev/tty; echo pager over; }";

#[test]
fn a_pager_that_has_the_terminal_gets_no_code_to_show() {
    let script = format!(
        "mkfifo $ELEVATE_TEST_STREAM.go; {{ read -r go <$ELEVATE_TEST_STREAM.go; exec {}; }} | {PAGER}",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.until_seen("taken");
    ask(&stage);
    stage.until_seen("another command of the pipeline uses the terminal");
    stage.until_seen("elevate -v");
    stage.until_seen("pager over");
    let (_, seen) = stage.finish();
    assert!(!seen.contains(PROMPT), "{seen}");
}

#[test]
fn a_pager_that_takes_the_terminal_while_the_question_stands_ends_the_question() {
    let script = format!(
        "mkfifo $ELEVATE_TEST_STREAM.go; \
         {} | {{ read -r go <$ELEVATE_TEST_STREAM.go; exec 7<>$ELEVATE_TEST_STREAM.go; {PAGER}; }}",
        client()
    );
    let mut stage = Stage::script(&script);
    ask(&stage);
    stage.until_seen(PROMPT);
    stage.type_keys(b"98");
    stage.write_beside("go", "\n");
    stage.until_seen("another command of the pipeline uses the terminal");
    stage.until_seen("pager over");
    let (_, seen) = stage.finish();
    assert!(!seen.contains("98"), "{seen}");
}

#[test]
fn a_neighbour_that_turns_echo_on_again_shows_no_code() {
    let script = format!(
        "mkfifo $ELEVATE_TEST_STREAM.go; \
         {} | {{ read -r go <$ELEVATE_TEST_STREAM.go; stty echo </dev/tty; echo meddled >/dev/tty; cat; }}",
        client()
    );
    let mut stage = Stage::script(&script);
    ask(&stage);
    stage.until_seen(PROMPT);
    stage.type_keys(b"98");
    stage.write_beside("go", "\n");
    stage.until_seen("meddled");
    stage.look_away();
    stage.until_seen(PROMPT);
    stage.until_hidden(true);
    stage.type_keys(b"987654\n");
    assert_eq!(
        stage.message(),
        code("987654"),
        "and what was typed before is forgotten"
    );
    stage.attach(CARRIED, true);
    stage.send(Channel::Output, b"out\n");
    stage.end(Status::Exited(0));
    let (_, seen) = stage.finish();
    assert!(!seen.contains("98"), "{seen}");
}

#[test]
fn where_it_cannot_be_stopped_nothing_is_asked_in_the_background() {
    let script = format!(
        "trap '' TTIN TTOU; set -m; {} & wait $!; echo ended $?; IFS= read -r line; \
         echo \"shell has [$line]\"",
        client()
    );
    let mut stage = Stage::script(&script);
    ask(&stage);
    stage.until_seen("nothing can be asked in the background");
    stage.until_seen("ended 1");
    assert!(!stage.is_hidden());
    stage.type_keys(b"mine\n");
    stage.until_seen("shell has [mine]");
    stage.finish();
}

#[test]
fn in_the_background_it_is_let_go_of_once_it_runs() {
    let script = format!(
        "{} -b; echo ended $?; IFS= read -r line; echo \"shell has [$line]\"; \
         until [ -e $ELEVATE_TEST_STREAM.seen ]; do read -rt 0.1 nothing; done; exit 0",
        client()
    );
    let mut stage = Stage::script(&script);
    stage.until_seen("kinds [Closed, Terminal, Terminal]");
    ask(&stage);
    stage.until_seen(PROMPT);
    stage.type_keys(b"987654\n");
    assert_eq!(stage.message(), code("987654"));
    stage.attach([Route::Null, Route::Terminal, Route::Terminal], true);
    stage.until_seen("ended 0");
    stage.type_keys(b"mine\n");
    stage.until_seen("shell has [mine]");
    assert!(stage.is_silent(), "what is typed is the shell's");
    assert!(!stage.is_raw());
    stage.send(Channel::Terminal, b"output of the command\r\n");
    stage.until_seen("output of the command");
    stage.end(Status::Exited(7));
    stage.write_beside("seen", "");
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 0);
    assert!(!seen.contains("9876"), "{seen}");
}
