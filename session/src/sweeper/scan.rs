//! Who has a uid.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::until_ended;

/// More than `/proc/PID/status` has before the line that we want.
const STATUS_BYTES: u64 = 4096;

/// Every process whose real, effective, saved or file-system uid is `uid` and that has not ended.
///
/// The pidfd is opened before its status is read: if the pid passed to another process between the
/// two, the pidfd's process is gone, and a signal through it reaches nobody.
pub(super) fn processes_of(uid: u32) -> io::Result<Vec<(Pid, OwnedFd)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else {
            continue;
        };
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(Errno::SRCH) => continue,
            // Out of descriptors: first those that were found.
            Err(_) if !found.is_empty() => break,
            Err(error) => return Err(error.into()),
        };
        if status(pid).is_some_and(|status| has(&status, uid)) && !has_ended(pidfd.as_fd()) {
            found.push((pid, pidfd));
        }
    }
    Ok(found)
}

/// The beginning of `/proc/PID/status` (proc_pid_status(5)).
fn status(pid: Pid) -> Option<Vec<u8>> {
    let file = File::open(format!("/proc/{}/status", pid.as_raw_pid())).ok()?;
    let mut status = Vec::new();
    file.take(STATUS_BYTES).read_to_end(&mut status).ok()?;
    Some(status)
}

/// Whether one of the four numbers of the line `Uid:` is `uid`. The name that a process gave itself
/// stands before it, on one line: the kernel escapes its newlines.
fn has(status: &[u8], uid: u32) -> bool {
    let mut lines = status.split(|byte| *byte == b'\n');
    let Some(uids) = lines.find_map(|line| line.strip_prefix(b"Uid:")) else {
        return false;
    };
    let uids = String::from_utf8_lossy(uids);
    uids.split_whitespace()
        .any(|number| number.parse() == Ok(uid))
}

/// Whether every thread of the process of `pidfd` ended. A zombie has; a process whose first thread
/// alone is gone has not.
pub(super) fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    until_ended(pidfd, Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &[u8] = b"Name:\tUid:\t4001\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t7\n\
        Uid:\t1000\t1001\t1002\t1003\nGid:\t4001\t4001\t4001\t4001\nGroups:\t4001 \n";

    #[test]
    fn each_of_the_four_uids_counts_and_nothing_else_does() {
        for uid in 1000..=1003 {
            assert!(has(STATUS, uid), "{uid}");
        }
        for uid in [4001, 7, 0, 100, 10000] {
            assert!(!has(STATUS, uid), "{uid}");
        }
    }

    #[test]
    fn a_name_cannot_forge_a_line() {
        // The kernel writes a newline in a name as `\n`.
        assert!(!has(b"Name:\tx\\nUid:\t4001\nUid:\t1\t1\t1\t1\n", 4001));
        assert!(!has(b"", 4001));
        assert!(!has(b"Uid:\n", 4001));
        assert!(!has(b"Uid:\t-1\t\xff\t4294967296\tx\n", u32::MAX));
    }

    #[test]
    fn we_are_found_by_our_own_uid_with_a_living_pidfd() {
        let own = rustix::process::getuid().as_raw();
        let found = processes_of(own).unwrap();
        let own = found
            .iter()
            .find(|(pid, _)| *pid == rustix::process::getpid());
        assert!(!has_ended(own.unwrap().1.as_fd()));
    }
}
