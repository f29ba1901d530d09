//! A timer on CLOCK_BOOTTIME, which goes on while the machine sleeps.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

/// Milliseconds of CLOCK_BOOTTIME.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let (seconds, nanoseconds) = (now.tv_sec as u64, now.tv_nsec as u64);
    seconds * 1000 + nanoseconds / 1_000_000
}

/// Readable from the time on that it was set to.
pub(crate) struct Timer {
    descriptor: OwnedFd,
}

impl Timer {
    /// One that is set to this time.
    pub(crate) fn until(milliseconds: u64) -> rustix::io::Result<Timer> {
        let timer = Timer::new()?;
        timer.set(Some(milliseconds))?;
        Ok(timer)
    }

    /// One that isn't set.
    pub(crate) fn new() -> rustix::io::Result<Timer> {
        let descriptor = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
        Ok(Timer { descriptor })
    }

    /// Set it to `milliseconds` of CLOCK_BOOTTIME, or to never. One that has fired is no longer
    /// readable until it fires again.
    pub(crate) fn set(&self, milliseconds: Option<u64>) -> rustix::io::Result<()> {
        // All zero is never; a time of zero would be the same.
        let at = milliseconds.map_or(0, |at| at.max(1));
        let never = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let once = Itimerspec {
            it_interval: never,
            it_value: Timespec {
                tv_sec: i64::try_from(at / 1000).unwrap_or(i64::MAX),
                tv_nsec: (at % 1000 * 1_000_000) as _,
            },
        };
        timerfd_settime(&self.descriptor, TimerfdTimerFlags::ABSTIME, &once)?;
        Ok(())
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, poll};

    fn fired(timer: &Timer) -> bool {
        let at_once = Timespec::default();
        poll(&mut [PollFd::new(timer, PollFlags::IN)], Some(&at_once)) == Ok(1)
    }

    #[test]
    fn it_fires_when_its_time_is_over_and_again_when_it_is_set_again() {
        let timer = Timer::new().unwrap();
        assert!(!fired(&timer));
        for at in [0, 1, now() - 1] {
            timer.set(Some(at)).unwrap();
            assert!(fired(&timer), "{at}");
            timer.set(None).unwrap();
            assert!(!fired(&timer));
        }
        timer.set(Some(now() + 3_600_000)).unwrap();
        assert!(!fired(&timer));
    }
}
