//! From the texts of the policy's files to a [`Policy`], or to everything wrong with them.

mod accounts;
mod aliases;
mod approvals;
mod environment;
mod hierarchy;
pub(crate) mod language;
mod limit;
mod link;
mod login;
mod problems;
mod raw;
mod reader;
mod session;
mod terms;
mod when;
mod writable;

use std::time::Duration;

use jiff::tz::TimeZoneDatabase;

use crate::diagnostic::{Diagnostics, Source};
use crate::policy::Policy;
use link::Linker;
pub(crate) use problems::{Problems, Word};
use raw::Raw;
use reader::Reader;

/// What this host can enforce.
#[derive(Clone, Debug)]
pub struct HostFacts {
    /// The cgroup controllers there are, as in `cgroup.controllers`; `None` when unknown, as
    /// in a check of files away from their host: then no limit is judged by them.
    pub controllers: Option<Vec<String>>,
    /// The time zones there are; none but UTC by default.
    pub zones: TimeZoneDatabase,
}

/// Nothing is known of the host.
impl Default for HostFacts {
    fn default() -> Self {
        Self {
            controllers: None,
            zones: TimeZoneDatabase::none(),
        }
    }
}

/// What `elevated.toml` says for rules that don't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// For how long a rule without `limit.default` lends.
    pub limit_default: Duration,
    /// For how long a rule without `limit.max` lends at most.
    pub limit_max: Duration,
}

/// A quarter of an hour, eight hours at most: what `elevated.toml` ships with.
impl Default for Defaults {
    fn default() -> Self {
        Self {
            limit_default: Duration::from_secs(15 * 60),
            limit_max: Duration::from_secs(8 * 60 * 60),
        }
    }
}

/// Reads a policy. The order of the files doesn't matter.
///
/// # Errors
/// Everything that is wrong with the files, in the order of files and lines.
pub fn load(
    sources: &[Source],
    host: &HostFacts,
    defaults: &Defaults,
) -> Result<Policy, Diagnostics> {
    let problems = Problems::default();
    let mut raw = Raw::default();
    let mut all_parsed = true;
    for source in sources {
        let file = Reader::new(source, &problems);
        match file.parse() {
            Some(table) => raw.read(&file, table.get_ref()),
            None => all_parsed = false,
        }
    }
    // What a broken file defines is unknown: a reference into it would be reported as wrong.
    if !all_parsed {
        return Err(problems.into_diagnostics());
    }
    let linker = Linker::new(&raw, &problems, host, defaults);
    linker.check_aliases();
    let (roles, rules) = (linker.roles(), linker.rules());
    let diagnostics = problems.into_diagnostics();
    if diagnostics.is_empty() {
        Ok(Policy::new(roles, rules))
    } else {
        Err(diagnostics)
    }
}
