//! What a policy answers, in a few words.

use super::needs::Demands;
use crate::judge::Condition;
use crate::judge::{Considered, Denial, Outcome, Verdict, spoken};
use crate::mfa::Mfa;

/// What is owed.
pub(super) fn owed(owed: &Demands) -> String {
    let approvals = match owed.approvals {
        0 => None,
        1 => Some("an approval".to_owned()),
        number => Some(format!("{number} approvals")),
    };
    let ticket = owed.ticket.then(|| "a ticket".to_owned());
    let reason = owed.reason.then(|| "a reason".to_owned());
    let all: Vec<_> = [approvals, mfa(owed.mfa), ticket, reason]
        .into_iter()
        .flatten()
        .collect();
    match all.is_empty() {
        true => "nothing".to_owned(),
        false => all.join(", "),
    }
}

fn mfa(mfa: Option<Mfa>) -> Option<String> {
    mfa.map(|mfa| match mfa {
        Mfa::Always => "a code each time".to_owned(),
        Mfa::Within(age) => format!("a code of the last {}", spoken(age)),
    })
}

/// Why not: the rules of this person's and what they lack, or the deny.
pub(super) fn denial(denial: &Denial, verdict: &Verdict) -> String {
    let forbidding = verdict.considered.iter().find(|one| {
        let matched = matches!(one.outcome, Outcome::Matched | Outcome::MatchedUnsure);
        matched && Some(&one.rule) == verdict.decided_by.as_ref()
    });
    if let Some(rule) = forbidding {
        return format!("rule `{}` ({}) forbids it", rule.rule, rule.place);
    }
    let near: Vec<_> = verdict.considered.iter().filter_map(near_miss).collect();
    match near.is_empty() {
        true => format!("{}; no rule is for them", denial.message),
        false => near.join("; "),
    }
}

/// Rules of other people explain nothing.
fn near_miss(one: &Considered) -> Option<String> {
    match &one.outcome {
        Outcome::NotMatched { condition, detail } if *condition != Condition::Roles => {
            Some(format!(
                "rule `{}` ({}) does not match, by `{}`: {detail}",
                one.rule,
                one.place,
                condition.key()
            ))
        }
        _ => None,
    }
}
