//! Is it `elevated` that connected? Root alone proves nothing: it must be that service.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use elevate_protocol::paths::DAEMON_CGROUP;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::socket_peercred;
use rustix::process::{PidfdFlags, pidfd_open};

use crate::{cgroup, sys};

/// Fails unless the peer of `socket` is a process of root in `elevated.service`.
pub(super) fn prove(socket: BorrowedFd<'_>) -> io::Result<()> {
    let peer = socket_peercred(socket)?;
    if !peer.uid.is_root() {
        return Err(refusal(format!("uid {} is not root", peer.uid.as_raw())));
    }
    // The kernel's own handle where it has one; else the pid, which counts only if its process
    // still lives after its cgroup was read.
    let pidfd = sys::peer::pidfd(socket)
        .or_else(|_| pidfd_open(peer.pid, PidfdFlags::empty()).map_err(io::Error::from))?;
    let cgroup = cgroup::of_process(peer.pid)?;
    if !is_alive(pidfd.as_fd())? {
        return Err(refusal("its process is gone".into()));
    }
    if cgroup != DAEMON_CGROUP {
        return Err(refusal(format!(
            "it is in {cgroup:?}, not in {DAEMON_CGROUP:?}"
        )));
    }
    Ok(())
}

fn refusal(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, why)
}

/// Whether the process of `pidfd` runs: its pidfd becomes readable when it ends.
pub(super) fn is_alive(pidfd: BorrowedFd<'_>) -> io::Result<bool> {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let ended = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&now))?;
    Ok(ended == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_protocol::seqpacket;
    use rustix::process::{WaitId, WaitIdOptions, waitid};

    #[test]
    fn a_process_of_another_service_is_refused_even_as_root() {
        let (_own, peer) = seqpacket::pair().unwrap();
        let error = prove(peer.as_fd()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_process_is_alive_until_it_ended() {
        let mut child = std::process::Command::new("cat");
        let mut child = child.stdin(std::process::Stdio::piped()).spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        assert!(is_alive(pidfd.as_fd()).unwrap());
        drop(child.stdin.take());
        waitid(
            WaitId::Pid(pid),
            WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        )
        .unwrap();
        assert!(!is_alive(pidfd.as_fd()).unwrap());
        child.wait().unwrap();
    }
}
