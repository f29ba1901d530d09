//! A rule, understood.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::command::{Command, EditPath};
use crate::diagnostic::Place;
use crate::mfa::Mfa;
use crate::names::{RoleName, RuleName};
use crate::people::Approver;
use crate::run_as::{RunAs, TargetUser};
use crate::session::SessionSettings;
use crate::ticket::Ticket;
use crate::when::When;

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
    /// What; aliases resolved. Never empty where `edit` is.
    pub commands: Vec<Command>,
    /// Which files `elevate -e` may edit.
    pub edit: Vec<EditPath>,
    /// Where, when and how.
    pub when: When,
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

    /// Whether it takes capabilities and leaves the files of the host: as uid 0, which owns them,
    /// that would be root still.
    pub(crate) fn spares_root(&self) -> bool {
        let session = self.terms.as_ref().map(|terms| &terms.session);
        session.is_some_and(|one| one.capabilities.is_some() && one.contain.is_none())
    }

    /// Whether some question of this uid could match.
    pub(crate) fn may_run_for(&self, uid: u32) -> bool {
        let own = |run_as: &RunAs| run_as.user == TargetUser::Caller;
        !(uid == 0 && self.spares_root() && self.run_as.iter().all(own))
    }
}

/// What an allow rule says beside who, as whom and what.
#[derive(Clone, Debug, Serialize)]
pub struct Terms {
    /// What is owed before the command may run.
    pub owed: Owed,
    /// Who may approve; aliases resolved, sorted; empty when no approvals are owed.
    pub approvers: Vec<Approver>,
    /// What the ticket looks like that is owed; `None` where none is.
    pub ticket: Option<Ticket>,
    /// How long and how much.
    pub limit: RuleLimit,
    /// How the session runs.
    pub session: SessionSettings,
}

/// What is owed before a command may run. The least comes first: fewest approvals, then no factor
/// before an older one before a fresher one, then no ticket, then no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owed {
    /// Approvals of so many different people, none of them the one who asks.
    pub approvals: u32,
    /// Whether each of the approvers is owed one, and not any of them so many.
    #[serde(default)]
    pub each: bool,
    /// A second factor of the asker's.
    #[serde(default)]
    pub mfa: Option<Mfa>,
    /// The number of a ticket.
    #[serde(default)]
    pub ticket: bool,
    /// A reason in the asker's own words.
    pub reason: bool,
}

/// The `limit` of a rule, with what `elevated.toml` says where the rule says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleLimit {
    /// For how long when nothing else is asked; in JSON as milliseconds.
    #[serde(rename = "default_ms", with = "crate::milliseconds")]
    pub default: Duration,
    /// For how long at most; in JSON as milliseconds.
    #[serde(rename = "max_ms", with = "crate::milliseconds")]
    pub max: Duration,
    /// How many tasks (processes and threads) at once; `None` is no bound of its own.
    pub tasks: Option<u32>,
    /// How much memory, in bytes, swap apart; `None` is no bound of its own.
    #[serde(default)]
    pub memory: Option<u64>,
    /// How much time of processors, in percent of one; `None` is no bound of its own.
    #[serde(default)]
    pub cpu: Option<u32>,
    /// How long before the end the tree gets SIGTERM; `None` is never. In JSON as milliseconds.
    #[serde(default, rename = "grace_ms", with = "crate::milliseconds::option")]
    pub grace: Option<Duration>,
    /// How long nobody need press a key before the terminal is held until a code is given, and the
    /// same again before the session ends; `None` is for ever. In JSON as milliseconds.
    #[serde(default, rename = "idle_ms", with = "crate::milliseconds::option")]
    pub idle: Option<Duration>,
}
