//! Rules that owe approvals which nobody can give.

use std::collections::BTreeSet;

use super::{Found, Suspicion};
use crate::people::{Approver, Member, Role};
use crate::policy::Policy;
use crate::rule::Rule;

/// Everybody whom a list takes in by name, or `None` where groups or attributes do, too.
type Named<'a> = Option<BTreeSet<&'a str>>;

pub(super) fn look(policy: &Policy, found: &mut Found) {
    for rule in policy.rules() {
        let owed = rule.terms.as_ref().map_or(0, |terms| terms.owed.approvals);
        let askers = union(rule.roles.iter().map(|role| of_role(policy, role.as_str())));
        // A role that has nobody yet is an example to be filled in.
        if owed == 0 || askers.as_ref().is_some_and(BTreeSet::is_empty) {
            continue;
        }
        if let Some(message) = objection(policy, rule, owed, &askers) {
            found.add(
                Suspicion::NoApprover,
                rule.name.as_str(),
                &rule.place,
                message,
            );
        }
    }
}

fn objection(policy: &Policy, rule: &Rule, owed: u32, askers: &Named<'_>) -> Option<String> {
    let approvers = policy.approvers_of(&rule.name);
    let able = union(approvers.iter().map(|one| of_approver(policy, one)))?;
    let enough = |count: usize| count as u64 >= u64::from(owed);
    let wanted = match owed {
        1 => "an approval".to_owned(),
        number => format!("{number} approvals"),
    };
    let list: Vec<_> = approvers.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    if able.is_empty() {
        return Some(format!(
            "nobody can meet this rule: it owes {wanted}, and {list} has no members"
        ));
    }
    if !enough(able.len()) {
        return Some(format!(
            "nobody can meet this rule: it owes {wanted}, and {list} has {} in all",
            people(able.len())
        ));
    }
    let meets = |asker: &&str| enough(able.len() - usize::from(able.contains(*asker)));
    let nobody = askers.as_ref().is_some_and(|all| !all.iter().any(meets));
    nobody.then(|| {
        format!(
            "nobody can meet this rule: it owes {wanted}, nobody approves what they asked for \
             themselves, and beside them too few are left in {list}"
        )
    })
}

fn people(count: usize) -> String {
    match count {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    }
}

fn of_approver<'a>(policy: &'a Policy, approver: &'a Approver) -> Named<'a> {
    match approver {
        Approver::User(name) => Some(BTreeSet::from([name.as_str()])),
        Approver::Group(_) => None,
        Approver::Role(role) => of_role(policy, role.as_str()),
    }
}

fn of_role<'a>(policy: &'a Policy, name: &str) -> Named<'a> {
    let Some(role) = policy.roles.get(name) else {
        return Some(BTreeSet::new());
    };
    named(role)
}

fn named(role: &Role) -> Named<'_> {
    let members = role.members.iter().map(|member| match member {
        Member::User(name) => Some(BTreeSet::from([name.as_str()])),
        Member::Group(_) | Member::Attribute { .. } => None,
    });
    union(members)
}

fn union<'a>(all: impl Iterator<Item = Named<'a>>) -> Named<'a> {
    let mut sum = BTreeSet::new();
    for one in all {
        sum.extend(one?);
    }
    Some(sum)
}
