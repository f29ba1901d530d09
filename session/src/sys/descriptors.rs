//! Descriptors by number: those that systemd hands over, those a child must not keep, and the
//! standard ones.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Descriptors passed by the service manager with their names (sd_listen_fds_with_names(3)).
///
/// To be called once, at the start of the process.
pub(crate) fn passed_by_systemd() -> io::Result<Vec<(OwnedFd, String)>> {
    let passed = sd_notify::listen_fds_with_names()?;
    Ok(passed
        .map(|(number, name)| {
            // SAFETY: systemd opened these numbers for this process, which has opened nothing under
            // them itself, and this function is their first and only owner.
            (unsafe { OwnedFd::from_raw_fd(number) }, name)
        })
        .collect())
}

/// Close every descriptor above the standard ones but `kept`.
///
/// Only for a forked child that never returns into its parent's frames: owners of the closed
/// descriptors may still be in its memory, but nothing runs there any more.
pub(crate) fn close_all_but(kept: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut kept: Vec<RawFd> = kept.iter().map(AsRawFd::as_raw_fd).collect();
    kept.sort_unstable();
    let mut from = 3;
    for number in kept {
        close_range(from, number - 1)?;
        from = from.max(number + 1);
    }
    close_range(from, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: closing descriptors touches no memory; that none of these is used any more is
    // what `close_all_but` asks of its callers.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Make `descriptor` the standard stream `number` (0 to 2), open across an exec.
pub(crate) fn become_standard(descriptor: BorrowedFd<'_>, number: RawFd) -> io::Result<()> {
    debug_assert!((0..=2).contains(&number) && descriptor.as_raw_fd() > 2);
    // SAFETY: dup2 touches no memory, and the standard numbers have no owner in this crate.
    if unsafe { libc::dup2(descriptor.as_raw_fd(), number) } != number {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
