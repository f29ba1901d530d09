//! PAM's word on a caller's account: asked for as soon as there may be something to begin, since on many
//! hosts it takes longer than all the rest, and heard by the leader.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use elevate_protocol::launch::CheckAccount;
use elevate_protocol::{Id, seqpacket};

use super::elevate::MOMENT;
use crate::daemon::Daemon;
use crate::process;

/// A word that is on its way.
#[derive(Debug)]
pub(super) struct AccountCheck {
    begun: Instant,
    /// Where it is heard.
    pub(super) reply: OwnedFd,
}

impl AccountCheck {
    /// Have PAM asked about `caller`, whose client is process `pid`.
    pub(super) async fn begin(
        daemon: &Daemon,
        id: Id,
        caller: &str,
        pid: i32,
    ) -> io::Result<AccountCheck> {
        let begun = Instant::now();
        let (reply, theirs) = seqpacket::pair()?;
        let order = CheckAccount {
            caller: caller.to_owned(),
            terminal: process::terminal_path(pid),
        };
        daemon.launcher.check_account(id, &order, theirs).await?;
        Ok(AccountCheck { begun, reply })
    }

    /// The same while nothing else is known of what `uid` asks. Whoever has no rule has nothing begun
    /// for them; what fails here is tried again when there is a grant, and said then.
    pub(super) async fn begin_early(
        daemon: &Daemon,
        id: Id,
        uid: u32,
        pid: i32,
    ) -> Option<AccountCheck> {
        let (policy, accounts) = daemon.facts().await.ok()?;
        let caller = accounts.by_uid(uid).ok()?;
        if policy.rules_for(&caller.name, &*accounts).is_empty() {
            return None;
        }
        Self::begin(daemon, id, &caller.name, pid).await.ok()
    }

    /// Whether what it says counts still.
    pub(super) fn is_recent(&self) -> bool {
        self.begun.elapsed() <= MOMENT
    }
}
