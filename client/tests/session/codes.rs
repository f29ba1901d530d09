//! Codes: nothing of them is ever shown, and the terminal is restored on every way out.

use elevate_protocol::ErrorName;
use elevate_protocol::Secret;
use elevate_protocol::stream::{Status, ToClient, ToServer};
use rustix::process::Signal;

use super::stage::{Stage, TERMINAL, client, shell_status};

const PROMPT: &str = "Verification code: ";
const CODE: &[u8] = b"987654";

fn secret(text: &str) -> Secret {
    text.to_owned().into()
}

fn code() -> ToServer {
    ToServer::Code {
        text: secret("987654"),
    }
}

fn ask(stage: &Stage) {
    stage.say(&ToClient::AskCode {
        prompt: PROMPT.into(),
    });
}

/// A client in the shell's place that was asked for a code.
fn asked() -> Stage {
    asked_by(&format!(
        "echo $$ >$ELEVATE_TEST_STREAM.pid; exec {}",
        client()
    ))
}

fn asked_by(script: &str) -> Stage {
    let mut stage = Stage::script(script);
    ask(&stage);
    stage.until_seen(PROMPT);
    stage
}

/// A client whose shell reads a line after it, and shows it.
fn followed() -> Stage {
    let script = format!(
        "trap : INT; {}; echo ended $?; IFS= read -r line; echo \"shell has [$line]\"",
        client()
    );
    asked_by(&script)
}

/// After half a code the prompt was over: the shell gets what is typed from then on, and no more.
fn assert_nothing_is_left_for_the_shell(mut stage: Stage, status: i32) {
    stage.until_seen(&format!("ended {status}"));
    stage.until_hidden(false);
    stage.type_keys(b"mine\n");
    stage.until_seen("shell has [mine]");
    let (_, seen) = stage.finish();
    assert!(!seen.contains("98"), "{seen}");
}

#[test]
fn a_code_is_sent_and_never_shown() {
    let mut stage = asked();
    assert!(stage.is_hidden());
    stage.type_keys(b"12\x7f\x7f");
    stage.type_keys(CODE);
    stage.type_keys(b"\n");
    assert_eq!(stage.message(), code());
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(0));
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 0);
    assert!(!seen.contains("98") && !seen.contains("12"), "{seen}");
    assert!(seen.contains(&format!("{PROMPT}\r\n")), "{seen:?}");
}

#[test]
fn after_a_wrong_code_another_is_asked_for() {
    let mut stage = asked();
    stage.type_keys(b"111111\n");
    let wrong = ToServer::Code {
        text: secret("111111"),
    };
    assert_eq!(stage.message(), wrong);
    stage.look_away();
    let text = "this code is wrong".to_owned();
    stage.say(&ToClient::Notice { text });
    ask(&stage);
    stage.until_seen(&format!("elevate: this code is wrong\r\n{PROMPT}"));
    assert!(stage.is_hidden());
    stage.type_keys(CODE);
    stage.type_keys(b"\n");
    assert_eq!(stage.message(), code());
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(5));
    assert_eq!(shell_status(stage.finish().0), 5);
}

#[test]
fn what_was_typed_before_the_question_is_no_code() {
    let mut stage = Stage::script(&client());
    stage.type_keys(b"typed ahead\n98");
    stage.until_seen("typed ahead\r\n98");
    stage.look_away();
    ask(&stage);
    stage.until_seen(PROMPT);
    stage.type_keys(b"7654\n");
    let text = secret("7654");
    assert_eq!(stage.message(), ToServer::Code { text });
}

#[test]
fn ctrl_c_withdraws_and_leaves_nothing_of_the_code() {
    let mut stage = followed();
    stage.type_keys(b"98");
    stage.type_keys(b"\x03");
    stage.until_seen("the request is withdrawn");
    assert_nothing_is_left_for_the_shell(stage, 130);
}

