//! The listener of an exec filter: hear of execs, and let them go on or not (seccomp_unotify(2)).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// `struct seccomp_notif` of linux/seccomp.h.
#[repr(C)]
#[derive(Default)]
pub(crate) struct Notification {
    /// Of this notification, for the answer.
    pub(crate) id: u64,
    /// The thread, in our pid namespace; 0 if it is in none that we see.
    pub(crate) pid: u32,
    flags: u32,
    /// The system call's number.
    pub(crate) number: i32,
    /// The calling convention.
    pub(crate) arch: u32,
    instruction_pointer: u64,
    /// The system call's arguments.
    pub(crate) arguments: [u64; 6],
}

/// `struct seccomp_notif_resp` of linux/seccomp.h.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

const RECEIVE: libc::c_ulong = request(3, 0, size_of::<Notification>());
const SEND: libc::c_ulong = request(3, 1, size_of::<Response>());
const ID_VALID: libc::c_ulong = request(1, 2, size_of::<u64>());
const SET_FLAGS: libc::c_ulong = request(1, 4, size_of::<u64>());

/// `_IOC` of asm-generic/ioctl.h with the type of seccomp.
const fn request(direction: u64, number: u64, size: usize) -> libc::c_ulong {
    (direction << 30 | (size as u64) << 16 | (b'!' as u64) << 8 | number) as libc::c_ulong
}

/// The exec that waits; `None` if its process died meanwhile. Waits itself if none does.
pub(crate) fn receive(listener: BorrowedFd<'_>) -> io::Result<Option<Notification>> {
    let mut notification = Notification::default();
    // SAFETY: RECEIVE fills one zeroed `struct seccomp_notif`, whose size is part of the request's
    // number, so that a kernel with a larger one refuses the request.
    match unsafe { ioctl(listener, RECEIVE, &raw mut notification) } {
        Ok(()) => Ok(Some(notification)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the process of notification `id` still waits: what was read from its memory before was
/// read from that process and not from one that got its pid.
pub(crate) fn still_waits(listener: BorrowedFd<'_>, mut id: u64) -> bool {
    // SAFETY: ID_VALID reads one u64.
    unsafe { ioctl(listener, ID_VALID, &raw mut id) }.is_ok()
}

/// What is answered to a process that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Go on with the system call.
    GoOn,
    /// It fails with EPERM.
    Denied,
}

/// Answer notification `id`. A process that died meanwhile is no error.
pub(crate) fn answer(listener: BorrowedFd<'_>, id: u64, answer: Answer) -> io::Result<()> {
    const CONTINUE: u32 = 1;
    let (error, flags) = match answer {
        Answer::GoOn => (0, CONTINUE),
        Answer::Denied => (-libc::EPERM, 0),
    };
    let mut response = Response {
        id,
        value: 0,
        error,
        flags,
    };
    // SAFETY: SEND reads one `struct seccomp_notif_resp`.
    match unsafe { ioctl(listener, SEND, &raw mut response) } {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        other => other,
    }
}

/// Have whoever is waited for run where the one who waits ran, since only one of them ever runs.
/// Since Linux 6.6; before, a wake-up costs more, and nothing else changes.
pub(crate) fn run_in_turn(listener: BorrowedFd<'_>) {
    const SYNC_WAKE_UP: u64 = 1;
    // SAFETY: the flags are the argument itself, no pointer.
    let _ = unsafe { ioctl(listener, SET_FLAGS, SYNC_WAKE_UP as usize as *mut u8) };
}

/// # Safety
/// `argument` must be valid for what `request` reads and writes.
unsafe fn ioctl<T>(
    descriptor: BorrowedFd<'_>,
    request: libc::c_ulong,
    argument: *mut T,
) -> io::Result<()> {
    // SAFETY: as the caller promises; `as _` since the request's type differs between C libraries.
    let result = unsafe { libc::ioctl(descriptor.as_raw_fd(), request as _, argument) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_the_numbers_of_the_kernels_header() {
        assert_eq!(RECEIVE, 0xc050_2100);
        assert_eq!(SEND, 0xc018_2101);
        assert_eq!(ID_VALID, 0x4008_2102);
        assert_eq!(SET_FLAGS, 0x4008_2104);
    }
}
