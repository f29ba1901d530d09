//! How sessions end: on time, at a word, and when somebody goes away. Always the whole tree.

#[macro_use]
mod support;

use elevate_protocol::launch::{FromLeader, Launch, ToLeader};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, Status, ToClient, Window};
use elevate_protocol::{ErrorName, paths};
use rustix::process::{Pid, Signal, kill_process};
use support::{Host, Led, launch, now, poll_until, processes};

/// A command whose tree spreads as far as it can, and says so when it has.
fn spreading() -> Launch {
    let script = "trap '' HUP TERM INT
        setsid sh -c 'trap \"\" HUP TERM; echo one; sleep 300' &
        nohup sleep 300 &
        (setsid sh -c 'sh -c \"echo two; exec sleep 300\" & exec sleep 300' &)
        while :; do sleep 300; done";
    launch(&["/bin/sh", "-c", script])
}

fn spread(host: &mut Host, order: &Launch) -> Led {
    let mut led = host.lead(order);
    led.begin(&[]);
    poll_until("the whole tree", || {
        (processes(led.id).len() >= 6).then_some(())
    });
    led
}

inside! {
    fn the_tree_ends_with_its_command() {
        let mut host = Host::start();
        let script = "setsid sleep 300 & nohup sleep 300 & exit 3";
        let mut led = host.lead(&launch(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        assert_eq!(led.ended(), (Status::Exited(3), EndReason::Finished));
        assert!(processes(led.id).is_empty());
        host.expect_over(led.id);
    }

    fn the_tree_ends_at_the_deadline() {
        let mut host = Host::start();
        let mut order = spreading();
        order.deadline = now() + 1500;
        order.record = elevate_protocol::launch::Record::Output;
        let deadline = order.deadline;
        let mut led = spread(&mut host, &order);
        assert_eq!(led.ended(), (Status::Signaled(9), EndReason::Deadline));
        let late = now().checked_sub(deadline).expect("it ended before its time");
        assert!(late < 1000, "{late} ms late");
        assert!(processes(led.id).is_empty());
    }

    fn a_deadline_that_is_over_lets_nothing_begin() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/touch", "/mnt/touched"]);
        order.deadline = now() - 1;
        let mut led = host.lead(&order);
        led.attach();
        assert_eq!(led.refused().0, ErrorName::TimedOut);
        assert!(!std::path::Path::new("/mnt/touched").exists());
    }

    fn the_tree_ends_when_it_is_revoked() {
        let mut host = Host::start();
        let mut led = spread(&mut host, &spreading());
        let reason = EndReason::Revoked { by: "bob".into() };
        let end = ToLeader::End {
            reason: reason.clone(),
        };
        led.tell(&end);
        assert_eq!(led.ended(), (Status::Signaled(9), reason));
        assert!(processes(led.id).is_empty());
    }

    fn a_grant_that_is_revoked_before_the_command_lets_nothing_begin() {
        let mut host = Host::start();
        let mut led = host.lead(&launch(&["/bin/true"]));
        led.attach();
        led.tell(&ToLeader::End {
            reason: EndReason::Revoked { by: "bob".into() },
        });
        assert_eq!(led.refused().0, ErrorName::Denied);
        host.expect_over(led.id);
    }

    fn the_tree_ends_when_nobody_could_revoke_it_any_more() {
        let mut host = Host::start();
        let mut led = spread(&mut host, &spreading());
        led.drop_control();
        match led.hear_client() {
            ToClient::Ended { reason, .. } => {
                assert_eq!(reason, EndReason::DaemonGone);
            }
            other => panic!("{other:?}"),
        }
        assert!(processes(led.id).is_empty());
    }

    fn the_tree_ends_when_the_client_is_gone() {
        let mut host = Host::start();
        let mut led = spread(&mut host, &spreading());
        led.drop_client();
        assert_eq!(led.ended_for_elevated(), (Status::Signaled(9), EndReason::ClientGone));
        assert!(processes(led.id).is_empty());
    }

    fn a_command_hears_that_its_client_hung_up() {
        let mut host = Host::start();
        let script = "trap 'echo bye > /mnt/bye; exit 5' HUP; echo; while :; do sleep 0.01; done";
        let mut order = launch(&["/bin/sh", "-c", script]);
        order.window = Some(Window { rows: 24, columns: 80 });
        order.routes = [Route::Terminal; 3];
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.shows("\n");
        led.drop_client();
        assert_eq!(led.ended_for_elevated(), (Status::Exited(5), EndReason::ClientGone));
        assert!(std::path::Path::new("/mnt/bye").exists());
    }

    fn a_client_that_goes_before_the_command_lets_nothing_begin() {
        let mut host = Host::start();
        let mut led = host.lead(&launch(&["/bin/touch", "/mnt/touched"]));
        led.attach();
        led.drop_client();
        led.make_scope();
        match led.hear_control() {
            FromLeader::Failed { error, .. } => assert_eq!(error, ErrorName::Withdrawn),
            other => panic!("{other:?}"),
        }
        host.expect_over(led.id);
        assert!(!std::path::Path::new("/mnt/touched").exists());
    }

    fn the_tree_ends_when_its_leader_is_killed() {
        let mut host = Host::start();
        let mut led = spread(&mut host, &spreading());
        kill_process(Pid::from_raw(led.leader).unwrap(), Signal::KILL).unwrap();
        host.expect_over(led.id);
        assert!(processes(led.id).is_empty());
        led.drop_client();
    }

    fn the_tree_ends_when_its_leader_dies_while_the_launcher_is_down() {
        let mut host = Host::start();
        let led = spread(&mut host, &spreading());
        host.kill_launcher();
        kill_process(Pid::from_raw(led.leader).unwrap(), Signal::KILL).unwrap();
        assert!(processes(led.id).len() >= 6);
        host.start_launcher();
        host.expect_over(led.id);
    }

    fn a_session_that_no_leader_is_known_for_is_ended() {
        let mut host = Host::start();
        let led = spread(&mut host, &spreading());
        host.kill_launcher();
        host.forget_stored();
        host.start_launcher();
        host.expect_over(led.id);
    }

    fn a_session_goes_on_while_the_launcher_restarts() {
        let mut host = Host::start();
        let script = "while ! [ -e /mnt/go ]; do sleep 0.01; done; echo done";
        let mut led = host.lead(&launch(&["/bin/sh", "-c", script]));
        led.begin(&[]);
        host.restart_launcher();
        std::fs::write("/mnt/go", "").unwrap();
        assert_eq!(led.ended(), (Status::Exited(0), EndReason::Finished));
        assert_eq!(led.output(), "done\n");
        host.expect_over(led.id);
    }

    fn a_session_that_cannot_be_recorded_never_begins() {
        let mut host = Host::start();
        std::fs::remove_dir(paths::RECORDINGS).unwrap();
        let mut order = launch(&["/bin/touch", "/mnt/touched"]);
        order.record = elevate_protocol::launch::Record::Output;
        let mut led = host.lead(&order);
        led.attach();
        assert_eq!(led.refused().0, ErrorName::Failed);
        assert!(!std::path::Path::new("/mnt/touched").exists());
    }

    fn a_session_that_can_no_longer_be_recorded_ends() {
        let mut host = Host::start();
        let small = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "none", paths::RECORDINGS])
            .status();
        assert!(small.unwrap().success());
        let script = "head -c 100000000 /dev/urandom; sleep 300";
        let mut order = launch(&["/bin/sh", "-c", script]);
        order.record = elevate_protocol::launch::Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().1, EndReason::RecordingFailed);
        assert!(processes(led.id).is_empty());
    }

    fn a_killed_leader_leaves_a_recording_up_to_the_last_second() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/sh", "-c", "echo seen; sleep 300"]);
        order.record = elevate_protocol::launch::Record::Output;
        let mut led = host.lead(&order);
        led.begin(&[]);
        poll_until("the flush", || {
            support::recorded(led.id).contains("seen").then_some(())
        });
        kill_process(Pid::from_raw(led.leader).unwrap(), Signal::KILL).unwrap();
        host.expect_over(led.id);
        assert!(support::recorded(led.id).contains("seen"));
    }
}
