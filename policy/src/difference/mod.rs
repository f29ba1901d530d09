//! Who gains and who loses what from one policy to another, by meaning: not which lines moved, nor what
//! rules are called.

mod deeds;
mod details;
mod offers;
mod people;
mod roles;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

use crate::policy::Policy;

/// Everything that differs for those who use a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Role by role, and then person by person; each by what it is about.
    pub changes: Vec<Change>,
}

/// One thing that somebody may do now, or may no longer, or on other terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Whose it is.
    pub who: Who,
    /// What it is about.
    pub deed: Deed,
    /// What became of it.
    pub kind: Kind,
    /// On which terms, or what of them is another.
    pub details: Vec<Detail>,
}

/// Whom a change concerns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Everybody in the role of this name.
    Role(String),
    /// An entry of `members`, for whom other roles count now: a user, a `%group`, or `attr:NAME=VALUE`.
    Member(String),
}

/// What somebody may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Have the role of this name.
    Role(String),
    /// What a role's `may` says.
    May(String),
    /// Log in.
    LogIn,
    /// What else a role says of others.
    Roles,
    /// Run a command.
    Run {
        /// As written, without braces.
        command: String,
        /// As whom.
        run_as: String,
    },
    /// Edit a file.
    Edit {
        /// As written, without braces.
        path: String,
        /// As whom.
        run_as: String,
    },
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It may be done now, on these terms.
    Gained,
    /// It may no longer be done.
    Lost,
    /// It may be done as before, on other terms.
    Changed,
    /// A deny speaks of it now, whatever else is allowed.
    Forbidden,
    /// No deny speaks of it any more.
    NoLongerForbidden,
}

/// One term of something, before and after.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Detail {
    /// The key of the policy that says it.
    pub key: String,
    /// Where it holds for a part alone: its conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub under: Option<String>,
    /// What it was; `None` where there was nothing of the kind.
    pub was: Option<String>,
    /// What it is.
    pub now: Option<String>,
    /// Whether more is demanded than before, or less.
    pub demands: Demands,
}

/// Whether a term demands more than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Demands {
    /// More is owed, or less is lent.
    More,
    /// Less is owed, or more is lent.
    Less,
    /// Something else.
    Other,
}

impl Policy {
    /// What changes for whom when `self` is replaced by `new`.
    #[must_use]
    pub fn difference(&self, new: &Self) -> Difference {
        let mut changes = roles::changes(self, new);
        changes.extend(people::changes(self, new));
        changes.sort();
        Difference { changes }
    }
}

impl Difference {
    /// Whether nobody can tell the two apart by what they may do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(f, "role {name}"),
            Self::Member(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(f, "role {name}"),
            Self::May(what) => f.write_str(what),
            Self::LogIn => f.write_str("log in"),
            Self::Roles => f.write_str("other roles"),
            Self::Run { command, run_as } => write!(f, "{command} as {run_as}"),
            Self::Edit { path, run_as } => write!(f, "edit {path} as {run_as}"),
        }
    }
}
