//! The terms of something, key by key, and which of two demand more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::{Demands, Detail};
use crate::judge::spoken;
use crate::session::SessionSettings;

/// Terms by the keys that say them, as in `require.mfa`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms(BTreeMap<String, Value>);

/// How the values of a key compare.
#[derive(Clone, Copy)]
enum Order {
    /// The greater demands more.
    Up,
    /// The greater demands less; none demands least.
    Down,
    /// As `require.mfa`: none, an age, always.
    Mfa,
    /// These words, the later demanding more.
    Words(&'static [&'static str]),
    /// A list of who may agree, or what is kept: the longer demands less.
    List,
    /// To have any demands more.
    Any,
    Not,
}

/// Every key that terms have.
const KEYS: &[(&str, Order)] = &[
    ("require.approvals", Order::Up),
    ("require.each", Order::Up),
    ("require.approvers", Order::List),
    ("require.mfa", Order::Mfa),
    ("require.ticket", Order::Any),
    ("require.reason", Order::Up),
    ("limit.default", Order::Down),
    ("limit.max", Order::Down),
    ("limit.tasks", Order::Down),
    ("limit.memory", Order::Down),
    ("limit.cpu", Order::Down),
    ("limit.grace", Order::Not),
    ("limit.idle", Order::Down),
    ("session.record", Order::Words(&["none", "output", "full"])),
    ("session.on_full", Order::Words(&["end", "refuse"])),
    ("session.watched", Order::Up),
    ("session.execs", Order::Words(&["none", "log", "deny"])),
    ("session.keep_env", Order::List),
    ("session.capabilities", Order::Any),
    ("session.contain", Order::Any),
    ("login.require.mfa", Order::Mfa),
    ("login.record", Order::Up),
    ("login.when.hosts", Order::List),
    ("login.when.services", Order::List),
    ("login.when.from", Order::List),
    ("login.when.hours", Order::List),
];

/// The terms of a rule, in a session that others may make stricter.
pub(super) fn terms(terms: &crate::rule::Terms, session: &SessionSettings) -> Terms {
    let mut all = BTreeMap::new();
    put(&mut all, "", terms);
    put(&mut all, "require.", &terms.owed);
    let approvers: Vec<_> = terms.approvers.iter().map(ToString::to_string).collect();
    all.insert("require.approvers".to_owned(), approvers.into());
    all.insert("require.ticket".to_owned(), json(&terms.ticket));
    put(&mut all, "limit.", &terms.limit);
    put(&mut all, "session.", session);
    for table in ["owed", "approvers", "ticket", "limit", "session"] {
        all.remove(table);
    }
    Terms(all)
}

/// What a role says of logins.
pub(super) fn login(login: &crate::login::LoginTerms) -> Terms {
    let mut all = BTreeMap::new();
    put(&mut all, "login.when.", &login.when);
    all.insert("login.require.mfa".to_owned(), json(&login.mfa));
    all.insert("login.record".to_owned(), login.record.into());
    Terms(all)
}

fn put(all: &mut BTreeMap<String, Value>, table: &str, value: &impl Serialize) {
    if let Value::Object(fields) = json(value) {
        for (key, value) in fields {
            let key = key.strip_suffix("_ms").unwrap_or(&key);
            all.insert(format!("{table}{key}"), value);
        }
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

impl Ord for Terms {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let text = |one: &Self| json(&one.0).to_string();
        text(self).cmp(&text(other))
    }
}

impl PartialOrd for Terms {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether the first demands no more in anything than the second.
pub(super) fn is_better(first: &Terms, second: &Terms) -> bool {
    let less = |(key, demands)| key == "limit.default" || demands == Demands::Less;
    differing(second, first).all(less)
}

/// Each key in which two differ, with what the second demands beside the first.
fn differing<'a>(was: &'a Terms, now: &'a Terms) -> impl Iterator<Item = (&'a str, Demands)> {
    let keys: BTreeSet<_> = was.0.keys().chain(now.0.keys()).collect();
    keys.into_iter().filter_map(|key| {
        let (was, now) = (value(was, key), value(now, key));
        (was != now).then(|| (key.as_str(), demands(key, was, now)))
    })
}

fn value<'a>(terms: &'a Terms, key: &str) -> &'a Value {
    terms.0.get(key).unwrap_or(&Value::Null)
}

