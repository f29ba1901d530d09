//! What follows from the directory's records: who is published, who is told of, and who leaves.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::paths::DIRECTORY_USER;

use super::{Daemon, Leaver};
use crate::audit;
use crate::clock::Moment;
use crate::identity::{Absence, Departure, News, Passage, Rejected, UnknownAccount};

/// Entries of one kind that one look puts on record one by one.
const ONE_BY_ONE: usize = 1000;
/// The boot clock goes on in suspend and tokio's doesn't: look again at least this often.
const LONGEST_NAP: Duration = Duration::from_secs(30);
/// How soon to try again what failed.
const AGAIN: Duration = Duration::from_secs(10);

impl Daemon {
    /// The uid that may hand over records. Only the host's own files say it.
    pub fn directory_uid(&self) -> io::Result<Option<u32>> {
        let local = self.identities.local()?;
        Ok(local.by_name(DIRECTORY_USER).map(|account| account.uid))
    }

    /// Why somebody called `name` has no account that counts here, for the record alone.
    pub fn why_unknown(&self, name: &str, unknown: UnknownAccount) -> String {
        match (unknown, self.identities.absence(name)) {
            (UnknownAccount::Nobody, Absence::Gone) | (UnknownAccount::Outdated, _) => {
                unknown.to_string()
            }
            (UnknownAccount::Nobody, absence) => absence.to_string(),
        }
    }

    /// The directory was reached, or was not.
    pub fn directory_contact(
        &self,
        feeder: u64,
        connected: bool,
        problem: Option<String>,
    ) -> Result<(), Rejected> {
        let shown = problem.clone().unwrap_or_default();
        if self.identities.contact(feeder, connected, problem)? {
            let outcome = if connected { "reached" } else { "lost" };
            self.record_contact(outcome, &shown);
        }
        Ok(())
    }

    /// The connection that handed over records has ended.
    pub fn directory_hung_up(&self, feeder: u64) {
        if self.identities.hung_up(feeder) {
            self.record_contact("lost", "elevate-directory has ended");
        }
    }

    /// Keep everything in step with who counts; never ends.
    pub async fn follow_directory(self: Arc<Self>) {
        loop {
            let nap = match self.directory_changed().await {
                Ok(()) => self.identities.next_due().map(until),
                Err(()) => Some(AGAIN),
            };
            match nap {
                // Something may change earlier.
                Some(nap) => {
                    let changed = self.identities.changed.notified();
                    let _ = tokio::time::timeout(nap, changed).await;
                }
                None => self.identities.changed.notified().await,
            }
        }
    }

    /// Publish who counts now, tell who joined, moved and left, and end what leavers have here.
    pub async fn directory_changed(self: &Arc<Self>) -> Result<(), ()> {
        let accounts = match self.facts().await {
            Ok((_, accounts)) => accounts,
            Err(refusal) => {
                eprintln!("identities: {}", refusal.message);
                return Err(());
            }
        };
        for passage in self.identities.passage() {
            match passage {
                Passage::Silent(problem) => self.record_contact("lost", &problem),
                Passage::Withheld(problem) => self.record_contact("withheld", &problem),
                Passage::Outdated => self.record_contact("expired", ""),
            }
        }
        let mut news = self.identities.news(&accounts).await;
        let leavers = std::mem::take(&mut news.leavers);
        let published = self.identities.publish(accounts.people()).await;
        self.tell_news(&news, &leavers);
        let all = self.identities.still_leaving(&accounts);
        self.begin_to_end(all);
        published.map_err(|(problem, known)| {
            if !known {
                eprintln!("identities: {problem}");
            }
        })
    }

    fn begin_to_end(self: &Arc<Self>, leavers: Vec<Departure>) {
        let leavers = self.identities.begin_to_end(leavers);
        if leavers.is_empty() {
            return;
        }
        let daemon = Arc::clone(self);
        tokio::spawn(async move {
            let theirs = leavers.iter().cloned().map(Leaver::from).collect();
            daemon.end_leavers(theirs).await;
            daemon.identities.left(&leavers).await;
        });
    }

    fn tell_news(&self, news: &News, leavers: &[Departure]) {
        let all = [
            ("joiner", "a role admits them to this host", &news.joiners),
            (
                "mover",
                "their account, groups or keys changed",
                &news.movers,
            ),
        ];
        for (outcome, reason, people) in all {
            for (name, uid) in people.iter().take(ONE_BY_ONE) {
                self.record(audit::identity_changed((name, *uid), outcome, reason));
            }
            let rest = people.len().saturating_sub(ONE_BY_ONE);
            if rest > 0 {
                self.record(audit::identities_changed(rest, outcome, reason));
            }
        }
        for Departure { name, uid, why } in leavers {
            self.record(audit::identity_changed((name, *uid), "leaver", why));
        }
        for refused in news.refused.iter().take(ONE_BY_ONE) {
            self.record(audit::identity_refused(&refused.name, &refused.why));
        }
        let rest = news.refused.len().saturating_sub(ONE_BY_ONE);
        if rest > 0 {
            self.record(audit::identities_refused(rest));
        }
    }

    fn record_contact(&self, outcome: &'static str, problem: &str) {
        let source = self.identities.source();
        self.record(audit::directory_contact(&source, outcome, problem));
    }
}

impl From<Departure> for Leaver {
    fn from(departure: Departure) -> Self {
        Leaver {
            name: departure.name,
            uid: departure.uid,
            reason: departure.why,
        }
    }
}

fn until(due: u64) -> Duration {
    Duration::from_millis(due.saturating_sub(Moment::now().boot)).min(LONGEST_NAP)
}
