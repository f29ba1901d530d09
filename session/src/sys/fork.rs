//! fork(2) without an exec.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::Pid;

/// Fork a child that runs `child` and exits with its status; it never returns into the caller's
/// frames, and runs none of their destructors.
///
/// Only for processes with one thread: the child goes on allocating.
pub(crate) fn fork(child: impl FnOnce() -> i32) -> io::Result<Pid> {
    // SAFETY: fork has no memory preconditions; in a process with one thread no lock of the
    // allocator can be held by anybody else, so that the child may run ordinary code.
    parent_or(unsafe { libc::fork() }, child)
}

/// The same, with the child in the cgroup of this folder from its first instruction on
/// (clone(2), `CLONE_INTO_CGROUP`). Moving a process there later makes it, and every fork and exit
/// on the machine, wait for the kernel: 10 ms and more where that is rare.
pub(crate) fn fork_into(cgroup: BorrowedFd<'_>, child: impl FnOnce() -> i32) -> io::Result<Pid> {
    clone(Some(cgroup), 0, child)
}

/// The same, with the child the first process of a new pid namespace (pid_namespaces(7)): when it
/// ends, the kernel ends all others in there.
pub(crate) fn fork_pid_namespace(
    cgroup: Option<BorrowedFd<'_>>,
    child: impl FnOnce() -> i32,
) -> io::Result<Pid> {
    clone(cgroup, libc::CLONE_NEWPID as u64, child)
}

fn clone(
    cgroup: Option<BorrowedFd<'_>>,
    namespaces: u64,
    child: impl FnOnce() -> i32,
) -> io::Result<Pid> {
    /// libc's constant does not fit its type (clone(2): 0x200000000).
    const CLONE_INTO_CGROUP: u64 = 1 << 33;
    // SAFETY: all-zero is a valid value of this struct of integers.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = namespaces;
    arguments.exit_signal = libc::SIGCHLD as u64;
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: the arguments are live during the call, and ask for what fork does: the child has a
    // copy of all memory and goes on with this stack. As in `fork` for the rest; what glibc's fork
    // does beside the call concerns other threads, of which there are none.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut arguments,
            size_of::<libc::clone_args>(),
        )
    };
    parent_or(pid as libc::pid_t, child)
}

/// In the parent the child's pid; the child runs, and never returns.
fn parent_or(pid: libc::pid_t, child: impl FnOnce() -> i32) -> io::Result<Pid> {
    match pid {
        0 => {
            // A panic must not unwind into the parent's frames: its message is on standard error.
            let status = catch_unwind(AssertUnwindSafe(child)).unwrap_or(101);
            // SAFETY: _exit never returns and touches no memory of ours.
            unsafe { libc::_exit(status) }
        }
        pid if pid < 0 => Err(io::Error::last_os_error()),
        pid => Pid::from_raw(pid).ok_or_else(|| io::Error::other("a child without a pid")),
    }
}
