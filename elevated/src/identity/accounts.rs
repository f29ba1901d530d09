//! The one view of everybody: local accounts, and the directory's people who count here.

use std::sync::Arc;

use elevate_policy::{Membership, People as Facts};
use elevate_protocol::account::Account;

use super::local::LocalAccounts;
use super::people::{Entry, People};

/// No such account, or none that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownAccount {
    /// Nobody has this name or number.
    #[error("there is no such account here")]
    Nobody,
    /// Somebody of the directory has it, and their record is too old to be believed.
    #[error(
        "the directory could not be reached for longer than `cache_max_age` allows, and until it is, \
         none of its people is let in or may do anything"
    )]
    Outdated,
}

/// Everybody, at one moment. A name or number that is a local account's is nobody else's.
#[derive(Debug, Default)]
pub struct Accounts {
    local: Arc<LocalAccounts>,
    people: Arc<People>,
    outdated: bool,
}

impl Accounts {
    /// Local accounts alone, as these two files list them.
    pub fn parse(passwd: &str, group: &str) -> Self {
        let local = LocalAccounts::parse(passwd, group).into();
        Accounts::new(local, Arc::default(), false)
    }

    /// These local accounts and these people, whose records may be `outdated`: then nobody of them
    /// counts.
    pub fn new(local: Arc<LocalAccounts>, people: Arc<People>, outdated: bool) -> Self {
        Accounts {
            local,
            people,
            outdated,
        }
    }

    /// The account called `name`.
    pub fn by_name(&self, name: &str) -> Result<Account, UnknownAccount> {
        match self.local.by_name(name) {
            Some(account) => Ok(account),
            None => self.counting(self.people.by_name(name)),
        }
    }

    /// The account with this uid.
    pub fn by_uid(&self, uid: u32) -> Result<Account, UnknownAccount> {
        match self.local.by_uid(uid) {
            Some(account) => Ok(account),
            None => self.counting(self.people.by_uid(uid)),
        }
    }

    /// `name` or `#uid`, as sudo takes them.
    pub fn by_name_or_id(&self, text: &str) -> Result<Account, UnknownAccount> {
        match text.strip_prefix('#') {
            Some(uid) => self.by_uid(parse_id(uid).ok_or(UnknownAccount::Nobody)?),
            None => self.by_name(text),
        }
    }

    /// The name of whoever has this uid, whether their record is too old or not: for records and
    /// listings, never for a decision.
    pub fn name_of(&self, uid: u32) -> Option<String> {
        let local = self.local.user_with(uid);
        let name = local.or_else(|| Some(self.people.by_uid(uid)?.person.name()));
        name.map(str::to_owned)
    }

    /// Name and gid of a group given by name or `#gid`.
    pub fn group(&self, text: &str) -> Result<(String, u32), UnknownAccount> {
        let of_people = match text.strip_prefix('#') {
            Some(gid) => {
                let gid = parse_id(gid).ok_or(UnknownAccount::Nobody)?;
                if let Some(found) = self.local.group_by_gid(gid) {
                    return Ok(found);
                }
                self.people.group_by_gid(gid)
            }
            None => {
                if let Some(found) = self.local.group(text) {
                    return Ok(found);
                }
                self.people.group(text)
            }
        };
        let found = of_people.ok_or(UnknownAccount::Nobody)?;
        match self.outdated {
            false => Ok((found.name.to_string(), found.gid)),
            true => Err(UnknownAccount::Outdated),
        }
    }

    /// Everybody who counts, by name and uid.
    pub fn everybody(&self) -> impl Iterator<Item = (&str, u32)> {
        let people = self.people.iter().filter(|_| !self.outdated);
        let people = people.map(|entry| (entry.person.name(), entry.person.uid));
        self.local.everybody().chain(people)
    }

    /// The directory's people who are published here.
    pub fn people(&self) -> &Arc<People> {
        &self.people
    }

    /// The local accounts.
    pub fn local(&self) -> &Arc<LocalAccounts> {
        &self.local
    }

    /// Whether the directory's records are too old for anybody in them to count.
    pub fn is_outdated(&self) -> bool {
        self.outdated
    }

    fn counting(&self, entry: Option<&Entry>) -> Result<Account, UnknownAccount> {
        let entry = entry.ok_or(UnknownAccount::Nobody)?;
        if self.outdated {
            return Err(UnknownAccount::Outdated);
        }
        let person = &entry.person;
        let mut groups = vec![person.gid];
        let of_directory = self.people.groups_of(entry).map(|group| group.gid);
        groups.extend(of_directory.filter(|gid| *gid != person.gid));
        groups.extend(self.local.listing(person.name()));
        Ok(Account {
            name: person.name().to_owned(),
            uid: person.uid,
            gid: person.gid,
            groups,
            home: person.home().into_owned(),
            shell: person.shell().to_owned(),
        })
    }
}

impl Facts for Accounts {
    fn member(&self, user: &str, group: &str) -> Membership {
        if self.local.has_user(user) {
            // The directory's groups are for its own people: who has a local account's name there is
            // somebody else.
            return match self.people.group(group) {
                Some(_) if !self.local.has_group(group) => Membership::No,
                _ => self.local.member(user, group),
            };
        }
        match self.people.by_name(user) {
            Some(entry) if !self.outdated => match self.local.lists(group, user) {
                Some(listed) => listed.into(),
                None => self.people.member(entry, group),
            },
            _ => Membership::Unknown,
        }
    }

    fn attribute(&self, user: &str, name: &str, value: &str) -> Membership {
        if self.local.has_user(user) {
            return Membership::No;
        }
        match self.people.by_name(user) {
            Some(entry) if !self.outdated => entry.person.has(name, value).into(),
            _ => Membership::Unknown,
        }
    }
}

fn parse_id(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|id| digits && *id <= i32::MAX as u32)
}
