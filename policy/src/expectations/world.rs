//! Where, when and among whom an expectation holds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::limits::MAX_ID;
use crate::people::{Membership, People};
use crate::when::{Door, Origin, Scene};

/// All that the lines before an expectation say. Nobody else is in a group or has an attribute.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) groups: BTreeSet<(String, String)>,
    pub(super) attributes: BTreeSet<(String, String, String)>,
    pub(super) uids: BTreeMap<String, u32>,
    pub(super) gids: BTreeMap<String, u32>,
    /// What paths lead to that are links.
    pub(super) links: BTreeMap<String, String>,
    /// The SHA-256 of files.
    pub(super) hashes: BTreeMap<String, [u8; 32]>,
    pub(super) hosts: Vec<String>,
    pub(super) at: Timestamp,
    pub(super) service: Option<String>,
    pub(super) from: Option<From>,
    pub(super) terminal: bool,
}

/// Where somebody comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    Address(IpAddr),
    Console,
}

/// At a terminal, on a host without a name, on a Monday at noon (2026-01-05 12:00 UTC), by a login that
/// nothing is known of.
impl Default for World {
    fn default() -> Self {
        let noon = date(2026, 1, 5).at(12, 0, 0, 0);
        let at = noon.to_zoned(TimeZone::UTC);
        Self {
            groups: BTreeSet::new(),
            attributes: BTreeSet::new(),
            uids: BTreeMap::new(),
            gids: BTreeMap::new(),
            links: BTreeMap::new(),
            hashes: BTreeMap::new(),
            hosts: Vec::new(),
            at: at.map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp()),
            service: None,
            from: None,
            terminal: true,
        }
    }
}

impl World {
    /// The numbers of who asks and of whom they ask to run as. Who isn't given one has one that
    /// nobody else has.
    pub(super) fn uids(&self, user: &str, target: &str) -> (u32, u32) {
        let uid = number(&self.uids, user, MAX_ID);
        let other = number(&self.uids, target, MAX_ID - 1);
        (uid, if user == target { uid } else { other })
    }

    /// A group's number.
    pub(super) fn gid(&self, name: &str) -> u32 {
        number(&self.gids, name, MAX_ID)
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        match self.from {
            Some(From::Address(address)) => Some(address),
            Some(From::Console) | None => None,
        }
    }

    pub(super) fn service(&self) -> &str {
        let usual = match self.from {
            Some(From::Console) => "login",
            _ => "sshd",
        };
        self.service.as_deref().unwrap_or(usual)
    }

    /// The same, as rules see it. Without `service` and `from` nothing is known of the login.
    pub(super) fn scene<'a>(&'a self, host: &'a [&'a str]) -> Scene<'a> {
        let known = self.service.is_some() || self.from.is_some();
        let from = match self.from {
            Some(From::Address(address)) => Origin::Address(address),
            Some(From::Console) => Origin::Here,
            None => Origin::Unknown,
        };
        Scene {
            host,
            door: known.then(|| Door {
                service: self.service(),
                from,
            }),
            terminal: self.terminal,
            at: self.at,
        }
    }
}

fn number(known: &BTreeMap<String, u32>, name: &str, otherwise: u32) -> u32 {
    match name {
        "root" => 0,
        name => known.get(name).copied().unwrap_or(otherwise),
    }
}

impl People for World {
    fn member(&self, user: &str, group: &str) -> Membership {
        self.groups.contains(&(user.into(), group.into())).into()
    }

    fn attribute(&self, user: &str, name: &str, value: &str) -> Membership {
        let wanted = (user.into(), name.into(), value.into());
        self.attributes.contains(&wanted).into()
    }
}
