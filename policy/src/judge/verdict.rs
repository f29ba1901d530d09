//! What the policy answers, and why.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Place;
use crate::names::RuleName;
use crate::rule::{Effect, Owed};
use crate::session::SessionSettings;
use crate::ticket::Ticket;

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Yes or no.
    pub decision: Decision,
    /// The rule that made it so: the one that allows, or the one that forbids. For the record
    /// and for administrators, not for the asker.
    pub decided_by: Option<RuleName>,
    /// The rules that were looked at, by name, and what became of each. For administrators.
    pub considered: Vec<Considered>,
}

/// Yes or no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// No.
    Denied(Denial),
    /// Yes, once everything owed is there.
    Allowed(Allowance),
}

/// A no, in words that the asker may hear: they tell nothing of the rules of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Which kind of no.
    pub kind: DenialKind,
    /// Why.
    pub message: String,
    /// What to do next.
    pub advice: String,
}

/// Kinds of no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenialKind {
    /// The question itself is none: an id, path, argument or time that cannot be.
    Invalid,
    /// A deny rule matches.
    Forbidden,
    /// No rule allows it.
    NotAllowed,
    /// The rule named with `--rule` doesn't allow it, or doesn't exist.
    NamedRule,
    /// It is allowed, for a shorter time.
    TooLong {
        /// The longest time; in JSON as milliseconds.
        #[serde(rename = "longest_ms", with = "crate::milliseconds")]
        longest: Duration,
    },
    /// A membership, or a login, that matters could not be found out.
    Unsure,
}

/// A yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// The rule that allows it.
    pub rule: RuleName,
    /// What is owed before anything runs.
    pub owed: Owed,
    /// What the ticket looks like that is owed; `None` where none is.
    #[serde(default)]
    pub ticket: Option<Ticket>,
    /// How long and how much.
    pub limit: Limit,
    /// How the session runs: the strictest of all allow rules that match.
    pub session: SessionSettings,
}

/// How long and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// When `hours` or `valid` of the rule are over: nothing lasts longer, whatever the times below
    /// say. `None` is never.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// For how long: what was wanted, else the rule's default; in JSON as milliseconds.
    #[serde(rename = "granted_ms", with = "crate::milliseconds")]
    pub granted: Duration,
    /// For how long the rule could ever allow; in JSON as milliseconds.
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
    /// How long before the end the tree gets SIGTERM, at most half of what is granted; `None` is never. In JSON as milliseconds.
    #[serde(default, rename = "grace_ms", with = "crate::milliseconds::option")]
    pub grace: Option<Duration>,
    /// How long nobody need press a key before the terminal is held until a code is given, and the
    /// same again before the session ends; `None` is for ever. In JSON as milliseconds.
    #[serde(default, rename = "idle_ms", with = "crate::milliseconds::option")]
    pub idle: Option<Duration>,
}

/// A rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// Its name.
    pub rule: RuleName,
    /// Whether it gives or takes.
    pub effect: Effect,
    /// Where it is written.
    pub place: Place,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a rule that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It matches.
    Matched,
    /// A deny rule that matches because a membership, or how somebody logged in, could not be found
    /// out.
    MatchedUnsure,
    /// It doesn't match.
    NotMatched {
        /// The first condition that isn't met.
        condition: Condition,
        /// Why, in words for administrators.
        detail: String,
    },
}

/// A condition of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// `roles`: who asks.
    Roles,
    /// `run_as`: as whom.
    RunAs,
    /// `commands`: what.
    Commands,
    /// `edit`: which files.
    Edit,
    /// `limit`: for how long.
    Limit,
    /// `when.hosts`: on which machine.
    Hosts,
    /// `when.services`: by which service they logged in.
    Services,
    /// `when.from`: from which network they logged in.
    From,
    /// `when.hours`: at what hour.
    Hours,
    /// `when.valid`: between which moments.
    Valid,
    /// `when.terminal`: whether at a terminal.
    Terminal,
}

impl Condition {
    /// The key of the policy that says it.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::RunAs => "run_as",
            Self::Commands => "commands",
            Self::Edit => "edit",
            Self::Limit => "limit",
            Self::Hosts => "when.hosts",
            Self::Services => "when.services",
            Self::From => "when.from",
            Self::Hours => "when.hours",
            Self::Valid => "when.valid",
            Self::Terminal => "when.terminal",
        }
    }
}