/// What differs, in words.
pub(super) fn between(was: &Terms, now: &Terms, under: Option<&str>) -> Vec<Detail> {
    let details = differing(was, now).map(|(key, demands)| Detail {
        key: key.to_owned(),
        under: under.map(str::to_owned),
        was: words(key, value(was, key)),
        now: words(key, value(now, key)),
        demands,
    });
    details.collect()
}

/// What is owed and lent, in words: the terms of what somebody gains.
pub(super) fn of(terms: &Terms, under: Option<&str>) -> Vec<Detail> {
    let said = |key: &str| key.starts_with("require.") || key == "limit.max";
    let details = terms
        .0
        .iter()
        .filter(|(key, _)| said(key))
        .filter_map(|(key, value)| {
            let empty = value.as_array().is_some_and(Vec::is_empty);
            let nothing = empty || matches!(value, Value::Null | Value::Bool(false)) || *value == 0;
            let now = words(key, value).filter(|_| !nothing)?;
            Some(Detail {
                key: key.clone(),
                under: under.map(str::to_owned),
                was: None,
                now: Some(now),
                demands: Demands::Other,
            })
        });
    details.collect()
}

fn demands(key: &str, was: &Value, now: &Value) -> Demands {
    let order = KEYS.iter().find(|(known, _)| *known == key);
    let rank = |value: &Value| match order.map(|(_, order)| *order)? {
        Order::Up => Some(number(value)?),
        Order::Down => Some(-number(value).unwrap_or(f64::INFINITY)),
        Order::Mfa => Some(match value {
            Value::Null => f64::NEG_INFINITY,
            Value::String(_) => 1.0,
            age => -number(age.get("within_ms")?)?,
        }),
        Order::Words(words) => {
            let place = words.iter().position(|word| value == word)?;
            Some(place as f64)
        }
        Order::Any => Some(if value.is_null() { 0.0 } else { 1.0 }),
        Order::List | Order::Not => None,
    };
    if let Some((_, Order::List)) = order {
        return match (list(was), list(now)) {
            (None, Some(_)) => Demands::More,
            (Some(_), None) => Demands::Less,
            (Some(was), Some(now)) if was.is_subset(&now) => Demands::Less,
            (Some(was), Some(now)) if now.is_subset(&was) => Demands::More,
            _ => Demands::Other,
        };
    }
    match rank(was).zip(rank(now)) {
        Some((was, now)) if was < now => Demands::More,
        Some((was, now)) if was > now => Demands::Less,
        _ => Demands::Other,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        value => value.as_f64(),
    }
}

/// The words of a list; what isn't written fits everything.
fn list(value: &Value) -> Option<BTreeSet<String>> {
    let all = value.as_array()?.iter();
    Some(
        all.filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
    )
}

fn words(key: &str, value: &Value) -> Option<String> {
    let time = |value: &Value| {
        value
            .as_u64()
            .map(|time| spoken(Duration::from_millis(time)))
    };
    Some(match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Array(all) => {
            let word = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
            all.iter().map(word).collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) if key.starts_with("limit.") => {
            let plain = matches!(key, "limit.tasks" | "limit.memory" | "limit.cpu");
            time(value)
                .filter(|_| !plain)
                .unwrap_or_else(|| number.to_string())
        }
        Value::Object(fields) => match fields.get("within_ms").and_then(time) {
            Some(age) => age,
            None => value.to_string(),
        },
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that is left out here compares as if no one demanded more.
    #[test]
    fn every_term_of_a_rule_and_of_a_login_has_its_order() {
        let text = "[role.a]\nmembers = []\n[rule.r]\nroles = [\"a\"]\nrun_as = \"root\"\n\
                    commands = [\"ALL\"]\nrequire = {}\n";
        let source = crate::Source {
            name: "p".into(),
            text: text.into(),
        };
        let policy = crate::load(&[source], &Default::default(), &Default::default()).unwrap();
        let rule = policy.rules()[0].terms.as_ref().unwrap();
        let role = policy.roles().next().unwrap();
        let mut keys: BTreeSet<_> = terms(rule, &rule.session).0.into_keys().collect();
        let logins = login(&role.login).0.into_keys();
        // No login has these.
        let never = ["login.when.valid", "login.when.terminal"];
        keys.extend(logins.filter(|key| !never.contains(&key.as_str())));
        let known: BTreeSet<_> = KEYS.iter().map(|(key, _)| (*key).to_owned()).collect();
        assert_eq!(keys, known);
    }
}
