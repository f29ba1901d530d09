//! Who joined, moved and left since it was told last, and what is newly refused.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::directory::{Directory, Refused};
use super::{Accounts, People};

/// Somebody who counted here and no longer does: whatever they have on this host is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// Their name.
    pub name: String,
    /// The uid they had.
    pub uid: u32,
    /// Why.
    pub why: String,
}

/// What there is to tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Who is let in from now on, by name and uid.
    pub joiners: Vec<(String, u32)>,
    /// Whose account, groups or keys are others than before.
    pub movers: Vec<(String, u32)>,
    /// Who left.
    pub leavers: Vec<Departure>,
    /// What is not believed and was not told yet.
    pub refused: Vec<Refused>,
}

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    people: Arc<People>,
    /// Of those who were published before this daemon started, name and uid.
    published: BTreeMap<String, u32>,
    refused: HashSet<u64>,
}

/// Why somebody of a directory does not count here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// There is no record of them.
    Gone,
    /// The directory does not let them in.
    Disabled,
    /// Their time is over.
    Expired,
    /// They have another uid now.
    Renumbered(u32),
    /// Their record is not believed.
    Refused(String),
    /// No role lets them in to this host.
    NotAdmitted,
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Absence::Gone => f.write_str("the directory has no record of them"),
            Absence::Disabled => f.write_str("the directory has disabled them"),
            Absence::Expired => f.write_str("their account in the directory has expired"),
            Absence::Renumbered(uid) => write!(f, "they have uid {uid} now"),
            Absence::Refused(why) => write!(f, "their record is refused: {why}"),
            Absence::NotAdmitted => f.write_str("no role admits them to this host"),
        }
    }
}

impl Told {
    /// Told by an earlier daemon: whom it published, and what it reported as refused.
    pub(super) fn new(
        published: BTreeMap<String, u32>,
        refused: impl IntoIterator<Item = u64>,
    ) -> Self {
        Told {
            people: Arc::default(),
            published,
            refused: refused.into_iter().collect(),
        }
    }

    /// What there is to tell, which then is told.
    pub(super) fn news(
        &mut self,
        accounts: &Accounts,
        directory: &Directory,
        refused: &[Refused],
        wall: u64,
    ) -> News {
        let mut news = News::default();
        self.compare(accounts, &mut news);
        explain(&mut news.leavers, directory, refused, wall);
        let marks: HashSet<u64> = refused.iter().map(mark).collect();
        let untold = refused
            .iter()
            .filter(|refused| !self.refused.contains(&mark(refused)));
        news.refused = untold.cloned().collect();
        self.refused = marks;
        self.people = Arc::clone(accounts.people());
        self.published.clear();
        news
    }

    /// What is refused and told, for [`Told::new`].
    pub(super) fn refused(&self) -> Vec<u64> {
        let mut marks: Vec<u64> = self.refused.iter().copied().collect();
        marks.sort_unstable();
        marks
    }

    fn compare(&self, accounts: &Accounts, news: &mut News) {
        let people = accounts.people();
        if !Arc::ptr_eq(people, &self.people) {
            for entry in people.iter() {
                let (name, uid) = (entry.person.name(), entry.person.uid);
                let known = self
                    .people
                    .by_name(name)
                    .filter(|old| old.person.uid == uid);
                match known {
                    Some(old) if old.is_as(entry) => {}
                    Some(_) => news.movers.push((name.to_owned(), uid)),
                    None if self.published.get(name) == Some(&uid) => {}
                    None => news.joiners.push((name.to_owned(), uid)),
                }
            }
        }
        let before = self
            .people
            .iter()
            .map(|old| (old.person.name(), old.person.uid));
        let published = self
            .published
            .iter()
            .map(|(name, uid)| (name.as_str(), *uid));
        for (name, uid) in before.chain(published) {
            let stays = people
                .by_name(name)
                .is_some_and(|entry| entry.person.uid == uid);
            // Who has the uid by a local account now has its processes too.
            if !stays && accounts.local().user_with(uid).is_none() {
                news.leavers.push(Departure {
                    name: name.to_owned(),
                    uid,
                    why: String::new(),
                });
            }
        }
        news.joiners.sort_unstable();
        news.movers.sort_unstable();
        news.leavers
            .sort_unstable_by(|one, other| one.name.cmp(&other.name));
    }
}

/// Why `name`, who had `uid` if anybody did, does not count here.
pub(super) fn absence(
    name: &str,
    uid: Option<u32>,
    directory: &Directory,
    refused: &[Refused],
    wall: u64,
) -> Absence {
    let people: Vec<_> = directory
        .people()
        .filter(|person| person.name() == name)
        .collect();
    let refused = refused.iter().find(|refused| refused.name == name);
    match (&people[..], refused) {
        (_, Some(refused)) if people.len() != 1 => Absence::Refused(refused.why.clone()),
        ([person], refused) => match refused {
            _ if !person.active => Absence::Disabled,
            _ if !person.counts_at(wall) => Absence::Expired,
            Some(refused) => Absence::Refused(refused.why.clone()),
            None if uid.is_some_and(|uid| uid != person.uid) => Absence::Renumbered(person.uid),
            None => Absence::NotAdmitted,
        },
        _ => Absence::Gone,
    }
}

fn explain(leavers: &mut [Departure], directory: &Directory, refused: &[Refused], wall: u64) {
    for leaver in leavers {
        let why = absence(&leaver.name, Some(leaver.uid), directory, refused, wall);
        leaver.why = why.to_string();
    }
}

fn mark(refused: &Refused) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update(&refused.name);
    hasher.update([0]);
    hasher.update(&refused.why);
    let digest = hasher.finalize();
    u64::from_be_bytes(std::array::from_fn(|index| digest[index]))
}
