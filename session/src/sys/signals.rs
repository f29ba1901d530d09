//! Signal masks, dispositions and the one signal that may kill us: the alarm.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use rustix::process::Signal;

/// Block every signal but the alarm, whose default is to end the process: it bounds calls into
/// libraries and file systems that could hang.
pub(crate) fn block_all_but_alarm() -> io::Result<()> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigfillset initialises the set, which the other two then read.
    let result = unsafe {
        libc::sigfillset(set.as_mut_ptr());
        libc::sigdelset(set.as_mut_ptr(), libc::SIGALRM);
        libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut())
    };
    check(result)
}

/// A descriptor that becomes readable when a child changes its state or somebody asks us to
/// terminate (signalfd(2)).
pub(crate) fn descriptor() -> io::Result<OwnedFd> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set, which the others then change and read.
    let descriptor = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
        libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    check(descriptor)?;
    // SAFETY: the kernel has just opened this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// The next signal of a descriptor of [`descriptor`]; `None` when there is none.
pub(crate) fn next(descriptor: impl AsFd) -> Option<i32> {
    let mut record = [0; size_of::<libc::signalfd_siginfo>()];
    let got = rustix::io::read(descriptor, &mut record).ok()?;
    // The signal's number is the first field, 32 bits wide.
    let number = record.get(..4).filter(|_| got == record.len())?;
    Some(i32::from_ne_bytes(number.try_into().ok()?))
}

/// Every signal back to its default, and none blocked, as a command expects to begin.
pub(crate) fn restore_defaults() -> io::Result<()> {
    // The kernel's own `struct sigaction`: all zero is SIG_DFL without flags, on every machine no
    // longer than this. Not through glibc, which refuses to touch two signals.
    const DEFAULT: [usize; 4] = [0; 4];
    const SET_BYTES: usize = 8;
    for signal in 1..=64 {
        let none = std::ptr::null_mut::<libc::c_void>();
        let default = DEFAULT.as_ptr();
        // SAFETY: the kernel reads one `struct sigaction` and installs no handler of ours; it
        // refuses the two signals that cannot be changed.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default, none, SET_BYTES) };
    }
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set, which sigprocmask then reads.
    let result = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut())
    };
    check(result)
}

/// Have the kernel take children's statuses itself: nobody here waits for them (wait(2)).
pub(crate) fn ignore_children() -> io::Result<()> {
    // SAFETY: no handler of ours is installed.
    match unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Let the kernel end this process in `seconds`; 0 calls it off (alarm(2)).
pub(crate) fn alarm(seconds: u32) {
    // SAFETY: alarm has no preconditions.
    unsafe { libc::alarm(seconds) };
}

/// Send `signal` to every process but ourselves and PID 1 that this process has the right to signal:
/// with root's rights, the whole machine. So it is refused to whoever has them.
pub(crate) fn send_to_all_that_we_may(signal: Signal) -> io::Result<()> {
    // SAFETY: these calls have no preconditions.
    let ids = unsafe { [libc::getuid(), libc::geteuid()] };
    if ids.contains(&0) || !rustix::thread::capabilities(None)?.effective.is_empty() {
        return Err(io::Error::other("root would hit the whole machine"));
    }
    // SAFETY: kill touches no memory.
    check(unsafe { libc::kill(-1, signal.as_raw()) })
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
