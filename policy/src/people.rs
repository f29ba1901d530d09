//! Who belongs to what.

use serde::{Deserialize, Serialize};

use crate::diagnostic::Place;
use crate::login::LoginTerms;
use crate::names::RoleName;

/// Whether somebody belongs to a group or a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// They do.
    Yes,
    /// They don't.
    No,
    /// It could not be found out. It counts for a deny and never for an allow.
    Unknown,
}

impl Membership {
    /// Yes if any is yes, else unknown if any is unknown.
    pub(crate) fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::No;
        for one in all {
            match one {
                Self::Yes => return Self::Yes,
                Self::Unknown => sum = Self::Unknown,
                Self::No => {}
            }
        }
        sum
    }
}

impl From<bool> for Membership {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What the caller knows of users at the time of the decision. A source that cannot be asked, or
/// was asked too long ago, is [`Membership::Unknown`].
pub trait People {
    /// Whether the user of this name is in the group of this name, be it as their primary or as
    /// a supplementary group. A group that doesn't exist has no members.
    fn member(&self, user: &str, group: &str) -> Membership;

    /// Whether an attribute that a directory has for the user of this name has this value, or
    /// has it among others. `name` comes in lower case, because names of attributes compare
    /// without regard to case (RFC 4512, section 2.5); values compare exactly. Local users have
    /// no attributes.
    fn attribute(&self, user: &str, name: &str, value: &str) -> Membership;
}

/// An entry of a role's `members`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Member {
    /// `alice`: the user of this name.
    User(String),
    /// `%dba`: everyone in the OS group of this name.
    Group(String),
    /// `attr:department=dba`: everyone for whom a directory has this value.
    Attribute {
        /// The attribute's name, in lower case.
        name: String,
        /// The value, compared exactly.
        value: String,
    },
}

impl Member {
    /// Whether this entry takes in `user`.
    pub fn includes(&self, user: &str, people: &dyn People) -> Membership {
        match self {
            Self::User(name) => (name == user).into(),
            Self::Group(group) => people.member(user, group),
            Self::Attribute { name, value } => people.attribute(user, name, value),
        }
    }
}

/// An entry of a rule's `approvers`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Approver {
    /// `bob`: the user of this name.
    User(String),
    /// `%oncall`: everyone in the OS group of this name.
    Group(String),
    /// `role:lead`: every member of the role.
    Role(RoleName),
}

/// As written in the policy.
impl std::fmt::Display for Approver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => f.write_str(name),
            Self::Group(group) => write!(f, "%{group}"),
            Self::Role(role) => write!(f, "role:{role}"),
        }
    }
}

/// What a role lets its members do beside its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum May {
    /// `approve`: approve where a rule owes approvals and names nobody.
    Approve,
    /// `audit`: read records, and watch sessions.
    Audit,
}

/// A set of people with rules. Who has it, [`Policy::has_role`](crate::Policy::has_role) tells.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// What it is for, in the admin's words.
    pub description: Option<String>,
    /// Who belongs to it, aliases resolved, sorted.
    pub members: Vec<Member>,
    /// Who doesn't, whoever else says that they do; aliases resolved, sorted.
    pub removed: Vec<Member>,
    /// Roles that its members have too; sorted.
    pub includes: Vec<RoleName>,
    /// Roles whose members have this one too; sorted.
    pub included_in: Vec<RoleName>,
    /// Roles that exclude this one, whichever of the two says so; sorted.
    pub conflicts: Vec<RoleName>,
    /// What they may beside its rules; sorted.
    pub may: Vec<May>,
    /// How they log in.
    pub login: LoginTerms,
    /// Where it is written first.
    pub place: Place,
}
