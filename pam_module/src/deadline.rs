//! A point in time after which nothing is waited for.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

use crate::problem::Problem;

/// Counts on the monotonic clock, which nobody sets back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    end: Instant,
    whole: Duration,
}

impl Deadline {
    pub(crate) fn after(whole: Duration) -> Self {
        let end = Instant::now() + whole;
        Deadline { end, whole }
    }

    /// What is left, or that nothing is.
    pub(crate) fn left(&self) -> Result<Duration, Problem> {
        match self.end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(Problem::Late(self.whole)),
            left => Ok(left),
        }
    }

    /// Wait until `socket` is ready for `what`, or failed.
    pub(crate) fn wait(&self, socket: BorrowedFd<'_>, what: PollFlags) -> Result<(), Problem> {
        loop {
            let mut sockets = [PollFd::from_borrowed_fd(socket, what)];
            match poll(&mut sockets, Some(&timespec(self.left()?))) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Wait for a moment, but not past the deadline.
    pub(crate) fn pause(&self, moment: Duration) -> Result<(), Problem> {
        std::thread::sleep(moment.min(self.left()?));
        Ok(())
    }
}

fn timespec(duration: Duration) -> Timespec {
    // A timeout has a few seconds; see `arguments`.
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
