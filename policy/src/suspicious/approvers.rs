//! Rules that owe approvals which nobody can give.

use std::collections::BTreeSet;

use super::{Found, Named, Suspicion, everybody};
use crate::names::RoleName;
use crate::people::{Approver, Membership};
use crate::policy::Policy;
use crate::rule::{Owed, Rule};

/// Somebody whom no list names: who has a role all the same may come into it by groups and attributes.
const ANYBODY: &str = "";

/// Who belongs somewhere as far as names tell, or `None` where groups or attributes tell, too.
type Able<'a> = Option<BTreeSet<&'a str>>;

pub(super) fn look(policy: &Policy, found: &mut Found) {
    let everybody = everybody(policy);
    for rule in policy.rules() {
        let Some(terms) = rule.terms.as_ref().filter(|terms| terms.owed.approvals > 0) else {
            continue;
        };
        let has = |role: &RoleName, user: &str| policy.has_role(role, user, &Named);
        let asks = |user: &str| Membership::any(rule.roles.iter().map(|role| has(role, user)));
        let askers = able(&everybody, asks);
        // A role that has nobody yet is an example to be filled in.
        if askers.as_ref().is_some_and(BTreeSet::is_empty) {
            continue;
        }
        let all = policy.approvers_of(&rule.name);
        let may = |approver: &Approver| {
            able(&everybody, |user| match approver {
                Approver::User(name) => (name == user).into(),
                Approver::Group(_) => Membership::Unknown,
                Approver::Role(role) => has(role, user),
            })
        };
        let able: Vec<_> = all
            .iter()
            .map(|approver| (approver, may(approver)))
            .collect();
        if let Some(why) = objection(&terms.owed, &able, askers.as_ref()) {
            tell(rule, &terms.owed, &why, found);
        }
    }
}

fn able<'a>(everybody: &BTreeSet<&'a str>, may: impl Fn(&str) -> Membership) -> Able<'a> {
    let named = |user: &&&str| may(user) != Membership::No;
    (may(ANYBODY) == Membership::No).then(|| everybody.iter().filter(named).copied().collect())
}

fn tell(rule: &Rule, owed: &Owed, why: &str, found: &mut Found) {
    let owed = match (owed.approvals, owed.each) {
        (_, true) => "an approval of each approver".to_owned(),
        (1, _) => "an approval".to_owned(),
        (number, _) => format!("{number} approvals"),
    };
    let message = format!("nobody can meet this rule: it owes {owed}, and {why}");
    found.add(
        Suspicion::NoApprover,
        rule.name.as_str(),
        &rule.place,
        message,
    );
}

/// Why nobody who may ask can have what is owed, if that is so.
fn objection(
    owed: &Owed,
    approvers: &[(&Approver, Able<'_>)],
    askers: Option<&BTreeSet<&str>>,
) -> Option<String> {
    let empty = |(_, able): &&(&Approver, Able<'_>)| able.as_ref().is_some_and(BTreeSet::is_empty);
    let nobody: Vec<_> = approvers
        .iter()
        .filter(empty)
        .map(|(one, _)| one.to_string())
        .collect();
    if nobody.len() == approvers.len() || (owed.each && !nobody.is_empty()) {
        return Some(format!("{} has no members", nobody.join(", ")));
    }
    let mut all: BTreeSet<&str> = BTreeSet::new();
    for (_, able) in approvers {
        all.extend(able.as_ref()?);
    }
    let list: Vec<_> = approvers.iter().map(|(one, _)| one.to_string()).collect();
    let list = list.join(", ");
    let enough = |count: usize| count as u64 >= u64::from(owed.approvals);
    if !enough(all.len()) {
        return Some(match all.len() {
            1 => format!("{list} has 1 person in all"),
            count => format!("{list} has {count} people in all"),
        });
    }
    let meets = |asker: &&str| enough(all.len() - usize::from(all.contains(*asker)));
    let nobody = !askers?.iter().any(meets);
    nobody.then(|| {
        format!(
            "nobody approves what they asked for themselves, and beside them too few are left in {list}"
        )
    })
}
