//! What a program that passes files tells of them: to its leader alone, and a message to a write.

#[macro_use]
mod support;

use elevate_protocol::launch::{FromLeader, Launch, Record};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, Status, ToClient};
use elevate_protocol::transfer::{Action, Transfer};
use support::{Host, launch, recorded};

/// Speaks as sftp-server does.
fn speaking(script: &str) -> Launch {
    Launch {
        routes: [Route::Null, Route::Carry, Route::Log],
        record: Record::Output,
        ..launch(&["/bin/dash", "-c", script])
    }
}

fn heard(led: &mut support::Led) -> Option<Transfer> {
    match led.hear_control() {
        FromLeader::Transfer(transfer) => Some(transfer),
        FromLeader::Ended { status, reason, .. } => {
            assert_eq!((status, reason), (Status::Exited(0), EndReason::Finished));
            None
        }
        other => panic!("{other:?}"),
    }
}

inside! {
    fn a_message_is_what_came_as_one_from_the_program_itself() {
        let mut host = Host::start();
        // A name with a line in it that looks like a message, and a message of another process.
        let script = r#"printf 'remove name "/a\r\nremove name "/forged""\r\n' >&2
            /usr/bin/printf 'remove name "/of-another"\r\n' >&2
            printf 'session closed for local user a\r\n' >&2
            printf 'rmdir name "/last"\r\n' >&2; echo out"#;
        let mut led = host.lead(&speaking(script));
        led.begin(&[]);
        let first = heard(&mut led).unwrap();
        let name = "/a\r\nremove name \"/forged\"";
        assert_eq!((first.action, first.path), (Action::Remove, name.into()));
        let last = heard(&mut led).unwrap();
        assert_eq!((last.action, last.path), (Action::Rmdir, "/last".into()));
        assert_eq!(heard(&mut led), None);
        assert!(matches!(led.hear_client(), ToClient::Ended { .. }));
        assert_eq!((led.output().as_str(), &led.error[..]), ("out\n", &b""[..]));
        let shown = recorded(led.id);
        assert!(shown.contains("session closed") && !shown.contains("of-another"), "{shown}");
        assert_eq!(shown.matches("\r\n").count(), 3, "{shown}");
    }

    fn more_than_a_socket_holds_arrives_whole_and_in_order() {
        let mut host = Host::start();
        let script = r#"i=0; while [ $i -lt 3000 ]; do printf 'remove name "/%d"\r\n' $i >&2; i=$((i+1)); done"#;
        let mut led = host.lead(&speaking(script));
        led.begin(&[]);
        for number in 0..3000 {
            let transfer = heard(&mut led).unwrap();
            assert_eq!(transfer.path, format!("/{number}").as_str().into());
        }
        assert_eq!(heard(&mut led), None);
    }
}
