//! Sessions with a terminal of their own.

#[macro_use]
mod support;

use elevate_protocol::launch::Launch;
use elevate_protocol::seqpacket;
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, Status, ToClient, ToServer, Window};
use support::{Host, account, launch};

fn on_terminal(argv: &[&str]) -> Launch {
    Launch {
        window: Some(Window {
            rows: 30,
            columns: 100,
        }),
        routes: [Route::Terminal; 3],
        ..launch(argv)
    }
}

inside! {
    fn a_command_has_a_terminal_of_its_own() {
        let mut host = Host::start();
        let script = "tty; stty size; stat -c '%u %a' $(tty); echo typed: $(head -n 1)";
        let mut order = on_terminal(&["/bin/sh", "-c", script]);
        order.target = account("alice");
        order.record = elevate_protocol::launch::Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.type_in("something\n");
        assert_eq!(led.ended(), (Status::Exited(0), EndReason::Finished));
        let shown = String::from_utf8_lossy(&led.terminal).into_owned();
        for expected in ["/dev/pts/", "30 100", "4001 620", "typed: something"] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
        assert_eq!(support::recorded(led.id), shown);
    }

    fn the_last_byte_of_a_terminal_arrives() {
        let mut host = Host::start();
        let mut order = on_terminal(&["/bin/sh", "-c", "stty raw; seq 200000"]);
        order.record = elevate_protocol::launch::Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.ended();
        let expected: String = (1..=200_000).map(|n| format!("{n}\n")).collect();
        assert!(led.terminal == expected.as_bytes(), "{} bytes", led.terminal.len());
        assert_eq!(support::recorded(led.id), expected);
    }

    fn a_new_size_reaches_the_command() {
        let mut host = Host::start();
        let script = "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done";
        let mut led = host.lead(&on_terminal(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("ready");
        led.say(&ToServer::Resize {
            window: Window {
                rows: 40,
                columns: 120,
            },
        });
        led.shows("40 120");
        led.ended();
    }

    fn ctrl_c_reaches_the_command_and_not_the_leader() {
        let mut host = Host::start();
        let mut led = host.lead(&on_terminal(&["/bin/sh", "-c", "echo ready; exec sleep 60"]));
        led.begin(&[]);
        led.shows("ready");
        led.type_in("\x03");
        assert_eq!(led.ended(), (Status::Signaled(2), EndReason::Finished));
    }

    fn ctrl_z_stops_the_command_and_it_goes_on_when_the_client_does() {
        let mut host = Host::start();
        // No loop that starts programs: a shell can't stop while a child of its vfork(2) has, on the
        // way to its execve.
        let script = "trap 'echo went on' CONT; sleep 60 & echo ready; while :; do wait; done";
        let mut led = host.lead(&on_terminal(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("ready");
        led.type_in("\x1a");
        match led.hear_client() {
            ToClient::Stopped { signal } => assert_eq!(signal, 20),
            other => panic!("{other:?}"),
        }
        led.say(&ToServer::Continue);
        led.shows("went on");
        led.say(&ToServer::Signal { number: 15 });
        assert_eq!(led.ended().0, Status::Signaled(15));
    }

    fn without_the_keyboard_a_command_shows_what_it_has_and_stops_where_it_reads() {
        let mut host = Host::start();
        let script = "echo shown; echo typed: $(head -n 1 </dev/tty)";
        let mut led = host.lead(&on_terminal(&["/bin/sh", "-c", script]));
        led.attach();
        led.say(&ToServer::Keyboard { given: false });
        led.hand_over(&[]);
        led.make_scope();
        led.running();
        assert_eq!(led.hear_client(), ToClient::Stopped { signal: 21 });
        assert_eq!(led.terminal, b"shown\r\n");
        led.say(&ToServer::Keyboard { given: true });
        led.say(&ToServer::Continue);
        led.type_in("something\n");
        led.shows("typed: something");
        assert_eq!(led.ended(), (Status::Exited(0), EndReason::Finished));
    }

    fn without_the_keyboard_a_command_cannot_change_modes() {
        let mut host = Host::start();
        let mut led = host.lead(&on_terminal(&["/bin/stty", "-echo"]));
        led.attach();
        led.say(&ToServer::Keyboard { given: false });
        led.hand_over(&[]);
        led.make_scope();
        led.running();
        assert_eq!(led.hear_client(), ToClient::Stopped { signal: 22 });
        led.say(&ToServer::Keyboard { given: true });
        led.say(&ToServer::Continue);
        assert_eq!(led.ended(), (Status::Exited(0), EndReason::Finished));
    }

    fn the_keyboard_goes_back_to_the_job_that_had_it() {
        let mut host = Host::start();
        let script = "set -m
            sh -c 'trap \"echo caught; exit\" INT; echo ready; while :; do sleep 0.02; done'
            echo over; read word; echo $word";
        let mut led = host.lead(&on_terminal(&["/bin/bash", "-c", script]));
        led.begin(&[]);
        led.shows("ready");
        for given in [false, true, true] {
            led.say(&ToServer::Keyboard { given });
        }
        led.type_in("\x03");
        led.shows("caught");
        led.shows("over");
        led.type_in("last\n");
        led.shows("last\r\nlast");
        assert_eq!(led.ended().0, Status::Exited(0));
    }

    fn a_command_stops_with_its_client_and_tells_nobody() {
        let mut host = Host::start();
        let script = "trap 'echo went on' CONT; sleep 60 & echo ready; while :; do wait; done";
        let mut led = host.lead(&on_terminal(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("ready");
        led.say(&ToServer::Signal { number: 20 });
        let state = format!("/proc/{}/stat", led.pid);
        support::poll_until("a stopped command", || {
            std::fs::read_to_string(&state).unwrap().contains(") T ").then_some(())
        });
        led.say(&ToServer::Continue);
        // Nothing but what is shown comes before it.
        led.shows("went on");
        led.type_in("\x1a");
        assert_eq!(led.hear_client(), ToClient::Stopped { signal: 20 });
        led.say(&ToServer::Signal { number: 15 });
        led.say(&ToServer::Continue);
        assert_eq!(led.ended().0, Status::Signaled(15));
    }

    fn only_signals_that_a_person_would_send_are_passed_on() {
        let mut host = Host::start();
        let script = "trap 'echo usr1' USR1; echo ready; while :; do sleep 0.01; done";
        let mut led = host.lead(&on_terminal(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        led.shows("ready");
        // SIGKILL, SIGSTOP, a real-time signal, nonsense: not passed on, or this would end here.
        for number in [9, 19, 40, 0, -1, 1000] {
            led.say(&ToServer::Signal { number });
        }
        led.say(&ToServer::Signal { number: 10 });
        led.shows("usr1");
        led.say(&ToServer::Signal { number: 1 });
        assert_eq!(led.ended().0, Status::Signaled(1));
    }

    fn a_terminal_that_is_not_read_takes_no_more_than_fits() {
        let mut host = Host::start();
        let mut led = host.lead(&on_terminal(&["/bin/sh", "-c", "stty raw; echo ready; exec sleep 60"]));
        led.begin(&[]);
        led.shows("ready");
        let typed = elevate_protocol::message::encode_data(
            elevate_protocol::message::Channel::Terminal,
            &[b'x'; 32 * 1024],
        );
        let wait = seqpacket::Wait::No;
        // Until the leader doesn't hear any more: it keeps no more than its share.
        support::poll_until("a full stream", || {
            let sent = seqpacket::send(led.client(), &typed, &[], wait);
            sent.is_err().then_some(())
        });
        led.tell(&elevate_protocol::launch::ToLeader::End {
            reason: EndReason::Revoked { by: "bob".into() },
        });
        assert_eq!(led.ended().1, EndReason::Revoked { by: "bob".into() });
    }
}
