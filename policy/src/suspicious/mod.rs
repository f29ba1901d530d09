//! What a policy says that is valid, and hardly what its author meant.

mod approvers;
mod conflicts;
mod covered;
mod programs;
mod root_shell;
#[cfg(test)]
mod tests;
mod writable;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Place};
use crate::people::{Approver, Member, Membership, People};
use crate::policy::Policy;
use crate::shown::shown;
pub(crate) use covered::times_cover;
pub use writable::PathFacts;

/// Which kind of suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suspicion {
    /// A rule owes approvals that nobody can give.
    NoApprover,
    /// Another rule says all that this one says, and demands no more.
    Covered,
    /// A deny takes all that an allow gives.
    Forbidden,
    /// Somebody is in two roles that exclude each other, and so has neither.
    Conflict,
    /// A command lets whoever may run it as root do anything.
    RootShell,
    /// Others than root can change what runs.
    Writable,
}

/// Something suspicious, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// What, where, and what to do about it.
    #[serde(flatten)]
    pub diagnostic: Diagnostic,
    /// Which kind.
    pub kind: Suspicion,
}

impl Policy {
    /// All that is suspicious in the policy's words alone, in the order of files and lines.
    /// Nothing is said of what hangs on groups and attributes: who is in them is not known here.
    #[must_use]
    pub fn suspicions(&self) -> Vec<Warning> {
        let mut found = Found::default();
        approvers::look(self, &mut found);
        conflicts::look(self, &mut found);
        covered::look(self, &mut found);
        root_shell::look(self, &mut found);
        found.sorted()
    }

    /// What of the files that rules name without a wildcard others could change, as far as `facts`
    /// of this host tell. `facts` gives what is known of a path's parts from `/` on, the file
    /// itself last, or `None` where there is no such file; `uid` gives a user's number.
    #[must_use]
    pub fn writable_commands(
        &self,
        facts: impl FnMut(&[u8]) -> Option<Vec<PathFacts>>,
        uid: impl FnMut(&str) -> Option<u32>,
    ) -> Vec<Warning> {
        let mut found = Found::default();
        writable::look(self, facts, uid, &mut found);
        found.sorted()
    }
}

/// What is known of people from the policy's own words: who is named, and nothing of groups and
/// attributes.
struct Named;

impl People for Named {
    fn member(&self, _: &str, _: &str) -> Membership {
        Membership::Unknown
    }

    fn attribute(&self, _: &str, _: &str, _: &str) -> Membership {
        Membership::Unknown
    }
}

/// Everybody whom some list of the policy names.
fn everybody(policy: &Policy) -> BTreeSet<&str> {
    let members = policy.roles().flat_map(|role| &role.members);
    let members = members.filter_map(|member| match member {
        Member::User(name) => Some(name.as_str()),
        Member::Group(_) | Member::Attribute { .. } => None,
    });
    let approvers = policy.rules().iter().filter_map(|rule| rule.terms.as_ref());
    let approvers = approvers.flat_map(|terms| &terms.approvers);
    let approvers = approvers.filter_map(|approver| match approver {
        Approver::User(name) => Some(name.as_str()),
        Approver::Group(_) | Approver::Role(_) => None,
    });
    members.chain(approvers).collect()
}

#[derive(Default)]
struct Found(Vec<Warning>);

impl Found {
    fn add(&mut self, kind: Suspicion, word: &str, place: &Place, message: String) {
        let diagnostic = Diagnostic {
            file: place.file.as_ref().to_owned(),
            line: place.line,
            column: place.column,
            word: shown(word),
            message,
            suggestion: None,
        };
        self.0.push(Warning { diagnostic, kind });
    }

    /// In order; an entry of an alias that several rules use is told of once.
    fn sorted(mut self) -> Vec<Warning> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}
