//! The process behind a call: root, or nobody is listened to.

use std::io;

use crate::process::{self, ProcessId};
use crate::varlink::Peer;

/// The calling process, as the kernel knows it while it waits for our answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller {
    /// The process.
    pub(super) process: ProcessId,
    /// The one that forked it.
    pub(super) parent: Option<ProcessId>,
    /// Who runs it: 0 for a service's, anybody's for su(1).
    pub(super) real_uid: u32,
}

/// Look at the peer; an error if it is not root or no longer there.
pub(super) fn look(peer: Peer) -> io::Result<Caller> {
    if peer.uid != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("uid {} asks as if it were a login", peer.uid),
        ));
    }
    let stat = process::stat(peer.pid)?;
    let parent = process::stat(stat.parent).ok().map(|stat| stat.process);
    Ok(Caller {
        process: stat.process,
        parent,
        real_uid: process::real_uid(peer.pid)?,
    })
}
