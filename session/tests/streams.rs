//! Standard streams that a client hands over: what root must not touch reaches nobody.

#[macro_use]
mod support;

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use elevate_protocol::ErrorName;
use elevate_protocol::seqpacket;
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{EndReason, Status, ToServer};
use rustix::fs::{Mode, OFlags, open};
use rustix::pipe::pipe;
use support::{Host, launch};

inside! {
    fn what_is_neither_pipe_nor_file_is_refused() {
        let mut host = Host::start();
        let handed_over: [OwnedFd; 5] = [
            seqpacket::pair().unwrap().0,
            open("/etc/passwd", OFlags::PATH, Mode::empty()).unwrap(),
            rustix::pty::openpt(rustix::pty::OpenptFlags::NOCTTY).unwrap(),
            File::open("/").unwrap().into(),
            File::open("/proc/self/mem").unwrap().into(),
        ];
        for descriptor in handed_over {
            let mut order = launch(&["/bin/cat"]);
            order.routes[0] = Route::Pass;
            let mut led = host.lead(&order);
            led.attach();
            led.hand_over(&[descriptor.as_fd()]);
            assert_eq!(led.refused().0, ErrorName::InvalidArgument, "{descriptor:?}");
            host.expect_over(led.id);
        }
    }

    fn as_many_streams_as_were_agreed_on_are_taken() {
        let mut host = Host::start();
        let (read, write) = pipe().unwrap();
        for handed_over in [&[][..], &[read.as_fd(), write.as_fd()][..]] {
            let mut order = launch(&["/bin/cat"]);
            order.routes[0] = Route::Pass;
            let mut led = host.lead(&order);
            led.attach();
            led.hand_over(handed_over);
            assert_eq!(led.refused().0, ErrorName::InvalidArgument);
        }
    }

    fn a_command_whose_output_nobody_reads_meets_a_closed_pipe() {
        let mut host = Host::start();
        let script = "trap '' PIPE; until ! echo one; do sleep 0.01; done 2>/dev/null; echo two >&2; exit 3";
        let mut led = host.lead(&launch(&["/bin/bash", "-c", script]));
        led.begin(&[]);
        led.say(&ToServer::Unread { error: false });
        assert_eq!(led.ended(), (Status::Exited(3), EndReason::Finished));
        assert_eq!(led.error, b"two\n");
        let mut led = host.lead(&launch(&["/usr/bin/yes"]));
        led.begin(&[]);
        led.say(&ToServer::Unread { error: false });
        assert_eq!(led.ended(), (Status::Signaled(13), EndReason::Finished));
    }

    fn a_pipe_stays_as_blocking_as_its_owner_left_it() {
        let mut host = Host::start();
        let (input, keep) = pipe().unwrap();
        let mut order = launch(&["/bin/sleep", "60"]);
        order.routes[0] = Route::Pass;
        let mut led = host.lead(&order);
        led.begin(&[input.as_fd()]);
        for end in [&input, &keep] {
            let flags = rustix::fs::fcntl_getfl(end).unwrap();
            assert!(!flags.contains(OFlags::NONBLOCK));
        }
    }
}
