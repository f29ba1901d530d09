//! Everything known of people and groups, and who of them counts now. Pure: the local files, the
//! policy and the time come in as arguments.

use std::sync::Arc;
use std::time::Duration;

use elevate_policy::{Membership, Policy};

use super::directory::{Directory, Refused};
use super::{Accounts, Freshness, LocalAccounts, People};
use crate::clock::Moment;

/// What the host is to the directory's people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The names that a policy knows the host by.
    pub names: Vec<String>,
    /// The id of this boot.
    pub boot_id: String,
    /// How long records count after the directory was last reached.
    pub cache_max_age: Duration,
}

/// A rebuilding that took this long is followed by a rest of four times as long, so that a first
/// synchronisation does not wait for one after each batch.
const QUICK: Duration = Duration::from_millis(5);
/// So long at most.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// The records and what follows from them.
#[derive(Debug, Default)]
pub struct State {
    pub(super) directory: Directory,
    pub(super) freshness: Freshness,
    pub(super) place: Place,
    basis: Option<Basis>,
    people: Arc<People>,
    refused: Vec<Refused>,
    /// Counts what verdicts rest on.
    epoch: u32,
    /// When the next of those who count stops, in milliseconds since 1970.
    next_expiry: Option<u64>,
    /// Until when on the boot clock changed records may wait.
    rest_until: u64,
}

/// What the people who count were told by.
#[derive(Debug)]
struct Basis {
    policy: Arc<Policy>,
    local: Arc<LocalAccounts>,
    records: u64,
    groups: u64,
}

impl State {
    /// The records of `directory`, which was last reached as `freshness` says.
    pub fn new(directory: Directory, freshness: Freshness, place: Place) -> Self {
        State {
            directory,
            freshness,
            place,
            ..State::default()
        }
    }

    /// Everybody who counts beside these local accounts, under this policy, now. Whether that had to
    /// be found out anew.
    pub fn accounts(
        &mut self,
        local: &Arc<LocalAccounts>,
        policy: &Arc<Policy>,
        now: Moment,
    ) -> (Accounts, bool) {
        let wall = self.freshness.wall(now, &self.place.boot_id);
        let stale = self.is_stale(local, policy, wall, now);
        if stale {
            self.rebuild(local, policy, wall);
        }
        let accounts = Accounts::new(
            Arc::clone(local),
            Arc::clone(&self.people),
            self.is_outdated(now),
        );
        (accounts, stale)
    }

    /// What is not believed, in the order of names.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// Whether the records are too old for anybody in them to count. Records of a directory that was
    /// never reached are.
    pub fn is_outdated(&self, now: Moment) -> bool {
        let age = self.freshness.age(now, &self.place.boot_id);
        age.is_none_or(|age| age > self.place.cache_max_age)
    }

    /// When on the boot clock something changes by time alone.
    pub fn next_due(&self, now: Moment) -> Option<u64> {
        let wall = self.freshness.wall(now, &self.place.boot_id);
        let expiry = self.next_expiry.map(|at| at.saturating_sub(wall));
        let age = self.freshness.age(now, &self.place.boot_id);
        let left = age.and_then(|age| self.place.cache_max_age.checked_sub(age));
        let left = left.map(|left| left.as_millis() as u64 + 1);
        let rest = self
            .is_behind()
            .then(|| self.rest_until.saturating_sub(now.boot));
        let soonest = [expiry, left, rest].into_iter().flatten().min();
        soonest.map(|millis| now.boot.saturating_add(millis))
    }

    /// A rebuilding that ended at `now` took `cost`.
    pub fn rebuilt(&mut self, now: Moment, cost: Duration) {
        let rest = match cost < QUICK {
            true => Duration::ZERO,
            false => (cost * 4).min(LONGEST_REST),
        };
        self.rest_until = now.boot + rest.as_millis() as u64;
    }

    /// A refresh is complete: nothing is waited for.
    pub fn hurry(&mut self) {
        self.rest_until = 0;
    }

    /// The people who count, as they were found last.
    pub fn people(&self) -> &Arc<People> {
        &self.people
    }

    fn is_stale(
        &self,
        local: &Arc<LocalAccounts>,
        policy: &Arc<Policy>,
        wall: u64,
        now: Moment,
    ) -> bool {
        let Some(basis) = &self.basis else {
            return true;
        };
        !Arc::ptr_eq(&basis.policy, policy)
            || !Arc::ptr_eq(&basis.local, local)
            || self.next_expiry.is_some_and(|at| at <= wall)
            || (self.is_behind() && self.rest_until <= now.boot)
    }

    fn is_behind(&self) -> bool {
        let basis = self.basis.as_ref();
        basis.is_some_and(|basis| basis.records != self.directory.version())
    }

    fn rebuild(&mut self, local: &Arc<LocalAccounts>, policy: &Arc<Policy>, wall: u64) {
        let believed = self.directory.believed(local);
        let epoch = self.epoch_of_verdicts(local, policy);
        let names: Vec<&str> = self.place.names.iter().map(String::as_str).collect();
        let people = People::new(&believed, local, wall, &|person, facts| {
            let kept = person.verdict_of(epoch);
            let admitted = kept.unwrap_or_else(|| {
                let verdict = policy.admits(person.name(), &names, facts);
                person.set_verdict(epoch, verdict == Membership::Yes);
                verdict == Membership::Yes
            });
            admitted.into()
        });
        let expiries = people.iter().filter_map(|entry| entry.person.expires_at());
        self.next_expiry = expiries.min();
        self.people = Arc::new(people);
        self.refused = believed.refused;
        self.basis = Some(Basis {
            policy: Arc::clone(policy),
            local: Arc::clone(local),
            records: self.directory.version(),
            groups: self.directory.groups_version(),
        });
    }

    /// Verdicts hold for one policy, the same groups and the same local accounts.
    fn epoch_of_verdicts(&mut self, local: &Arc<LocalAccounts>, policy: &Arc<Policy>) -> u32 {
        let same = self.basis.as_ref().is_some_and(|basis| {
            Arc::ptr_eq(&basis.policy, policy)
                && Arc::ptr_eq(&basis.local, local)
                && basis.groups == self.directory.groups_version()
        });
        if !same {
            // Epoch 0 is that of people whom nobody asked about. One that came round after 2^31
            // changes of the policy would find verdicts that were kept for as long without a look.
            self.epoch = (self.epoch + 1) % (1 << 31);
            self.epoch = self.epoch.max(1);
        }
        self.epoch
    }
}
