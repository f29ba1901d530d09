//! The way to the deadline: warnings, a grace, extensions.

#[macro_use]
mod support;

use elevate_protocol::launch::ToLeader;
use elevate_protocol::stream::{EndReason, Status};
use support::{Host, launch, now, poll_until, processes};

inside! {
    fn the_person_is_warned_and_told_what_to_do() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/sleep", "60"]);
        order.deadline = now() + 2500;
        order.warnings = vec![120_000, 2000, 1000];
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended().1, EndReason::Deadline);
        let id = led.id;
        let said = ["2 seconds", "1 second"].map(|left| {
            format!("the session ends in {left}; to go on for longer: elevatectl extend {id}")
        });
        assert_eq!(led.notices, said);
    }

    fn within_the_grace_the_tree_may_end_by_itself() {
        let mut host = Host::start();
        // One is stopped, one is in a session of its own.
        let script = "setsid sh -c 'trap \"echo two; exit\" TERM; while :; do sleep 0.02; done' &
            sh -c 'trap \"echo three; exit\" TERM; kill -STOP $$; while :; do sleep 0.02; done' &
            trap 'wait; wait; echo one; exit 5' TERM; echo ready; while :; do sleep 0.02; done";
        let mut order = launch(&["/bin/bash", "-c", script]);
        (order.deadline, order.grace) = (now() + 31_000, 30_000);
        let begun = now();
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended(), (Status::Exited(5), EndReason::Deadline));
        assert!(now() >= begun + 1000, "too early");
        let mut said: Vec<_> = led.output().lines().map(str::to_owned).collect();
        assert_eq!(said.remove(0), "ready");
        assert_eq!(said.pop().unwrap(), "one");
        said.sort_unstable();
        assert_eq!(said, ["three", "two"]);
        assert!(led.notices[0].contains("asked to end, and is killed in 30 seconds"), "{:?}", led.notices);
    }

    fn what_does_not_heed_the_grace_is_killed_at_the_deadline() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/sh", "-c", "trap '' TERM; sleep 300"]);
        (order.deadline, order.grace) = (now() + 2000, 1000);
        let deadline = order.deadline;
        let mut led = host.lead(&order);
        led.begin(&[]);
        assert_eq!(led.ended(), (Status::Signaled(9), EndReason::Deadline));
        assert!(now() >= deadline, "too early");
        assert!(processes(led.id).is_empty());
    }

    fn a_revoked_session_has_no_grace() {
        let mut host = Host::start();
        let script = "trap 'echo told' TERM; echo ready; while :; do sleep 0.02; done";
        let mut order = launch(&["/bin/sh", "-c", script]);
        order.grace = 30_000;
        let mut led = host.lead(&order);
        led.begin(&[]);
        let reason = EndReason::Revoked { by: "bob".into() };
        led.tell(&ToLeader::End { reason: reason.clone() });
        assert_eq!(led.ended(), (Status::Signaled(9), reason));
        assert!(!led.output().contains("told"));
    }

    fn a_session_that_is_extended_goes_on_and_is_warned_anew() {
        let mut host = Host::start();
        let mut order = launch(&["/bin/sleep", "300"]);
        let begun = now();
        (order.deadline, order.warnings) = (begun + 3000, vec![1500]);
        let mut led = host.lead(&order);
        led.begin(&[]);
        led.tell(&ToLeader::Extend { deadline: begun + 6000 });
        // Never earlier.
        led.tell(&ToLeader::Extend { deadline: begun + 1000 });
        poll_until("the first deadline", || (now() > begun + 3500).then_some(()));
        assert!(!processes(led.id).is_empty());
        assert_eq!(led.ended().1, EndReason::Deadline);
        assert!(now() >= begun + 6000, "too early");
        let said: Vec<_> = led.notices.iter().map(|notice| &notice[..20]).collect();
        assert_eq!(said, ["the session is exten", "the session ends in "], "{:?}", led.notices);
    }

    fn an_extension_within_the_grace_lets_the_command_finish_by_itself() {
        let mut host = Host::start();
        let script = "trap 'echo asked' TERM; echo ready; until [ -e /mnt/go ]; do sleep 0.02; done; exit 3";
        let mut order = launch(&["/bin/sh", "-c", script]);
        let begun = now();
        (order.deadline, order.grace) = (begun + 20_000, 19_000);
        let mut led = host.lead(&order);
        led.begin(&[]);
        poll_until("the grace", || (now() > begun + 1500).then_some(()));
        led.tell(&ToLeader::Extend { deadline: begun + 600_000 });
        std::fs::write("/mnt/go", "").unwrap();
        assert_eq!(led.ended(), (Status::Exited(3), EndReason::Finished));
        assert_eq!(led.output(), "ready\nasked\n");
    }
}
