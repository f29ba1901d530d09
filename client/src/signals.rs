//! Signals, read from a descriptor (signalfd(2)) so that they take their turn in a poll loop.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Signals that are passed on to the command.
pub const FORWARDED: [Signal; 7] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
];

/// The signals that would end us and that somebody may send: everything that ends a process by
/// default (signal(7)) but faults, and what cannot be caught.
pub const FATAL: [Signal; 14] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGXCPU,
    Signal::SIGXFSZ,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGSTKFLT,
];

/// Blocks some signals for as long as it lives, and reads them instead.
#[derive(Debug)]
pub struct Signals {
    descriptor: SignalFd,
    set: SigSet,
    /// Those of them that others had taken before.
    before: SigSet,
    ignored: Option<u64>,
}

impl Signals {
    /// Take `signals` over from their handlers. To be called before any thread is started.
    pub fn take(signals: &[Signal]) -> io::Result<Signals> {
        let set: SigSet = signals.iter().copied().collect();
        let before = set.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        Ok(Signals {
            descriptor: SignalFd::with_flags(&set, flags)?,
            set,
            before,
            ignored: None,
        })
    }

    /// The next signal that arrived; none if none waits.
    pub fn arrived(&mut self) -> Option<Signal> {
        loop {
            let information = self.descriptor.read_signal().ok().flatten()?;
            let signal = Signal::try_from(information.ssi_signo as i32).ok()?;
            if !self.is_ignored(signal) {
                return Some(signal);
            }
        }
    }

    /// Whether whoever started us wants it ignored (nohup(1), `&` in a script). A blocked signal
    /// arrives here all the same.
    fn is_ignored(&mut self, signal: Signal) -> bool {
        let mask = *self.ignored.get_or_insert_with(ignored_by_us);
        mask & (1 << (signal as i32 - 1)) != 0
    }

    /// Do `work` while `signal` has its usual effect.
    pub fn with_default<T>(&self, signal: Signal, work: impl FnOnce() -> T) -> T {
        let mut one = SigSet::empty();
        one.add(signal);
        let _ = one.thread_unblock();
        let result = work();
        if self.set.contains(signal) {
            let _ = one.thread_block();
        }
        result
    }

    /// Do `work` while all of them have their usual effect: a program started by it inherits that.
    pub fn with_all_default<T>(&self, work: impl FnOnce() -> T) -> T {
        let _ = self.set.thread_unblock();
        let result = work();
        let _ = self.set.thread_block();
        result
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let ours = self.set.iter().filter(|one| !self.before.contains(*one));
        let _ = ours.collect::<SigSet>().thread_unblock();
    }
}

/// A bit for each signal that whoever started us wants ignored: `SigIgn` of proc_pid_status(5), since
/// the standard library has no safe way to ask.
pub(crate) fn ignored_by_us() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
