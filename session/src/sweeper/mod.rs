//! The sweeper: ends every process of a leaver, by uid. Forked by the launcher for one order; of
//! what a user made it reads `/proc/PID/status` and nothing else.
//!
//! A storm of forks outruns whoever walks through `/proc`, and leaves no time to do so. So all are
//! stopped first, and each round sends SIGKILL twice: to all at once (see `broom`), which no fork
//! escapes, and to each process that a scan finds, which reaches those that have the uid as their
//! effective or file-system uid alone.
//!
//! A container that has no user namespace of its own shares the host's uids: whoever has this uid in
//! it ends, too.

mod broom;
mod scan;

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use elevate_protocol::launch::{EndUser, UserEnded};
use elevate_protocol::limits::LOWEST_LEAVER;
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, getrlimit, pidfd_send_signal,
    set_dumpable_behavior, setpriority_process, setrlimit,
};

use crate::sys;

/// How long to try. A process that is left then sleeps where no signal reaches it.
const TIME: Duration = Duration::from_secs(2);
/// How long to wait for those that got the signal before looking again.
const ROUND: Duration = Duration::from_millis(20);
/// Ends us where `/proc` itself hangs; `elevated` then sees the reply's socket close.
const ALARM: u32 = 10;
/// So many rounds in a row that find nobody are the end.
const EMPTY_ROUNDS: u32 = 2;

/// Carry out the [`EndUser`] in `body` and answer on `reply`; the exit status of this process.
/// Without an answer nothing is known about what is left.
pub fn run(body: &[u8], reply: &OwnedFd) -> i32 {
    let outcome = order(body).and_then(|uid| {
        sys::signals::alarm(ALARM);
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        be_quick();
        let ended = end(uid)?;
        seqpacket::send(reply, &message::encode(&ended), &[], Wait::Yes)
    });
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("cannot end a leaver's processes: {error}");
            1
        }
    }
}

/// Thousands of processes may want the processor too; and one pidfd is held for each of them. Where
/// either is refused, it goes on with what it has.
fn be_quick() {
    const HIGHEST: i32 = -20;
    let _ = setpriority_process(None, HIGHEST);
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    let _ = setrlimit(Resource::Nofile, most);
}

/// The uid of the order, if it can be a leaver's.
fn order(body: &[u8]) -> io::Result<u32> {
    let Ok(Frame::Message(EndUser { uid })) = message::decode::<EndUser>(body) else {
        return Err(io::Error::other("malformed order"));
    };
    // Above it, 2³²−1 means "nobody" to system calls, and some programs take the rest as negative.
    if uid < LOWEST_LEAVER || i32::try_from(uid).is_err() {
        return Err(io::Error::other(format!("uid {uid} is never a leaver's")));
    }
    Ok(uid)
}

/// Kill until [`EMPTY_ROUNDS`] in a row found nobody, or [`TIME`] is over.
fn end(uid: u32) -> io::Result<UserEnded> {
    let begin = Instant::now();
    let mut hit = Hit::default();
    let mut empty = 0;
    // The rounds do without it, if they must.
    let _ = broom::sweep(uid, Signal::STOP);
    loop {
        let found = scan::processes_of(uid)?;
        let swept = broom::sweep(uid, Signal::KILL);
        let left = found.len();
        hit.kill(found);
        match &swept {
            // Without the broom nobody knows what hides between two scans.
            Ok(()) if left == 0 => empty += 1,
            _ => empty = 0,
        }
        if empty == EMPTY_ROUNDS {
            return Ok(hit.outcome(0));
        }
        if begin.elapsed() >= TIME {
            swept?;
            return Ok(hit.outcome(left));
        }
        hit.wait();
    }
}

/// Those that got the signal.
#[derive(Default)]
struct Hit {
    /// Not seen to end yet.
    dying: HashMap<Pid, OwnedFd>,
    count: u32,
}

impl Hit {
    /// Send SIGKILL to the process behind each pidfd. Who took over the pid of one that ended since
    /// it was looked at has another pidfd, and gets nothing.
    fn kill(&mut self, found: Vec<(Pid, OwnedFd)>) {
        for (pid, pidfd) in found {
            // It may have ended by the broom already: it was one of theirs all the same.
            let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            let before = self.dying.insert(pid, pidfd);
            let again = before.is_some_and(|before| !scan::has_ended(before.as_fd()));
            self.count += u32::from(!again);
        }
    }

    /// Wait until they all ended, for [`ROUND`] at most.
    fn wait(&mut self) {
        let begin = Instant::now();
        while let Some(rest) = ROUND.checked_sub(begin.elapsed()) {
            self.dying
                .retain(|_, pidfd| !scan::has_ended(pidfd.as_fd()));
            let Some(one) = self.dying.values().next() else {
                return;
            };
            until_ended(one.as_fd(), rest);
        }
    }

    fn outcome(&self, left: usize) -> UserEnded {
        UserEnded {
            ended: self.count,
            left: u32::try_from(left).unwrap_or(u32::MAX),
        }
    }
}

/// Wait for the process of `pidfd` to end, for `time` at most; whether it did.
fn until_ended(pidfd: BorrowedFd<'_>, time: Duration) -> bool {
    let time = Timespec::try_from(time).ok();
    let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], time.as_ref());
    ended.is_ok_and(|count| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_below_the_first_leaver_and_no_negative_number_is_ended() {
        for uid in [0, 1, LOWEST_LEAVER - 1, 1 << 31, u32::MAX - 1, u32::MAX] {
            assert!(order(&message::encode(&EndUser { uid })).is_err(), "{uid}");
        }
        for uid in [LOWEST_LEAVER, i32::MAX as u32] {
            assert_eq!(order(&message::encode(&EndUser { uid })).unwrap(), uid);
        }
        for body in [&b"{}"[..], b"", b"{\"uid\":-1}", b"{\"uid\":\"1000\"}"] {
            assert!(order(body).is_err());
        }
    }
}
