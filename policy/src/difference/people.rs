//! Who has other roles than before, and what that gives and takes.

use std::collections::BTreeSet;

use super::offers::Standing;
use super::{Change, Deed, Kind, Who, deeds};
use crate::names::RoleName;
use crate::people::{Member, Membership, People};
use crate::policy::Policy;

/// What differs for each entry of `members`. That somebody is in a group, and what the directory has of
/// them, is not known here: a group is looked at as somebody who is in it and in no other.
pub(super) fn changes(was: &Policy, now: &Policy) -> Vec<Change> {
    let roles = was.roles().chain(now.roles());
    let members: BTreeSet<_> = roles
        .flat_map(|role| role.members.iter().chain(&role.removed))
        .collect();
    let changes = members.into_iter().flat_map(|member| {
        let (before, after) = (roles_of(was, member), roles_of(now, member));
        match before == after {
            true => Vec::new(),
            false => of_member(member, &before, &after, was, now),
        }
    });
    changes.collect()
}

fn roles_of(policy: &Policy, member: &Member) -> BTreeSet<RoleName> {
    let name = match member {
        Member::User(name) => name,
        // No account is called so.
        Member::Group(_) | Member::Attribute { .. } => "",
    };
    let roles = policy.roles().map(|role| &role.name);
    let has = |role: &&RoleName| policy.has_role(role, name, &Alone(member)) == Membership::Yes;
    roles.filter(has).cloned().collect()
}

/// Nobody is in a group but who stands for this entry.
struct Alone<'a>(&'a Member);

impl People for Alone<'_> {
    fn member(&self, _: &str, group: &str) -> Membership {
        matches!(self.0, Member::Group(own) if own == group).into()
    }

    fn attribute(&self, _: &str, name: &str, value: &str) -> Membership {
        let is_own = match self.0 {
            Member::Attribute {
                name: own_name,
                value: own_value,
            } => own_name == name && own_value == value,
            Member::User(_) | Member::Group(_) => false,
        };
        is_own.into()
    }
}

fn of_member(
    member: &Member,
    before: &BTreeSet<RoleName>,
    after: &BTreeSet<RoleName>,
    was: &Policy,
    now: &Policy,
) -> Vec<Change> {
    let who = Who::Member(written(member));
    let role = |kind| {
        let who = who.clone();
        move |role: &RoleName| Change {
            who: who.clone(),
            deed: Deed::Role(role.to_string()),
            kind,
            details: Vec::new(),
        }
    };
    let mut changes: Vec<_> = after.difference(before).map(role(Kind::Gained)).collect();
    changes.extend(before.difference(after).map(role(Kind::Lost)));
    // What the policies themselves say otherwise is told of the roles: here the roles alone differ.
    let between = |policy| {
        deeds::changes(
            &who,
            &Standing::new(policy, |role| before.contains(role)),
            &Standing::new(policy, |role| after.contains(role)),
        )
    };
    let gives = |change: &Change| !takes(change);
    changes.extend(between(now).into_iter().filter(gives));
    changes.extend(between(was).into_iter().filter(takes));
    changes.dedup();
    changes
}

fn written(member: &Member) -> String {
    match member {
        Member::User(name) => name.clone(),
        Member::Group(group) => format!("%{group}"),
        Member::Attribute { name, value } => format!("attr:{name}={value}"),
    }
}

fn takes(change: &Change) -> bool {
    matches!(change.kind, Kind::Lost | Kind::NoLongerForbidden)
}
