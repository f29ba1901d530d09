//! What the launcher has forked, and who is kept in systemd's store.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::Id;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use sd_notify::NotifyState;

/// How names of stored leaders begin.
pub(super) const STORED_NAME: &str = "leader-";

/// A process that was forked.
pub(super) struct Child {
    /// Readable when it ended.
    pub(super) pidfd: OwnedFd,
    /// The session that it leads; none for who gives one answer.
    pub(super) leads: Option<Id>,
}

/// All that have not been seen to end.
pub(super) struct Children(Vec<Child>);

impl Children {
    /// Leaders that an earlier run of the launcher forked.
    pub(super) fn from_stored(stored: Vec<(OwnedFd, String)>) -> Children {
        let leader = |(pidfd, name): (OwnedFd, String)| {
            let id = name.strip_prefix(STORED_NAME)?.parse().ok()?;
            let leads = Some(id);
            Some(Child { pidfd, leads })
        };
        Children(stored.into_iter().filter_map(leader).collect())
    }

    pub(super) fn add(&mut self, child: Child) {
        self.0.push(child);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn pidfds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.0.iter().map(|child| child.pidfd.as_fd())
    }

    pub(super) fn lead(&self, id: Id) -> bool {
        self.0.iter().any(|child| child.leads == Some(id))
    }

    /// Forget the child at `place`, which ended; the session that it led.
    pub(super) fn remove(&mut self, place: usize) -> Option<Id> {
        let child = self.0.swap_remove(place);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        // One that an earlier run forked isn't ours to reap, and this fails.
        let _ = waitid(WaitId::PidFd(child.pidfd.as_fd()), options);
        child.leads
    }
}

/// Have systemd keep a leader's pidfd while the launcher restarts. It is kept when its process
/// ends too (FDPOLL=0): a launcher that starts after that must still learn of it.
pub(super) fn store(id: Id, pidfd: BorrowedFd<'_>) -> std::io::Result<()> {
    let name = format!("{STORED_NAME}{id}");
    let state = [
        NotifyState::FdStore,
        NotifyState::FdName(&name),
        NotifyState::Custom("FDPOLL=0"),
    ];
    sd_notify::notify_with_fds(&state, &[pidfd])
}

/// The session `id` is over and its tree gone.
pub(super) fn unstore(id: Id) {
    let name = format!("{STORED_NAME}{id}");
    let state = [NotifyState::FdStoreRemove, NotifyState::FdName(&name)];
    if let Err(error) = sd_notify::notify(&state) {
        eprintln!("session {id}: cannot tell systemd to forget its leader: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_protocol::seqpacket;

    #[test]
    fn stored_leaders_are_known_by_their_names() {
        let any = || seqpacket::pair().unwrap().0;
        let names = ["leader-k7m2x9qd", "leader-../../..", "else"];
        let stored = names.map(|name| (any(), name.to_owned()));
        let children = Children::from_stored(stored.into());
        assert_eq!(children.len(), 1);
        assert!(children.lead("k7m2x9qd".parse().unwrap()));
    }
}
