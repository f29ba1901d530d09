//! The accounts that this host's own files list, looked at again for every decision.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use elevate_policy::Membership;
use elevate_protocol::account::Account;

use super::files::{self, Group, Subordinate, User};
use crate::stamp::Stamp;

/// The accounts and groups of one look at the files. Where a name or number is there twice, the
/// first line counts, as for the C library.
#[derive(Debug, Default)]
pub struct LocalAccounts {
    users: Vec<User>,
    groups: Vec<Group>,
    names: HashMap<String, usize>,
    uids: HashMap<u32, usize>,
    group_names: HashMap<String, usize>,
    gids: HashMap<u32, usize>,
    primary_gids: HashMap<u32, usize>,
    /// The groups that list a name, be it an account's of these files or not.
    listed: HashMap<String, Vec<usize>>,
    subuids: Vec<Subordinate>,
    subgids: Vec<Subordinate>,
}

impl LocalAccounts {
    /// The accounts that these two files list.
    pub fn parse(passwd: &str, group: &str) -> Self {
        let mut local = LocalAccounts {
            users: files::users(passwd),
            groups: files::groups(group),
            ..LocalAccounts::default()
        };
        for (index, user) in local.users.iter().enumerate() {
            local.names.entry(user.name.clone()).or_insert(index);
            local.uids.entry(user.uid).or_insert(index);
            local.primary_gids.entry(user.gid).or_insert(index);
        }
        for (index, group) in local.groups.iter().enumerate() {
            local.group_names.entry(group.name.clone()).or_insert(index);
            local.gids.entry(group.gid).or_insert(index);
            for member in &group.members {
                local.listed.entry(member.clone()).or_default().push(index);
            }
        }
        local
    }

    /// The same, with the ids that `/etc/subuid` and `/etc/subgid` give away.
    pub fn with_subordinates(mut self, subuid: &str, subgid: &str) -> Self {
        self.subuids = files::subordinates(subuid);
        self.subgids = files::subordinates(subgid);
        self
    }

    /// Whose processes can become this uid.
    pub fn subuid_owner(&self, uid: u32) -> Option<&str> {
        owner(&self.subuids, uid)
    }

    /// Whose processes can get this gid.
    pub fn subgid_owner(&self, gid: u32) -> Option<&str> {
        owner(&self.subgids, gid)
    }

    /// The account called `name`.
    pub fn by_name(&self, name: &str) -> Option<Account> {
        self.names.get(name).map(|index| self.account(*index))
    }

    /// The account with this uid, as getpwuid(3) has it.
    pub fn by_uid(&self, uid: u32) -> Option<Account> {
        self.uids.get(&uid).map(|index| self.account(*index))
    }

    /// Name and gid of a group.
    pub fn group(&self, name: &str) -> Option<(String, u32)> {
        let group = &self.groups[*self.group_names.get(name)?];
        Some((group.name.clone(), group.gid))
    }

    /// Name and gid of the group with this gid.
    pub fn group_by_gid(&self, gid: u32) -> Option<(String, u32)> {
        self.group_with(gid).map(|name| (name.to_owned(), gid))
    }

    /// Every account, by name and uid.
    pub fn everybody(&self) -> impl Iterator<Item = (&str, u32)> {
        self.users.iter().map(|user| (user.name.as_str(), user.uid))
    }

