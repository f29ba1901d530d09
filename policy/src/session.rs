//! How a session runs.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::capabilities::Capabilities;

/// What of the terminal is recorded; the stricter is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Nothing.
    None,
    /// Everything the terminal shows.
    Output,
    /// That, and what is typed while the terminal's echo is on.
    Full,
}

/// What becomes of execs below the command; the stricter is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Execs {
    /// Nothing.
    None,
    /// Each one is logged.
    Log,
    /// The command's own passes; every other is logged and fails with EPERM.
    Deny,
}

/// What happens where the recording finds no room; the stricter is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFull {
    /// The session ends.
    End,
    /// It doesn't begin either where room is short.
    Refuse,
}

/// A view of the host of its own: read-only, without other processes, buses and devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contain {
    /// Absolute paths, whose files stay writable; sorted.
    pub writable: Vec<String>,
    /// Whether it stays in the host's network.
    pub network: bool,
}

/// How a session runs. In JSON what is missing is as in the default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionSettings {
    /// What of the terminal is recorded.
    pub record: Record,
    /// What happens where the recording finds no room.
    pub on_full: OnFull,
    /// Whether it runs only while somebody watches who may.
    pub watched: bool,
    /// What becomes of execs below the command.
    pub execs: Execs,
    /// Variables of the caller's environment that the command keeps; sorted, exact names, or
    /// `*` alone for all that [`may_be_kept`](crate::may_be_kept).
    pub keep_env: Vec<String>,
    /// The capabilities that the command has and can ever get; `None`: what its uid brings.
    pub capabilities: Option<Capabilities>,
    /// Whether it runs in a view of the host of its own.
    pub contain: Option<Contain>,
}

/// Output and execs are on record, and nothing else is bound.
impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            record: Record::Output,
            on_full: OnFull::End,
            watched: false,
            execs: Execs::Log,
            keep_env: Vec::new(),
            capabilities: None,
            contain: None,
        }
    }
}

/// In `keep_env`: any variable that may be kept at all.
pub(crate) const ANY: &str = "*";

impl SessionSettings {
    /// What satisfies both.
    pub(crate) fn strictest(self, other: &Self) -> Self {
        Self {
            record: self.record.max(other.record),
            on_full: self.on_full.max(other.on_full),
            watched: self.watched || other.watched,
            execs: self.execs.max(other.execs),
            keep_env: kept_by_both(self.keep_env, &other.keep_env),
            capabilities: both(self.capabilities, other.capabilities, Capabilities::and),
            contain: both(self.contain, other.contain.clone(), Contain::and),
        }
    }
}

/// What only one says counts; what both say, as `and` has it.
fn both<T>(one: Option<T>, other: Option<T>, and: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(and(one, other)),
        (one, other) => one.or(other),
    }
}

fn kept_by_both(mut one: Vec<String>, other: &[String]) -> Vec<String> {
    if one.iter().any(|name| name == ANY) {
        return other.to_vec();
    }
    if !other.iter().any(|name| name == ANY) {
        one.retain(|name| other.contains(name));
    }
    one
}

impl Contain {
    fn and(self, other: Self) -> Self {
        let pairs = self
            .writable
            .iter()
            .flat_map(|one| other.writable.iter().map(move |other| (one, other)));
        let mut writable: Vec<_> = pairs
            .filter_map(|(one, other)| deeper(one, other).cloned())
            .collect();
        writable.sort();
        writable.dedup();
        Self {
            writable,
            network: self.network && other.network,
        }
    }
}

/// Of a folder and something in it the latter: what lies in both.
fn deeper<'a>(one: &'a String, other: &'a String) -> Option<&'a String> {
    if Path::new(one).starts_with(other) {
        Some(one)
    } else {
        Path::new(other).starts_with(one).then_some(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contain(writable: &[&str], network: bool) -> Contain {
        let writable = writable.iter().map(|path| (*path).to_owned()).collect();
        Contain { writable, network }
    }

    #[test]
    fn what_is_writable_for_two_rules_lies_in_folders_of_both() {
        let one = contain(&["/srv", "/var/www/a", "/opt"], true);
        let other = contain(&["/srv/x", "/srv/y", "/var/www", "/optional"], false);
        let both = contain(&["/srv/x", "/srv/y", "/var/www/a"], false);
        assert_eq!(one.clone().and(other.clone()), both);
        assert_eq!(other.and(one), both);
    }

    #[test]
    fn a_star_yields_to_a_list() {
        let of = |names: &[&str]| SessionSettings {
            keep_env: names.iter().map(|name| (*name).to_owned()).collect(),
            ..SessionSettings::default()
        };
        let (any, some) = (of(&["*"]), of(&["LANG"]));
        assert_eq!(any.clone().strictest(&some).keep_env, ["LANG"]);
        assert_eq!(some.strictest(&any).keep_env, ["LANG"]);
        assert_eq!(any.clone().strictest(&any).keep_env, ["*"]);
    }
}
