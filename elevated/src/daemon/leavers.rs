//! Somebody left: whatever they have on this host ends.

use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::launch::{EndUser, UserEnded};
use elevate_protocol::limits::LOWEST_LEAVER;
use tokio::sync::Semaphore;

use super::Daemon;
use crate::audit;
use crate::elevation::{Elevation, Event};
use crate::launch;

/// How long logind and systemd may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How soon to look again for a login that was being opened.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How soon to try again what failed.
const AGAIN: Duration = Duration::from_secs(10);
/// Leavers whose processes are ended at a time: each has a sweeper, which goes before all other work.
const AT_ONCE: usize = 8;
/// How often to look; sshd gives a login two minutes, but once it is let in it opens within moments.
const TRIES: usize = 50;

/// Somebody whose records or roles no longer admit them here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    /// Their name.
    pub name: String,
    /// Their uid.
    pub uid: u32,
    /// Why.
    pub reason: String,
}

impl Daemon {
    /// End everything that these people have here. They are unpublished already, so that nothing
    /// new begins meanwhile.
    pub async fn end_leavers(self: &Arc<Self>, leavers: Vec<Leaver>) {
        let sweepers = Arc::new(Semaphore::new(AT_ONCE));
        let each = leavers.into_iter().map(|leaver| {
            let (daemon, sweepers) = (Arc::clone(self), Arc::clone(&sweepers));
            tokio::spawn(async move { daemon.end_leaver(leaver, &sweepers).await })
        });
        for ended in each.collect::<Vec<_>>() {
            // One that panicked is in the journal, and hinders no other.
            let _ = ended.await;
        }
    }

    async fn end_leaver(self: &Arc<Self>, leaver: Leaver, sweepers: &Semaphore) {
        let Leaver { name, uid, reason } = leaver;
        self.end_elevations(uid, &reason).await;
        self.freshness.forget(uid);
        self.forget_passed(uid);
        let ended = self.end_logins(uid, sweepers).await;
        let outcome = ended.as_ref().unwrap_or_else(|problem| problem);
        self.record(audit::leave((&name, uid), &reason, outcome));
        let mut ended = ended.is_ok();
        while !ended && !self.is_back(uid).await {
            tokio::time::sleep(AGAIN).await;
            ended = self.end_logins(uid, sweepers).await.is_ok();
        }
    }

    /// Whether somebody with this uid is let in, again or anew: their processes are theirs.
    async fn is_back(&self, uid: u32) -> bool {
        let facts = self.facts().await;
        facts.is_ok_and(|(_, accounts)| accounts.by_uid(uid).is_ok())
    }

    async fn end_elevations(&self, uid: u32, reason: &str) {
        let theirs = |e: &&Elevation| e.asked.caller.account.uid == uid && !e.is_over();
        let theirs: Vec<Elevation> = {
            let core = self.core();
            core.elevations.all().filter(theirs).cloned().collect()
        };
        for elevation in theirs {
            let id = elevation.id;
            let event = match elevation.is_live() {
                false => Event::Withdrawn(id),
                true => Event::Revoked {
                    id,
                    by: "elevate".into(),
                    reason: format!("the requester left: {reason}"),
                },
            };
            // What ended in the meantime needs no end.
            let _ = self.apply(event).await;
        }
    }

    /// Through the user's slice and logind, and by uid until none remain. A login that was let in a
    /// moment ago may have no process of its own yet: it is looked for again until it is closed.
    async fn end_logins(&self, uid: u32, sweepers: &Semaphore) -> Result<String, String> {
        if uid < LOWEST_LEAVER {
            // No directory record has such a uid; this is the last line.
            return Ok("a system account: its processes are left alone".into());
        }
        let _turn = sweepers.acquire().await;
        let mut outcome = self.end_processes(uid).await;
        for _ in 0..TRIES {
            if self.open_logins(uid) == 0 || self.is_back(uid).await {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            outcome = self.end_processes(uid).await;
        }
        outcome
    }

    async fn end_processes(&self, uid: u32) -> Result<String, String> {
        if let Ok(bus) = self.bus() {
            let asked = launch::end_user_units(bus, uid);
            if tokio::time::timeout(PATIENCE, asked).await.is_err() {
                eprintln!("systemd took too long to end the units of uid {uid}");
            }
        }
        let id = self.new_id();
        match launch::end_user(&self.launcher, id, EndUser { uid }).await {
            Ok(UserEnded { left: 0, .. }) => Ok("no process of theirs is left".into()),
            Ok(UserEnded { left, .. }) => Err(format!("{left} processes can't be ended")),
            Err(error) => Err(format!("the launcher can't be reached: {error}")),
        }
    }
}
