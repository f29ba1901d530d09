//! fork(2) without an exec.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::Pid;

/// Fork a child that runs `child` and exits with its status; it never returns into the caller's
/// frames, and runs none of their destructors.
///
/// Only for processes with one thread: the child goes on allocating.
pub(crate) fn fork(child: impl FnOnce() -> i32) -> io::Result<Pid> {
    // SAFETY: fork has no memory preconditions; in a process with one thread no lock of the
    // allocator can be held by anybody else, so that the child may run ordinary code.
    match unsafe { libc::fork() } {
        0 => {
            // A panic must not unwind into the parent's frames: its message is on standard error.
            let status = catch_unwind(AssertUnwindSafe(child)).unwrap_or(101);
            // SAFETY: _exit never returns and touches no memory of ours.
            unsafe { libc::_exit(status) }
        }
        pid => Pid::from_raw(pid)
            .filter(|pid| pid.as_raw_pid() > 0)
            .ok_or_else(io::Error::last_os_error),
    }
}
