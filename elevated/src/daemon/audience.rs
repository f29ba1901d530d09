//! Who watches a session live. Whoever does holds one end of a socket pair; when it closes they
//! watch no more, and when ours does there is nothing more to watch.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::launch::ToLeader;
use elevate_protocol::limits::WATCHERS_PER_SESSION;
use elevate_protocol::seqpacket;
use elevate_protocol::stream::EndReason;
use elevate_protocol::{ErrorName, Id};
use tokio::sync::oneshot;

use super::Daemon;
use crate::audit;
use crate::conversation::Refusal;
use crate::launch::Packets;

/// How long a session that must be watched may go on after a restart of the daemon, which cost it
/// its watchers.
const COME_BACK: Duration = Duration::from_secs(30);

/// The watchers of each session; dropping one's sender sends them away.
#[derive(Debug, Default)]
pub(super) struct Audience {
    next: u64,
    watchers: HashMap<Id, HashMap<u64, Watcher>>,
}

#[derive(Debug)]
struct Watcher {
    /// Whether a session that must be watched may run because of them.
    counts: bool,
    _dismiss: oneshot::Sender<()>,
}

impl Audience {
    fn enter(&mut self, id: Id, counts: bool) -> Option<(u64, oneshot::Receiver<()>)> {
        let watchers = self.watchers.entry(id).or_default();
        if watchers.len() >= WATCHERS_PER_SESSION {
            return None;
        }
        self.next += 1;
        let (_dismiss, receiver) = oneshot::channel();
        watchers.insert(self.next, Watcher { counts, _dismiss });
        Some((self.next, receiver))
    }

    fn leave(&mut self, id: Id, watcher: u64) {
        if let Some(watchers) = self.watchers.get_mut(&id) {
            watchers.remove(&watcher);
            if watchers.is_empty() {
                self.watchers.remove(&id);
            }
        }
    }

    fn has_any(&self, id: Id) -> bool {
        self.watchers.contains_key(&id)
    }

    fn has_one_that_counts(&self, id: Id) -> bool {
        let watchers = self.watchers.get(&id);
        watchers.is_some_and(|watchers| watchers.values().any(|watcher| watcher.counts))
    }

    /// The session is over.
    pub(super) fn dismiss(&mut self, id: Id) {
        self.watchers.remove(&id);
    }
}

impl Daemon {
    /// Let `uid` watch session `id` until they close what is returned. `counts` says that they are
    /// somebody else, watching from a login of their own.
    ///
    /// # Errors
    /// Where too many watch already.
    pub fn watch(self: &Arc<Self>, id: Id, uid: u32, counts: bool) -> Result<OwnedFd, Refusal> {
        let failed = |error: std::io::Error| Refusal::new(ErrorName::Failed, error.to_string());
        let (ours, theirs) = seqpacket::pair().map_err(failed)?;
        let lifeline = Packets::new(ours).map_err(failed)?;
        let entered = self.core().audience.enter(id, counts);
        let Some((watcher, dismissed)) = entered else {
            let message = format!(
                "{WATCHERS_PER_SESSION} people watch this session already (WATCHERS_PER_SESSION)"
            );
            return Err(Refusal::new(ErrorName::LimitExceeded, message));
        };
        self.put_watch_on_record(id, uid, true);
        self.order(id, ToLeader::Watched { yes: true });
        self.audience_changed.notify_waiters();
        let daemon = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                // Nothing is said on it: whatever comes, it is over.
                _ = lifeline.receive(1) => {}
                _ = dismissed => {}
            }
            daemon.stop_watching(id, uid, watcher);
        });
        Ok(theirs)
    }

    fn stop_watching(&self, id: Id, uid: u32, watcher: u64) {
        self.core().audience.leave(id, watcher);
        self.put_watch_on_record(id, uid, false);
        let yes = self.core().audience.has_any(id);
        self.order(id, ToLeader::Watched { yes });
        self.end_if_unwatched(id);
    }

    fn put_watch_on_record(&self, id: Id, uid: u32, begins: bool) {
        if let Some(elevation) = self.elevation(id) {
            let name = self.name_of(uid);
            self.record(audit::watch(&elevation, (&name, uid), begins));
        }
    }

    /// Whether anybody watches session `id`.
    pub fn is_watched(&self, id: Id) -> bool {
        self.core().audience.has_any(id)
    }

    /// Wait until somebody watches session `id` who counts.
    pub async fn until_watched(&self, id: Id) {
        loop {
            let mut changed = std::pin::pin!(self.audience_changed.notified());
            changed.as_mut().enable();
            if self.core().audience.has_one_that_counts(id) {
                return;
            }
            changed.await;
        }
    }

    fn end_if_unwatched(&self, id: Id) {
        let found = self.elevation(id);
        let must = found.is_some_and(|elevation| elevation.is_live() && elevation.terms.watched);
        let watched = self.core().audience.has_one_that_counts(id);
        if must && !watched && self.leader(id).is_some() {
            self.end(id, EndReason::Unwatched);
        }
    }

    /// After a restart, give the watchers of session `id` a moment to come back.
    pub(super) fn expect_watchers(self: &Arc<Self>, id: Id) {
        let daemon = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(COME_BACK).await;
            daemon.end_if_unwatched(id);
        });
    }
}