#[test]
fn every_signal_that_ends_us_restores_the_terminal() {
    for signal in [
        Signal::TERM,
        Signal::HUP,
        Signal::INT,
        Signal::QUIT,
        Signal::USR1,
        Signal::USR2,
        Signal::ALARM,
        Signal::VTALARM,
        Signal::PROF,
        Signal::XCPU,
        Signal::XFSZ,
        Signal::IO,
        Signal::POWER,
        Signal::STKFLT,
    ] {
        let mut stage = asked();
        stage.type_keys(b"98");
        stage.signal(signal);
        let (status, seen) = stage.finish();
        assert_eq!(shell_status(status), 128 + signal.as_raw(), "{signal:?}");
        assert!(!seen.contains("98"), "{signal:?}: {seen}");
    }
}

#[test]
fn a_timeout_shows_nothing_of_what_was_typed_and_leaves_none_of_it() {
    let mut stage = followed();
    stage.type_keys(b"98");
    stage.say(&ToClient::Refused {
        error: ErrorName::TimedOut,
        message: "no verification code was given in time".into(),
        hint: None,
    });
    stage.until_seen("elevate: no verification code was given in time");
    assert_nothing_is_left_for_the_shell(stage, 1);
}

#[test]
fn a_daemon_that_hangs_up_while_the_question_stands_leaves_nothing_of_the_code() {
    let mut stage = followed();
    stage.type_keys(b"98");
    stage.drop_leader();
    stage.until_seen("elevated went away");
    assert_nothing_is_left_for_the_shell(stage, 1);
}

#[test]
fn while_stopped_the_terminal_is_the_shells_and_after_it_the_question_stands_again() {
    let script = format!(
        "set -m; {}; echo stopped $?; IFS= read -r line; echo \"shell has [$line]\"; fg; \
         echo done $?",
        client()
    );
    let mut stage = asked_by(&script);
    stage.type_keys(b"98\x1a");
    stage.until_seen("stopped 148");
    assert!(!stage.is_hidden());
    stage.look_away();
    stage.type_keys(b"mine\n");
    stage.until_seen("shell has [mine]");
    stage.until_seen(PROMPT);
    assert!(stage.is_hidden());
    stage.type_keys(CODE);
    stage.type_keys(b"\n");
    assert_eq!(stage.message(), code());
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(3));
    stage.until_seen("done 3");
    let (_, seen) = stage.finish();
    assert!(!seen.contains("98"), "{seen}");
}

#[test]
fn a_shell_that_restores_echo_while_we_are_stopped_shows_no_code_after() {
    let script = format!(
        "set -m; \
         sh -c 'echo $$ >$ELEVATE_TEST_STREAM.pid; exec {}'; stty echo; echo stopped $?; \
         fg; echo done $?",
        client()
    );
    let mut stage = asked_by(&script);
    stage.look_away();
    // Nothing can be done when it comes, only after it.
    stage.signal(Signal::STOP);
    stage.until_seen("stopped");
    stage.until_seen(PROMPT);
    stage.until_hidden(true);
    stage.type_keys(CODE);
    stage.type_keys(b"\n");
    assert_eq!(stage.message(), code());
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(0));
    stage.until_seen("done 0");
    let (_, seen) = stage.finish();
    assert!(!seen.contains("98"), "{seen}");
}

#[test]
fn no_answer_is_an_end() {
    for keys in [&b"\n"[..], b"\x04", b" \n"] {
        let mut stage = asked();
        stage.type_keys(keys);
        let (status, seen) = stage.finish();
        assert_eq!(shell_status(status), 1);
        assert!(seen.contains("no verification code was given"), "{seen}");
    }
}

#[test]
fn without_a_terminal_it_says_what_is_owed_and_reads_nothing() {
    let mut stage = Stage::script(&format!("echo 987654 | setsid --wait {}", client()));
    ask(&stage);
    stage.until_seen("a verification code is required, and there is no terminal to ask for it");
    let (status, _) = stage.finish();
    assert_eq!(shell_status(status), 1);
}

#[test]
fn what_the_daemon_asks_with_cannot_steer_the_terminal() {
    let mut stage = Stage::script(&client());
    stage.say(&ToClient::AskCode {
        prompt: "\x1b[2JVerification code: ".into(),
    });
    stage.until_seen("\\x1b[2JVerification code: ");
}

