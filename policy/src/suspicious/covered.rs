//! Rules that change nothing, because others always count in their place.

use super::{Found, Suspicion};
use crate::command::{Command, EditPath, Reading};
use crate::policy::Policy;
use crate::rule::{Owed, Rule, Terms};
use crate::run_as::RunAs;
use crate::when::When;

pub(super) fn look(policy: &Policy, found: &mut Found) {
    for rule in policy.rules() {
        match &rule.terms {
            Some(terms) => {
                let denies = beside(policy, rule).filter(|other| other.terms.is_none());
                if let Some(deny) = denies.into_iter().find(|deny| forbids(deny, rule)) {
                    let message = format!(
                        "rule `{}` ({}) forbids all that this one allows, so that it allows nothing",
                        deny.name, deny.place
                    );
                    let name = rule.name.as_str();
                    found.add(Suspicion::Forbidden, name, &rule.place, message);
                    continue;
                }
                let better = beside(policy, rule).find(|other| {
                    let theirs = other.terms.as_ref();
                    theirs.is_some_and(|theirs| replaces(other, theirs, rule, terms))
                });
                let what = "allows the same and demands no more";
                tell(rule, better, what, found);
            }
            None => {
                let wider = beside(policy, rule).find(|other| {
                    let first = !forbids(rule, other) || other.name < rule.name;
                    other.terms.is_none() && first && forbids(other, rule)
                });
                tell(rule, wider, "forbids the same", found);
            }
        }
    }
}

fn tell(rule: &Rule, other: Option<&Rule>, what: &str, found: &mut Found) {
    if let Some(other) = other {
        let message = format!(
            "rule `{}` ({}) {what}, so that this one changes nothing",
            other.name, other.place
        );
        found.add(Suspicion::Covered, rule.name.as_str(), &rule.place, message);
    }
}

/// The rules of all the roles of `rule` that can say what it says.
fn beside<'a>(policy: &'a Policy, rule: &'a Rule) -> impl Iterator<Item = &'a Rule> {
    let candidates = match (rule.commands.first(), rule.edit.first()) {
        (Some(command), _) => policy.index.covering(command),
        (None, Some(edit)) => policy.index.covering_edit(edit),
        (None, None) => Vec::new(),
    };
    let others = candidates.into_iter().map(|at| &policy.rules()[at]);
    others.filter(|other| {
        other.name != rule.name && rule.roles.iter().all(|role| other.roles.contains(role))
    })
}

fn forbids(deny: &Rule, rule: &Rule) -> bool {
    let everything = deny.commands.iter().any(Command::is_anything);
    let edits = everything || edit_covers(deny, rule, Reading::Generous);
    times_cover(&deny.when, &rule.when)
        && targets_cover(&deny.run_as, &rule.run_as, true)
        && commands_cover(deny, rule, Reading::Generous)
        && edits
}

/// Whether `other` is always taken where `rule` could be, unless somebody asks for that by name,
/// and the session runs the same.
fn replaces(other: &Rule, theirs: &Terms, rule: &Rule, own: &Terms) -> bool {
    let first = (theirs.owed, &other.name) < (own.owed, &rule.name);
    let session = theirs.session.clone();
    first
        && owes_no_more(theirs, own)
        && theirs.limit.max >= own.limit.max
        && session.clone().strictest(&own.session) == session
        && times_cover(&other.when, &rule.when)
        && targets_cover(&other.run_as, &rule.run_as, false)
        && commands_cover(other, rule, Reading::Strict)
        && edit_covers(other, rule, Reading::Strict)
}

fn owes_no_more(theirs: &Terms, own: &Terms) -> bool {
    let (less, more): (&Owed, &Owed) = (&theirs.owed, &own.owed);
    let ticket = match (&theirs.ticket, &own.ticket) {
        (Some(theirs), Some(own)) => theirs.to_string() == own.to_string(),
        (theirs, _) => theirs.is_none(),
    };
    ticket && approvals_no_more(theirs, own) && less.mfa <= more.mfa && less.reason <= more.reason
}

fn approvals_no_more(theirs: &Terms, own: &Terms) -> bool {
    let among = |one| theirs.approvers.contains(one);
    match (theirs.owed.approvals, theirs.owed.each) {
        (0, _) => true,
        (_, true) => own.owed.each && theirs.approvers == own.approvers,
        (count, false) => count <= own.owed.approvals && own.approvers.iter().all(among),
    }
}

/// Condition by condition, and as written: a list holds all of another that holds its words.
pub(crate) fn times_cover(wide: &When, narrow: &When) -> bool {
    let narrow = narrow.told();
    let within = |(key, words): (&String, &Vec<String>)| {
        let inside = |one: &Vec<String>| one.iter().all(|word| words.contains(word));
        narrow.get(key).is_some_and(inside)
    };
    wide.told().iter().all(within)
}

fn targets_cover(wide: &[RunAs], narrow: &[RunAs], denies: bool) -> bool {
    narrow
        .iter()
        .all(|one| wide.iter().any(|other| other.covers(one, denies)))
}

fn commands_cover(wide: &Rule, narrow: &Rule, reading: Reading) -> bool {
    let covered = |one: &Command| wide.commands.iter().any(|other| other.covers(one, reading));
    narrow.commands.iter().all(covered)
}

fn edit_covers(wide: &Rule, narrow: &Rule, reading: Reading) -> bool {
    let covered = |one: &EditPath| wide.edit.iter().any(|other| other.covers(one, reading));
    narrow.edit.iter().all(covered)
}
