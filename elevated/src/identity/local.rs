//! Local accounts, looked at again for every decision.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use elevate_policy::{Groups, Membership};
use elevate_protocol::account::Account;

use super::files::{self, Group, User};
use crate::stamp::Stamp;

/// No such account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such account here")]
pub struct UnknownAccount;

/// The accounts and groups of one look at the files.
#[derive(Debug, Default)]
pub struct Accounts {
    users: Vec<User>,
    groups: Vec<Group>,
}

impl Accounts {
    /// The accounts that these two files list.
    pub fn parse(passwd: &str, group: &str) -> Self {
        Accounts {
            users: files::users(passwd),
            groups: files::groups(group),
        }
    }

    /// The account called `name`.
    pub fn by_name(&self, name: &str) -> Result<Account, UnknownAccount> {
        self.users
            .iter()
            .find(|user| user.name == name)
            .map(|user| self.account(user))
            .ok_or(UnknownAccount)
    }

    /// The first account with this uid, as getpwuid(3) has it.
    pub fn by_uid(&self, uid: u32) -> Result<Account, UnknownAccount> {
        self.users
            .iter()
            .find(|user| user.uid == uid)
            .map(|user| self.account(user))
            .ok_or(UnknownAccount)
    }

    /// `name` or `#uid`, as sudo takes them.
    pub fn by_name_or_id(&self, text: &str) -> Result<Account, UnknownAccount> {
        match text.strip_prefix('#') {
            Some(uid) => self.by_uid(parse_id(uid).ok_or(UnknownAccount)?),
            None => self.by_name(text),
        }
    }

    /// Name and gid of a group given by name or `#gid`.
    pub fn group(&self, text: &str) -> Result<(String, u32), UnknownAccount> {
        let gid = text
            .strip_prefix('#')
            .map(|gid| parse_id(gid).ok_or(UnknownAccount))
            .transpose()?;
        let fits = |group: &&Group| gid.map_or(group.name == text, |gid| group.gid == gid);
        let found = self.groups.iter().find(fits).ok_or(UnknownAccount)?;
        Ok((found.name.clone(), found.gid))
    }

    /// Everybody, by name and uid.
    pub fn everybody(&self) -> impl Iterator<Item = (&str, u32)> {
        self.users.iter().map(|user| (user.name.as_str(), user.uid))
    }

    fn account(&self, user: &User) -> Account {
        let listed = self
            .groups
            .iter()
            .filter(|group| group.members.contains(&user.name));
        let mut groups: Vec<u32> = listed.map(|group| group.gid).collect();
        groups.insert(0, user.gid);
        groups.dedup();
        Account {
            name: user.name.clone(),
            uid: user.uid,
            gid: user.gid,
            groups,
            home: user.home.clone(),
            shell: user.shell.clone(),
        }
    }
}

impl Groups for Accounts {
    fn member(&self, user: &str, group: &str) -> Membership {
        let Some(group) = self.groups.iter().find(|candidate| candidate.name == group) else {
            return Membership::Unknown;
        };
        let Some(user) = self.users.iter().find(|candidate| candidate.name == user) else {
            return Membership::Unknown;
        };
        if user.gid == group.gid || group.members.contains(&user.name) {
            Membership::Yes
        } else {
            Membership::No
        }
    }
}

fn parse_id(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|id| digits && *id <= i32::MAX as u32)
}

/// The files, and what they said when they last changed.
#[derive(Debug)]
pub struct Local {
    passwd: PathBuf,
    group: PathBuf,
    stamps: Option<(Stamp, Stamp)>,
    accounts: Arc<Accounts>,
}

impl Local {
    /// Local accounts from these files.
    pub fn new(passwd: impl Into<PathBuf>, group: impl Into<PathBuf>) -> Self {
        Local {
            passwd: passwd.into(),
            group: group.into(),
            stamps: None,
            accounts: Arc::default(),
        }
    }

    /// The accounts as the files have them now.
    pub fn accounts(&mut self) -> io::Result<Arc<Accounts>> {
        let stamps = (stamp(&self.passwd)?, stamp(&self.group)?);
        if self.stamps != Some(stamps) {
            let passwd = fs::read(&self.passwd)?;
            let group = fs::read(&self.group)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            self.accounts = Arc::new(Accounts::parse(&text(&passwd), &text(&group)));
            self.stamps = Some(stamps);
        }
        Ok(Arc::clone(&self.accounts))
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    Ok(fs::metadata(path)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        alice:x:1000:1000::/home/alice:\n\
        +nis::::::\n\
        huge:x:4294967295:1::/:/bin/sh\n\
        broken line\n";
    const GROUP: &str = "root:x:0:\nalice:x:1000:\ndba:x:50:alice,bob\n";

    #[test]
    fn an_account_has_its_groups_and_a_shell() {
        let alice = Accounts::parse(PASSWD, GROUP).by_name("alice").unwrap();
        assert_eq!(
            (alice.groups, alice.shell.as_str()),
            (vec![1000, 50], "/bin/sh")
        );
    }

    #[test]
    fn what_is_no_account_is_nobody() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        let edges = [
            "#-1",
            "#4294967295",
            "#2147483648",
            "#4294967296",
            "#",
            "huge",
            "+nis",
            "#0x0",
        ];
        for text in edges {
            assert_eq!(accounts.by_name_or_id(text), Err(UnknownAccount), "{text}");
        }
        assert_eq!(accounts.by_name_or_id("#0").unwrap().name, "root");
    }

    #[test]
    fn membership_of_what_is_not_there_is_unknown() {
        let accounts = Accounts::parse(PASSWD, GROUP);
        assert_eq!(accounts.member("alice", "dba"), Membership::Yes);
        assert_eq!(accounts.member("root", "dba"), Membership::No);
        assert_eq!(
            accounts.member("alice", "nobody-knows"),
            Membership::Unknown
        );
        assert_eq!(accounts.member("bob", "dba"), Membership::Unknown);
    }
}
