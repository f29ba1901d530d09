//! Terminals that are held because nobody pressed a key for long.

#[macro_use]
mod support;

use std::io::IoSlice;
use std::mem::MaybeUninit;

use elevate_protocol::Secret;
use elevate_protocol::launch::{FromLeader, Launch, Record, ToLeader};
use elevate_protocol::message;
use elevate_protocol::recording::{Event, Mark};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, ToClient, ToServer, Window};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, UCred, sendmsg};
use rustix::process::{Gid, Pid, Uid};
use support::{Host, Led, launch, poll_until};

/// Shows every word, every signal, every size, and now and then something by itself.
const SCRIPT: &str = "trap 'echo caught INT' INT; trap stty\\ size WINCH
    (while echo tick; do echo >>/mnt/ticks; sleep 0.02; done) &
    echo ready; while :; do read word && echo \"got $word\"; done";

fn idle(milliseconds: u64) -> Launch {
    Launch {
        window: Some(Window {
            rows: 30,
            columns: 100,
        }),
        routes: [Route::Terminal; 3],
        record: Record::Output,
        idle: Some(milliseconds),
        ..launch(&["/bin/bash", "-c", SCRIPT])
    }
}

/// A session that runs, until it is held.
fn held(host: &mut Host, milliseconds: u64) -> Led {
    let mut led = host.lead(&idle(milliseconds));
    led.begin(&[]);
    match led.hear_client() {
        ToClient::Held { text } => assert!(text.contains("no key was pressed"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(led.hear_control(), FromLeader::Held);
    led
}

fn ask(led: &mut Led) {
    let prompt = "Verification code: ".to_owned();
    led.tell(&ToLeader::AskCode {
        prompt: prompt.clone(),
    });
    let shown = led.terminal.len();
    assert_eq!(led.hear_client(), ToClient::AskCode { prompt });
    assert_eq!(led.terminal.len(), shown, "something was shown");
}

fn code(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

/// Wait until the command did something that it also showed.
fn until_it_ticked() {
    let ticks = || std::fs::metadata("/mnt/ticks").map_or(0, |file| file.len());
    let before = ticks();
    poll_until("some ticks", || (ticks() > before + 2).then_some(()));
}

/// Say it as another process would that holds the stream too. Only root can play one so.
fn say_as(led: &Led, pid: i32, message: &ToServer) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let other = UCred {
        pid: Pid::from_raw(pid).unwrap(),
        uid: Uid::ROOT,
        gid: Gid::ROOT,
    };
    assert!(control.push(SendAncillaryMessage::ScmCredentials(other)));
    let packet = message::encode(message);
    let flags = SendFlags::empty();
    sendmsg(led.client(), &[IoSlice::new(&packet)], &mut control, flags).unwrap();
}

inside! {
    fn a_held_terminal_shows_and_takes_nothing_until_it_is_released() {
        let mut host = Host::start();
        let mut led = held(&mut host, 4000);
        led.type_in("typed\n");
        led.say(&ToServer::Signal { number: 2 });
        led.say(&ToServer::Resize { window: Window { rows: 40, columns: 120 } });
        until_it_ticked();
        ask(&mut led);
        led.say(&ToServer::Code { text: code("123456") });
        assert_eq!(led.hear_control(), FromLeader::Code { text: code("123456") });
        // It was wrong.
        ask(&mut led);
        led.say(&ToServer::Code { text: code("654321") });
        assert_eq!(led.hear_control(), FromLeader::Code { text: code("654321") });
        led.tell(&ToLeader::Release);
        assert_eq!(led.hear_client(), ToClient::Released);
        // The shell looks at signals when its line is there.
        led.type_in("word\n");
        led.shows("40 120");
        led.shows("got word");
        let shown = String::from_utf8_lossy(&led.terminal).into_owned();
        assert!(!shown.contains("typed") && !shown.contains("caught"), "{shown}");
        led.tell(&ToLeader::End { reason: EndReason::DaemonGone });
        led.ended();
        let marks = support::events(led.id).into_iter();
        let marks: Vec<_> = marks.filter(|event| matches!(event, Event::Marker(_))).take(2).collect();
        assert_eq!(marks, [Event::Marker(Mark::Held), Event::Marker(Mark::Released)]);
    }

    fn what_is_asked_for_again_is_asked_once_and_only_while_it_is_held() {
        let mut host = Host::start();
        let mut led = host.lead(&idle(1500));
        led.begin(&[]);
        let again = || ToLeader::AskCode { prompt: "again: ".into() };
        led.tell(&again());
        assert!(matches!(led.hear_client(), ToClient::Held { .. }));
        assert_eq!(led.hear_control(), FromLeader::Held);
        ask(&mut led);
        led.tell(&again());
        led.say(&ToServer::Code { text: code("123456") });
        assert_eq!(led.hear_control(), FromLeader::Code { text: code("123456") });
        led.tell(&ToLeader::Release);
        assert_eq!(led.hear_client(), ToClient::Released);
    }

    fn keys_put_it_off() {
        let mut host = Host::start();
        let mut led = host.lead(&idle(2000));
        led.begin(&[]);
        let (begun, mut last) = (support::now(), 0);
        while support::now() < begun + 3000 {
            last = support::now();
            led.type_in("x\n");
            led.shows("got x");
            led.terminal.clear();
        }
        assert!(matches!(led.hear_client(), ToClient::Held { .. }));
        assert!(support::now() >= last + 2000);
    }

    fn a_code_counts_only_where_it_was_asked_for_and_from_whom_began_the_session() {
        let mut host = Host::start();
        let mut led = held(&mut host, 4000);
        ask(&mut led);
        let mut other = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        say_as(&led, other.id() as i32, &ToServer::Code { text: code("of another") });
        led.say(&ToServer::Code { text: code("x".repeat(65).as_str()) });
        led.say(&ToServer::Code { text: code("right") });
        led.say(&ToServer::Code { text: code("unasked") });
        assert_eq!(led.hear_control(), FromLeader::Code { text: code("right") });
        ask(&mut led);
        led.say(&ToServer::Code { text: code("next") });
        assert_eq!(led.hear_control(), FromLeader::Code { text: code("next") });
        other.kill().unwrap();
        other.wait().unwrap();
    }

    fn a_terminal_that_is_held_for_as_long_again_is_the_end() {
        let mut host = Host::start();
        let mut led = held(&mut host, 700);
        let shown = led.terminal.len();
        until_it_ticked();
        assert_eq!(led.ended().1, EndReason::Idle);
        assert_eq!(led.terminal.len(), shown, "something was shown");
        host.expect_over(led.id);
    }

    fn what_is_held_can_be_revoked_and_its_client_can_go() {
        let mut host = Host::start();
        let mut led = held(&mut host, 700);
        let reason = EndReason::Revoked { by: "bob".into() };
        led.tell(&ToLeader::End { reason: reason.clone() });
        assert_eq!(led.ended().1, reason);
        let mut led = held(&mut host, 700);
        led.drop_client();
        assert_eq!(led.ended_for_elevated().1, EndReason::ClientGone);
    }
}
