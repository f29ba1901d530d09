//! `/etc/passwd` and `/etc/group` (passwd(5), group(5)), parsed. Lines that don't fit are passed
//! over, as the C library does.

use std::ops::RangeInclusive;

/// One line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: String,
    pub(super) shell: String,
}

/// One line of `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) gid: u32,
    pub(super) members: Vec<String>,
}

pub(super) fn users(text: &str) -> Vec<User> {
    text.lines().filter_map(user).collect()
}

pub(super) fn groups(text: &str) -> Vec<Group> {
    text.lines().filter_map(group).collect()
}

fn user(line: &str) -> Option<User> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, shell] = fields[..] else {
        return None;
    };
    let shell = if shell.is_empty() { "/bin/sh" } else { shell };
    Some(User {
        name: valid(name)?,
        uid: id(uid)?,
        gid: id(gid)?,
        home: home.to_owned(),
        shell: shell.to_owned(),
    })
}

fn group(line: &str) -> Option<Group> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else {
        return None;
    };
    let members = members.split(',').filter(|member| !member.is_empty());
    Some(Group {
        name: valid(name)?,
        gid: id(gid)?,
        members: members.map(str::to_owned).collect(),
    })
}

/// One line of `/etc/subuid` or `/etc/subgid` (subuid(5)): ids that a user's processes can become in
/// a user namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subordinate {
    /// A name, or a uid.
    pub(super) owner: String,
    pub(super) ids: RangeInclusive<u32>,
}

/// Root's are left out: root can become anybody, and gives its own to containers.
pub(super) fn subordinates(text: &str) -> Vec<Subordinate> {
    let all = text.lines().filter_map(subordinate);
    all.filter(|one| !matches!(one.owner.as_str(), "root" | "0"))
        .collect()
}

fn subordinate(line: &str) -> Option<Subordinate> {
    let mut fields = line.split(':');
    let owner = valid(fields.next()?)?;
    let first: u32 = fields.next()?.parse().ok()?;
    let count: u32 = fields.next()?.parse().ok()?;
    let last = first.saturating_add(count.checked_sub(1)?);
    Some(Subordinate {
        owner,
        ids: first..=last,
    })
}

/// NIS's `+` and `-` entries and comments name nobody.
fn valid(name: &str) -> Option<String> {
    (!name.is_empty() && !name.starts_with(['+', '-', '#'])).then(|| name.to_owned())
}

/// −1 means "unchanged" to setuid(2) and its kin, so no account may have it.
fn id(text: &str) -> Option<u32> {
    text.parse().ok().filter(|id| *id <= i32::MAX as u32)
}
