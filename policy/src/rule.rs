//! A rule, understood.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::diagnostic::Place;
use crate::mfa::Mfa;
use crate::names::{RoleName, RuleName};
use crate::people::Approver;
use crate::run_as::RunAs;

/// Whether a rule gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// What it matches may run, once everything owed is there.
    Allow,
    /// What it matches may not run, whatever other rules say.
    Deny,
}

/// A rule of the policy.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, once in the whole policy.
    pub name: RuleName,
    /// What it is for, in the admin's words.
    pub description: Option<String>,
    /// For whom; sorted, never empty.
    pub roles: Vec<RoleName>,
    /// As whom; aliases resolved, sorted, never empty.
    pub run_as: Vec<RunAs>,
    /// What; aliases resolved, never empty.
    pub commands: Vec<Command>,
    /// On which terms; `None` is a rule with `effect = "deny"`.
    pub terms: Option<Terms>,
    /// Where it is written.
    pub place: Place,
}

impl Rule {
    /// Whether it gives or takes.
    #[must_use]
    pub fn effect(&self) -> Effect {
        if self.terms.is_some() {
            Effect::Allow
        } else {
            Effect::Deny
        }
    }
}

/// What an allow rule says beside who, as whom and what.
#[derive(Clone, Debug, Serialize)]
pub struct Terms {
    /// What is owed before the command may run.
    pub owed: Owed,
    /// Who may approve; aliases resolved, sorted; empty when no approvals are owed.
    pub approvers: Vec<Approver>,
    /// How long and how much.
    pub limit: RuleLimit,
    /// How the session runs.
    pub session: SessionSettings,
}

/// What is owed before a command may run. The least comes first: fewest approvals, then no factor
/// before an older one before a fresher one, then no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owed {
    /// Approvals of so many different people, none of them the one who asks.
    pub approvals: u32,
    /// A second factor of the asker's.
    #[serde(default)]
    pub mfa: Option<Mfa>,
    /// A reason in the asker's own words.
    pub reason: bool,
}

/// The `limit` of a rule, with what `elevated.toml` says where the rule says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RuleLimit {
    /// For how long when nothing else is asked; in JSON as milliseconds.
    #[serde(rename = "default_ms", with = "crate::milliseconds")]
    pub default: Duration,
    /// For how long at most; in JSON as milliseconds.
    #[serde(rename = "max_ms", with = "crate::milliseconds")]
    pub max: Duration,
    /// How many tasks (processes and threads) at once; `None` is no bound of its own.
    pub tasks: Option<u32>,
}

/// What of the terminal is recorded; the stricter is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Nothing.
    None,
    /// Everything the terminal shows.
    Output,
}

/// What becomes of execs below the command; the stricter is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Execs {
    /// Nothing.
    None,
    /// Each one is logged.
    Log,
}

/// How a session runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionSettings {
    /// What of the terminal is recorded.
    pub record: Record,
    /// What becomes of execs below the command.
    pub execs: Execs,
    /// Variables of the caller's environment that the command keeps; sorted, exact names.
    pub keep_env: Vec<String>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            record: Record::Output,
            execs: Execs::Log,
            keep_env: Vec::new(),
        }
    }
}

impl SessionSettings {
    /// What satisfies both.
    pub(crate) fn strictest(mut self, other: &Self) -> Self {
        self.record = self.record.max(other.record);
        self.execs = self.execs.max(other.execs);
        self.keep_env.retain(|name| other.keep_env.contains(name));
        self
    }
}
