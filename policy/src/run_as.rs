//! As whom a rule runs its commands.

use std::fmt;

use serde::Serialize;

use crate::judge::Question;

/// The user part of an entry of `run_as`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetUser {
    /// `ALL`: any user.
    Any,
    /// `SELF`: the caller.
    Caller,
    /// The user of this name.
    Name(String),
    /// `#1000` or `1000`: the user of this uid, by whatever name.
    Uid(u32),
}

/// The group part of an entry of `run_as`, which only matters when `-g` was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetGroup {
    /// None written, or `ALL:OWN`: the target's own groups; allows no `-g`.
    Own,
    /// `user:ALL`, or `ALL` alone: the target's own groups or any other with `-g`.
    Any,
    /// `user:group`: allows exactly this group, with `-g`.
    Name(String),
    /// `user:#100`: the same by gid.
    Gid(u32),
}

/// An entry of `run_as`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RunAs {
    /// As which user.
    pub user: TargetUser,
    /// With which primary group.
    pub group: TargetGroup,
}

/// As written in the policy, numbers with `#`.
impl fmt::Display for RunAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            TargetUser::Any => f.write_str("ALL")?,
            TargetUser::Caller => f.write_str("SELF")?,
            TargetUser::Name(name) => f.write_str(name)?,
            TargetUser::Uid(uid) => write!(f, "#{uid}")?,
        }
        match &self.group {
            TargetGroup::Own if self.user == TargetUser::Any => f.write_str(":OWN"),
            TargetGroup::Own => Ok(()),
            // `ALL` alone has every group.
            TargetGroup::Any if self.user == TargetUser::Any => Ok(()),
            TargetGroup::Any => f.write_str(":ALL"),
            TargetGroup::Name(name) => write!(f, ":{name}"),
            TargetGroup::Gid(gid) => write!(f, ":#{gid}"),
        }
    }
}

impl RunAs {
    /// Whether this may be uid 0, as far as its words tell.
    pub(crate) fn may_be_root(&self) -> bool {
        match &self.user {
            TargetUser::Any => true,
            TargetUser::Caller => false,
            TargetUser::Name(name) => name == "root",
            TargetUser::Uid(uid) => *uid == 0,
        }
    }

    /// Whether what `other` lets an allow rule run as certainly is within this, as part of a rule
    /// that allows or, where `denies`, of one that forbids.
    pub(crate) fn covers(&self, other: &Self, denies: bool) -> bool {
        let root = |user: &TargetUser| match user {
            TargetUser::Name(name) => name == "root",
            TargetUser::Uid(uid) => *uid == 0,
            TargetUser::Any | TargetUser::Caller => false,
        };
        let same_root = root(&self.user)
            && root(&other.user)
            && (denies || matches!(self.user, TargetUser::Uid(_)));
        let user = self.user == TargetUser::Any || self.user == other.user || same_root;
        let group = match &self.group {
            TargetGroup::Any => true,
            TargetGroup::Own if denies => true,
            group => *group == other.group,
        };
        user && group
    }

    /// For an allow rule: name and number must both be the right ones, and a group that was
    /// asked for must be granted.
    pub(crate) fn allows(&self, q: &Question<'_>) -> bool {
        let user = match &self.user {
            TargetUser::Any => true,
            TargetUser::Caller => q.target_user == q.user && q.target_uid == q.uid,
            TargetUser::Name(name) => {
                name == q.target_user && (name != "root" || q.target_uid == 0)
            }
            TargetUser::Uid(uid) => *uid == q.target_uid,
        };
        let group = match &self.group {
            TargetGroup::Own => q.target_group.is_none() && q.target_gid.is_none(),
            TargetGroup::Any => true,
            TargetGroup::Name(name) => {
                q.target_group == Some(name) && (name != "root" || q.target_gid == Some(0))
            }
            TargetGroup::Gid(gid) => q.target_gid == Some(*gid),
        };
        user && group
    }

    /// For a deny rule: name or number suffices, and a rule that speaks of no group is not
    /// evaded by asking for one.
    pub(crate) fn forbids(&self, q: &Question<'_>) -> bool {
        let user = match &self.user {
            TargetUser::Any => true,
            TargetUser::Caller => q.target_user == q.user || q.target_uid == q.uid,
            TargetUser::Name(name) => {
                name == q.target_user || (name == "root" && q.target_uid == 0)
            }
            TargetUser::Uid(uid) => *uid == q.target_uid,
        };
        let group = match &self.group {
            TargetGroup::Own | TargetGroup::Any => true,
            TargetGroup::Name(name) => {
                q.target_group == Some(name) || (name == "root" && q.target_gid == Some(0))
            }
            TargetGroup::Gid(gid) => q.target_gid == Some(*gid),
        };
        user && group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_user_is_told_apart_from_any_user_with_any_group() {
        let any = |group| RunAs {
            user: TargetUser::Any,
            group,
        };
        assert_eq!(any(TargetGroup::Any).to_string(), "ALL");
        assert_eq!(any(TargetGroup::Own).to_string(), "ALL:OWN");
    }
}