/// `elevatectl mfa` as it would be on this terminal.
fn manager(settings: &str, columns: u16) -> Stage {
    let mut stage = Stage::script(&format!("{settings} {} mfa", client()));
    stage.resize(50, columns);
    stage.look_away();
    stage.say(&ToClient::Enrolment {
        uri: secret("otpauth://totp/web1:alice?secret=JBSWY3DPEHPK3PXP&issuer=web1"),
        secret: secret("JBSWY3DPEHPK3PXP"),
    });
    ask(&stage);
    stage.until_seen(PROMPT);
    stage
}

const TEXT: &str = "Secret: JBSWY3DPEHPK3PXP\r\n\
    URI: otpauth://totp/web1:alice?secret=JBSWY3DPEHPK3PXP&issuer=web1\r\n\
    Verification code: ";

#[test]
fn a_new_secret_is_shown_as_a_picture_and_as_text_and_recovery_codes_once() {
    let mut stage = manager("TERM=xterm LC_ALL=C.UTF-8", 80);
    stage.until_seen("█");
    stage.until_seen(TEXT);
    assert!(stage.is_hidden());
    stage.type_keys(CODE);
    stage.type_keys(b"\n");
    assert_eq!(stage.message(), code());
    stage.say(&ToClient::RecoveryCodes {
        codes: vec![secret("aaaa-bbbb"), secret("cccc-dddd")],
    });
    stage.say(&ToClient::Done);
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 0);
    assert!(
        seen.ends_with(
            "Recovery codes (each works once; this is the only time they are shown):\r\n  \
             aaaa-bbbb\r\n  cccc-dddd\r\n"
        ),
        "{seen}"
    );
    assert!(!seen.contains("987654"), "{seen}");
}

#[test]
fn where_no_picture_fits_the_text_is_there_and_the_reason_is_said() {
    for (settings, columns, why) in [
        (
            "TERM=dumb LC_ALL=C.UTF-8",
            80,
            "this terminal cannot draw a QR code",
        ),
        ("TERM=xterm LC_ALL=C.UTF-8", 30, "it has 30 columns"),
        ("TERM=xterm LC_ALL=C", 60, "it has 60 columns"),
    ] {
        let mut stage = manager(settings, columns);
        stage.until_seen(why);
        stage.until_seen(TEXT);
        stage.type_keys(b"\x03");
        let (status, seen) = stage.finish();
        assert_eq!(shell_status(status), 130);
        assert!(!seen.contains('█') && !seen.contains("\x1b["), "{seen}");
    }
}

#[test]
fn a_file_gets_the_text_and_no_picture() {
    let settings = "TERM=xterm LC_ALL=C.UTF-8 bash -c '\"$@\" | cat' --";
    let mut stage = manager(settings, 80);
    stage.until_seen("Secret: JBSWY3DPEHPK3PXP\r\n");
    stage.type_keys(b"\x03");
    let (_, seen) = stage.finish();
    assert!(!seen.contains('█') && !seen.contains("\x1b["), "{seen}");
}

#[test]
fn a_secret_that_nobody_can_confirm_is_not_shown() {
    let mut stage = Stage::script(&format!("setsid --wait {} mfa", client()));
    stage.say(&ToClient::Enrolment {
        uri: secret("otpauth://totp/web1:alice?secret=JBSWY3DPEHPK3PXP"),
        secret: secret("JBSWY3DPEHPK3PXP"),
    });
    stage.until_seen("there is no terminal to ask for it");
    let (status, seen) = stage.finish();
    assert_eq!(shell_status(status), 1);
    assert!(!seen.contains("JBSWY"), "{seen}");
}

#[test]
fn in_the_background_the_question_waits_for_the_foreground() {
    let script = format!(
        "set -m; {} & IFS= read -r line; echo \"shell has [$line]\"; fg; echo done $?",
        client()
    );
    let mut stage = Stage::script(&script);
    ask(&stage);
    stage.type_keys(b"mine\n");
    stage.until_seen("shell has [mine]");
    stage.until_seen(PROMPT);
    assert!(stage.is_hidden());
    stage.type_keys(CODE);
    stage.type_keys(b"\n");
    assert_eq!(stage.message(), code());
    stage.attach(TERMINAL, true);
    stage.end(Status::Exited(0));
    stage.until_seen("done 0");
    let (_, seen) = stage.finish();
    assert!(!seen.contains("98"), "{seen}");
}
