//! Signals while an editor runs. They are caught and not blocked: the editor would inherit a mask,
//! and what is caught has its default effect again once the editor is executed (execve(2)).

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::Signal;

use crate::signals::{FATAL, ignored_by_us};

/// What is caught, and what came of it.
#[derive(Debug)]
pub(super) struct Caught {
    wake: UnixStream,
    flags: Vec<(Signal, Arc<AtomicBool>)>,
}

impl Caught {
    /// From now on until our process ends: whatever would end us, and news of the editor.
    pub(super) fn install() -> io::Result<Caught> {
        let (wake, far) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let ignored = ignored_by_us();
        let wanted = FATAL.into_iter().chain([Signal::SIGCHLD, Signal::SIGCONT]);
        let mut flags = Vec::new();
        for signal in wanted.filter(|signal| ignored & (1 << (*signal as i32 - 1)) == 0) {
            let flag = Arc::new(AtomicBool::new(false));
            // First the flag, then the byte that has us look at it.
            signal_hook::flag::register(signal as i32, Arc::clone(&flag))?;
            signal_hook::low_level::pipe::register(signal as i32, far.try_clone()?)?;
            flags.push((signal, flag));
        }
        Ok(Caught { wake, flags })
    }

    /// What came since.
    pub(super) fn arrived(&mut self) -> Vec<Signal> {
        let mut bytes = [0; 64];
        while self.wake.read(&mut bytes).is_ok_and(|count| count > 0) {}
        let came = |(_, flag): &&(Signal, Arc<AtomicBool>)| flag.swap(false, Ordering::SeqCst);
        self.flags
            .iter()
            .filter(came)
            .map(|(signal, _)| *signal)
            .collect()
    }
}

impl AsFd for Caught {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
