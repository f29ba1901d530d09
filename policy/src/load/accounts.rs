//! Users and groups as the policy names them.

use super::problems::Word;
use crate::limits::{MAX_ACCOUNT, MAX_ID};
use crate::names::RoleName;
use crate::people::{Approver, Member};
use crate::run_as::{RunAs, TargetGroup, TargetUser};

/// An entry of `members`.
pub(super) fn member(word: &Word) -> Result<Member, String> {
    not_yet(word, "attr:")?;
    match word.text.strip_prefix('%') {
        Some(group) => name(group).map(|()| Member::Group(group.to_owned())),
        None => name(&word.text).map(|()| Member::User(word.text.clone())),
    }
}

/// An entry of `approvers`; whether its role exists is for the caller to see.
pub(super) fn approver(word: &Word) -> Result<Approver, String> {
    not_yet(word, "attr:")?;
    if let Some(role) = word.text.strip_prefix("role:") {
        return RoleName::new(role)
            .map(Approver::Role)
            .map_err(|invalid| invalid.to_string());
    }
    Ok(match member(word)? {
        Member::User(name) => Approver::User(name),
        Member::Group(group) => Approver::Group(group),
    })
}

/// An entry of `run_as`.
pub(super) fn run_as(word: &Word) -> Result<RunAs, String> {
    let (user, group) = match word.text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (word.text.as_str(), None),
    };
    let user = target_user(user)?;
    let group = match group {
        Some(group) => target_group(group)?,
        None if user == TargetUser::Any => TargetGroup::Any,
        None => TargetGroup::Own,
    };
    Ok(RunAs { user, group })
}

fn target_user(text: &str) -> Result<TargetUser, String> {
    Ok(match text {
        "ALL" => TargetUser::Any,
        "SELF" => TargetUser::Caller,
        "" => return Err("the user is missing; write `SELF:group` for the caller's own".into()),
        text => match number(text, "uid")? {
            Some(uid) => TargetUser::Uid(uid),
            None => name(text).map(|()| TargetUser::Name(text.to_owned()))?,
        },
    })
}

fn target_group(text: &str) -> Result<TargetGroup, String> {
    Ok(match text {
        "ALL" => TargetGroup::Any,
        text => match number(text, "gid")? {
            Some(gid) => TargetGroup::Gid(gid),
            None => name(text).map(|()| TargetGroup::Name(text.to_owned()))?,
        },
    })
}

// `#1000` as in sudoers, or `1000`. Whatever looks like a number and is none that the kernel
// and every program agree on is refused (CVE-2019-14287, CVE-2018-19788).
fn number(text: &str, what: &str) -> Result<Option<u32>, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    let looks_like_one = !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit());
    if !looks_like_one {
        return Ok(None);
    }
    let number = digits
        .parse::<u32>()
        .ok()
        .filter(|n| digits == unsigned && *n <= MAX_ID);
    number
        .map(Some)
        .ok_or_else(|| format!("a {what} is a number from 0 to {MAX_ID}"))
}

fn not_yet(word: &Word, prefix: &str) -> Result<(), String> {
    match word.text.starts_with(prefix) {
        true => Err("it isn't enforced yet by this version of Elevate; remove it".into()),
        false => Ok(()),
    }
}

// What useradd(8) and directories call users; nothing that another program could read as a
// flag, a path, a field separator or a number.
fn name(text: &str) -> Result<(), String> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':' | ',' | '%');
    let only_digits = text.bytes().all(|b| b.is_ascii_digit());
    let why = match text.chars().next() {
        None => "a name is missing",
        Some('#') => "users and groups are named here, not numbered",
        Some('+') => "netgroups aren't part of the language",
        Some('!') => "there is no `!` here; write a rule of its own with `effect = \"deny\"`",
        Some('-') => "no name of a user or group begins with `-`",
        Some(_) if only_digits => "users and groups are named here, not numbered",
        Some(_) if text == "ALL" || text == "SELF" => "it is no user; name users and %groups",
        Some(_) if text.len() > MAX_ACCOUNT => "the name is too long",
        Some(_) if text.contains(bad) => "no name of a user or group looks like that",
        Some(_) => return Ok(()),
    };
    Err(why.into())
}