    /// Whether there is a user of this name.
    pub fn has_user(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Whether there is a group of this name.
    pub fn has_group(&self, name: &str) -> bool {
        self.group_names.contains_key(name)
    }

    /// The name of the user with this uid.
    pub fn user_with(&self, uid: u32) -> Option<&str> {
        Some(&self.users[*self.uids.get(&uid)?].name)
    }

    /// The name of the group with this gid.
    pub fn group_with(&self, gid: u32) -> Option<&str> {
        Some(&self.groups[*self.gids.get(&gid)?].name)
    }

    /// The name of a user whose primary group this is.
    pub fn user_of_group(&self, gid: u32) -> Option<&str> {
        Some(&self.users[*self.primary_gids.get(&gid)?].name)
    }

    /// The gids of the groups that list `name`, which may be a person of the directory: who writes
    /// `/etc/group` may make them a member, and the C library agrees.
    pub fn listing(&self, name: &str) -> impl Iterator<Item = u32> {
        let groups = self.listed.get(name).into_iter().flatten();
        groups.map(|index| self.groups[*index].gid)
    }

    /// Whether the group called `group`, if there is one, lists `name`.
    pub fn lists(&self, group: &str, name: &str) -> Option<bool> {
        let group = &self.groups[*self.group_names.get(group)?];
        Some(group.members.iter().any(|member| member == name))
    }

    /// Whether the user called `user` belongs to the group called `group`.
    pub fn member(&self, user: &str, group: &str) -> Membership {
        let (Some(user), Some(group)) = (self.names.get(user), self.group_names.get(group)) else {
            return Membership::Unknown;
        };
        let (user, group) = (&self.users[*user], &self.groups[*group]);
        (user.gid == group.gid || group.members.contains(&user.name)).into()
    }

    fn account(&self, index: usize) -> Account {
        let user = &self.users[index];
        let mut groups = vec![user.gid];
        groups.extend(self.listing(&user.name));
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

fn owner(all: &[Subordinate], id: u32) -> Option<&str> {
    let found = all.iter().find(|one| one.ids.contains(&id));
    found.map(|one| one.owner.as_str())
}

/// The files, and what they said when they last changed.
#[derive(Debug)]
pub struct LocalFiles {
    /// `passwd`, `group`, `subuid` and `subgid`.
    paths: [PathBuf; 4],
    stamps: Option<[Option<Stamp>; 4]>,
    accounts: Arc<LocalAccounts>,
}

impl LocalFiles {
    /// Local accounts from the files in this folder, which is `/etc`.
    pub fn new(folder: &Path) -> Self {
        LocalFiles {
            paths: ["passwd", "group", "subuid", "subgid"].map(|name| folder.join(name)),
            stamps: None,
            accounts: Arc::default(),
        }
    }

    /// The accounts as the files have them now; the same ones where they didn't change.
    ///
    /// # Errors
    /// Where one can't be read. The last two need not be there.
    pub fn accounts(&mut self) -> io::Result<Arc<LocalAccounts>> {
        let [passwd, group, subuid, subgid] = &self.paths;
        let stamps = [
            Some(stamp(passwd)?),
            Some(stamp(group)?),
            if_there(stamp(subuid))?,
            if_there(stamp(subgid))?,
        ];
        if self.stamps != Some(stamps) {
            let accounts = LocalAccounts::parse(&text(passwd)?, &text(group)?);
            let subuid = if_there(text(subuid))?.unwrap_or_default();
            let subgid = if_there(text(subgid))?.unwrap_or_default();
            self.accounts = Arc::new(accounts.with_subordinates(&subuid, &subgid));
            self.stamps = Some(stamps);
        }
        Ok(Arc::clone(&self.accounts))
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    Ok(fs::metadata(path)?.into())
}

fn text(path: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        alice:x:1000:1000::/home/alice:\n\
        +nis::::::\n\
        huge:x:4294967295:1::/:/bin/sh\n\
        broken line\n\
        alice:x:1001:1001::/home/second:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nalice:x:1000:\ndba:x:50:alice,bob\n";

    fn local() -> LocalAccounts {
        LocalAccounts::parse(PASSWD, GROUP)
    }

    #[test]
    fn an_account_has_its_groups_and_a_shell() {
        let alice = local().by_name("alice").unwrap();
        assert_eq!(
            (alice.uid, alice.groups, alice.shell.as_str()),
            (1000, vec![1000, 50], "/bin/sh")
        );
    }

    #[test]
    fn lines_that_are_no_accounts_are_nobodys() {
        for name in ["huge", "+nis", "broken line", ""] {
            assert_eq!(local().by_name(name), None, "{name}");
        }
    }

    #[test]
    fn membership_of_what_is_not_there_is_unknown() {
        let local = local();
        assert_eq!(local.member("alice", "dba"), Membership::Yes);
        assert_eq!(local.member("root", "dba"), Membership::No);
        assert_eq!(local.member("alice", "nobody-knows"), Membership::Unknown);
        assert_eq!(local.member("bob", "dba"), Membership::Unknown);
        assert_eq!(local.listing("bob").collect::<Vec<_>>(), [50]);
    }

    #[test]
    fn subordinate_ids_are_their_owners_but_for_roots() {
        let subuid = "alice:100000:65536\n1001:200000:10\nroot:1000000:1000000000\nbob:1:x\n\
            carol:300000:0\ndave:4294967295:2\n";
        let local = local().with_subordinates(subuid, "alice:400000:1\n");
        let owners = [
            99_999, 100_000, 165_535, 165_536, 200_009, 300_000, 1_000_000,
        ]
        .map(|uid| local.subuid_owner(uid));
        let (alice, number) = (Some("alice"), Some("1001"));
        assert_eq!(owners, [None, alice, alice, None, number, None, None]);
        assert_eq!(local.subuid_owner(u32::MAX), Some("dave"));
        assert_eq!(local.subgid_owner(400_000), alice);
        assert_eq!(local.subgid_owner(100_000), None);
    }

    #[test]
    fn a_change_of_the_files_is_seen_and_no_change_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (passwd, group) = (folder.path().join("passwd"), folder.path().join("group"));
        fs::write(&passwd, PASSWD).unwrap();
        fs::write(&group, GROUP).unwrap();
        let mut files = LocalFiles::new(folder.path());
        let first = files.accounts().unwrap();
        assert!(Arc::ptr_eq(&first, &files.accounts().unwrap()));
        fs::write(&group, "dba:x:50:\n").unwrap();
        let second = files.accounts().unwrap();
        assert_eq!(second.member("alice", "dba"), Membership::No);
        fs::write(folder.path().join("subuid"), "alice:100000:65536\n").unwrap();
        assert_eq!(
            files.accounts().unwrap().subuid_owner(100_000),
            Some("alice")
        );
        fs::remove_file(&passwd).unwrap();
        assert!(files.accounts().is_err());
    }
}
