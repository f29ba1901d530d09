//! Lines of sudoers as cvtsudoers writes them, and what is expected of their conversion.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::asking::{Asked, converted, yes};
use crate::ctl::import::Converted;
use crate::ctl::import::remark::Weight;

/// `alice, %wheel, !bob` and their like as members in JSON.
pub(super) fn members(kind: &str, text: &str) -> Value {
    let member = |word: &str| {
        let (negated, word) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let (kind, word) = match (kind, word.chars().next()) {
            ("username", Some('%')) => ("usergroup", &word[1..]),
            ("username", Some('+')) => ("netgroup", &word[1..]),
            ("hostname", Some('1')) => ("networkaddr", word),
            _ => (kind, word),
        };
        let value = match word.strip_prefix('#').filter(|_| kind == "username") {
            Some(digits) => json!({"userid": digits.parse::<u32>().unwrap()}),
            None => json!({kind: word}),
        };
        let mut value = value;
        if negated {
            value["negated"] = true.into();
        }
        value
    };
    text.split(", ").map(member).collect()
}

/// One line of sudoers: users, hosts, `user : group`, options, commands.
pub(super) fn line(
    users: &str,
    hosts: &str,
    run_as: &str,
    options: Value,
    commands: &str,
) -> Value {
    let mut spec = json!({"Options": options, "Commands": members("command", commands)});
    let (targets, groups) = match run_as.split_once(" : ") {
        Some((targets, groups)) => (targets, Some(groups)),
        None => (run_as, None),
    };
    if !targets.is_empty() {
        spec["runasusers"] = members("username", targets.trim_start_matches("SELF"));
    }
    if let Some(groups) = groups {
        spec["runasgroups"] = members("usergroup", groups);
    }
    json!({
        "User_List": members("username", users),
        "Host_List": members("hostname", hosts),
        "Cmnd_Specs": [spec],
    })
}

pub(super) fn plain(users: &str, run_as: &str, commands: &str) -> Value {
    line(users, "ALL", run_as, json!([]), commands)
}

pub(super) fn sudoers(lines: &[Value]) -> String {
    json!({ "User_Specs": lines }).to_string()
}

pub(super) fn ask(user: &'static str, target: &'static str, words: &str) -> Asked {
    Asked {
        user,
        host: "web1",
        target,
        group: None,
        words: words.split(' ').map(str::to_owned).collect(),
        at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(500_000),
    }
}

/// Asks each, and expects yes of all and no remark.
#[track_caller]
pub(super) fn exactly(lines: &[Value], allowed: &[Asked], denied: &[Asked]) -> Converted {
    let converted = answers(lines, allowed, denied);
    let marked: Vec<_> = weighty(&converted).collect();
    assert!(marked.is_empty(), "{marked:?}\n{}", converted.text);
    converted
}

#[track_caller]
pub(super) fn answers(lines: &[Value], allowed: &[Asked], denied: &[Asked]) -> Converted {
    let (policy, converted) = converted(&sudoers(lines));
    for asked in allowed {
        assert!(
            yes(&policy, asked).is_some(),
            "{asked:?}\n{}",
            converted.text
        );
    }
    for asked in denied {
        assert!(
            yes(&policy, asked).is_none(),
            "{asked:?}\n{}",
            converted.text
        );
    }
    converted
}

/// The same, with a remark that holds these words.
#[track_caller]
pub(super) fn marked(lines: &[Value], allowed: &[Asked], denied: &[Asked], words: &str) {
    let converted = answers(lines, allowed, denied);
    let told = weighty(&converted).any(|remark| remark.contains(words));
    assert!(told, "{words}\n{}", converted.text);
    // At its place, and in the list at the end.
    assert!(
        converted.text.matches(words).count() >= 2,
        "{words}\n{}",
        converted.text
    );
}

pub(super) fn weighty(converted: &Converted) -> impl Iterator<Item = String> {
    let weighty = converted
        .remarks
        .iter()
        .filter(|one| one.weight != Weight::Note);
    weighty.map(|remark| remark.at_its_place())
}
