//! Users and groups as the policy names them.

use super::problems::Word;
use crate::limits::{MAX_ACCOUNT, MAX_ID, MAX_NAME, MAX_VALUE};
use crate::names::RoleName;
use crate::people::{Approver, Member};
use crate::run_as::{RunAs, TargetGroup, TargetUser};
use crate::wrong::Wrong;

/// An entry of `members`.
pub(super) fn member(word: &Word) -> Result<Member, String> {
    if let Some(attribute) = word.text.strip_prefix("attr:") {
        return self::attribute(attribute);
    }
    match word.text.strip_prefix('%') {
        Some(group) => name(group).map(|()| Member::Group(group.to_owned())),
        None => name(&word.text).map(|()| Member::User(word.text.clone())),
    }
}

/// An entry of `services`: what pam_start(3) makes a file's name of, in lower case.
pub(super) fn service(word: &Word) -> Result<String, Wrong> {
    let text = &word.text;
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    let lower = text.to_ascii_lowercase();
    if text.is_empty()
        || text.len() > MAX_NAME
        || !lower.bytes().all(good)
        || lower.starts_with('.')
    {
        return Err("no name of a PAM service looks like that; write one as in \"sshd\"".into());
    }
    if lower != *text {
        let what = "names of PAM services are in lower case";
        return Err(Wrong::suggesting(what, Some(lower)));
    }
    Ok(lower)
}

// Names as in RFC 4512, section 1.4 (`keystring`).
fn attribute(text: &str) -> Result<Member, String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("an attribute is written as in `attr:department=dba`".into());
    };
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let why = match value {
        _ if !begins_well || !name.bytes().all(good) || name.len() > MAX_NAME => {
            "no name of an attribute looks like that"
        }
        "" => "the value is missing",
        value if value.len() > MAX_VALUE => "the value is too long",
        value if value.trim() != value || value.contains(char::is_control) => {
            "a value has no space at its ends and no control characters"
        }
        value if value.contains('*') => {
            "there are no wildcards here; write one entry for each value"
        }
        value => {
            return Ok(Member::Attribute {
                name: name.to_ascii_lowercase(),
                value: value.to_owned(),
            });
        }
    };
    Err(why.into())
}

/// An entry of `approvers`; whether its role exists is for the caller to see.
pub(super) fn approver(word: &Word) -> Result<Approver, String> {
    if let Some(role) = word.text.strip_prefix("role:") {
        return RoleName::new(role)
            .map(Approver::Role)
            .map_err(|invalid| invalid.to_string());
    }
    Ok(match member(word)? {
        Member::User(name) => Approver::User(name),
        Member::Group(group) => Approver::Group(group),
        Member::Attribute { .. } => return Err(NOT_YET.into()),
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
        "OWN" => TargetGroup::Own,
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

const NOT_YET: &str = "it isn't enforced yet by this version of Elevate; put it into the `members` of \
                       a role, and name that as `role:NAME`";

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
