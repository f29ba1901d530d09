//! A signal to every process of a uid in one system call.
//!
//! kill(2) of −1 goes through all processes while the kernel lets none be forked, and reaches those
//! that its sender may signal. A sender with the leaver's uid, and no capability at all, may signal
//! those whose real or saved uid that is, and what lives in their user namespaces.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::process::{
    PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, pidfd_send_signal, waitid,
};

use super::until_ended;
use crate::sys;

/// How long it may take. A process of the leaver's could stop the sender, which has their uid.
const TIME: Duration = Duration::from_millis(500);

/// Send `signal` to them all, once. Fails if nobody knows that it happened.
pub(super) fn sweep(uid: u32, signal: Signal) -> io::Result<()> {
    let pid = sys::fork::fork(|| match send_to_all_of(uid, signal) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("cannot signal all processes of uid {uid} at once: {error}");
            1
        }
    })?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    if !until_ended(pidfd.as_fd(), TIME) {
        pidfd_send_signal(&pidfd, Signal::KILL)?;
    }
    let status = waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)?;
    match status.and_then(|status: WaitIdStatus| status.exit_status()) {
        Some(0) => Ok(()),
        _ => Err(io::Error::other(
            "the sender of the signal was stopped or killed",
        )),
    }
}

fn send_to_all_of(uid: u32, signal: Signal) -> io::Result<()> {
    sys::credentials::become_uid(uid)?;
    sys::signals::send_to_all_that_we_may(signal)
}
