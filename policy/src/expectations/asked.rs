//! Asks the policy, and compares the answer with what was expected.

use super::needs::Demands;
use super::program;
use super::sentence::{Deed, Sentence};
use super::told;
use super::world::World;
use crate::judge::{Allowance, Decision, Question, Verdict};
use crate::login::{LoginQuestion, LoginVerdict};
use crate::names::RuleName;
use crate::people::{May, Membership};
use crate::policy::Policy;

/// What the policy says instead; nothing where it is as expected.
pub(super) fn wrong(sentence: &Sentence, world: &World, policy: &Policy) -> Option<String> {
    match &sentence.deed {
        Deed::LogIn => login(sentence, world, policy),
        Deed::Audit => {
            let (uid, _) = world.uids(&sentence.user, "root");
            let may = policy.may(&sentence.user, uid, May::Audit, world);
            membership(sentence, may, ["a role lets them", "no role lets them"])
        }
        Deed::Approve(name) => {
            let Some(rule) = RuleName::new(name)
                .ok()
                .filter(|name| policy.rule(name).is_some())
            else {
                return Some(format!("there is no rule `{}`", crate::shown::shown(name)));
            };
            let may = policy.may_approve(&rule, &sentence.user, world);
            membership(
                sentence,
                may,
                ["they are an approver", "they are none of its approvers"],
            )
        }
        Deed::Run(_) | Deed::Shell | Deed::Edit(_) => match judged(sentence, world, policy) {
            Ok(verdict) => deed(sentence, &verdict),
            Err(why) => Some(why),
        },
    }
}

fn membership(sentence: &Sentence, found: Membership, [yes, no]: [&str; 2]) -> Option<String> {
    let may = found == Membership::Yes;
    (may != sentence.may).then(|| if may { yes } else { no }.to_owned())
}

fn login(sentence: &Sentence, world: &World, policy: &Policy) -> Option<String> {
    let hosts: Vec<_> = world.hosts.iter().map(String::as_str).collect();
    let question = LoginQuestion {
        user: &sentence.user,
        host: &hosts,
        service: world.service(),
        from: world.address(),
        at: world.at,
    };
    match policy.login(&question, world) {
        LoginVerdict::Refused { why } => sentence.may.then_some(why),
        LoginVerdict::Admitted { role, .. } if !sentence.may => {
            Some(format!("role `{role}` lets them in"))
        }
        LoginVerdict::Admitted { role, mfa, .. } => {
            let owed = Demands {
                mfa,
                ..Demands::default()
            };
            let wrong = sentence
                .terms
                .needs
                .and_then(|needs| needs.objection(&owed));
            wrong.map(|wrong| format!("role `{role}` lets them in, and {wrong}"))
        }
    }
}

fn judged(sentence: &Sentence, world: &World, policy: &Policy) -> Result<Verdict, String> {
    let terms = &sentence.terms;
    let words = match &sentence.deed {
        Deed::Run(words) => words.clone(),
        // What most accounts have, and what `-s` then starts.
        _ => vec!["/bin/bash".to_owned()],
    };
    let file = program::path(&words[0], policy)?;
    let real = world.links.get(&file).unwrap_or(&file);
    let args: Vec<Vec<u8>> = words[1..]
        .iter()
        .map(|word| word.as_bytes().to_vec())
        .collect();
    let edit: Vec<Vec<u8>> = match &sentence.deed {
        Deed::Edit(files) => files.iter().map(|file| file.as_bytes().to_vec()).collect(),
        _ => Vec::new(),
    };
    let user = sentence.user.as_str();
    let target = terms.target.as_deref().unwrap_or("root");
    let (uid, target_uid) = world.uids(user, target);
    let hosts: Vec<_> = world.hosts.iter().map(String::as_str).collect();
    let question = Question {
        user,
        uid,
        target_user: target,
        target_uid,
        target_group: terms.group.as_deref(),
        target_gid: terms.group.as_deref().map(|name| world.gid(name)),
        file: file.as_bytes(),
        real: real.as_bytes(),
        sha256: world.hashes.get(real).copied(),
        args: &args,
        shell: matches!(sentence.deed, Deed::Shell),
        edit: &edit,
        rule: terms.rule.as_deref(),
        wanted: terms.wanted,
        scene: world.scene(&hosts),
    };
    Ok(policy.explain(&question, world))
}

fn deed(sentence: &Sentence, verdict: &Verdict) -> Option<String> {
    match &verdict.decision {
        Decision::Denied(denial) => sentence.may.then(|| told::denial(denial, verdict)),
        Decision::Allowed(allowance) if !sentence.may => Some(format!(
            "{} allows it, and needs {}",
            rule(allowance, verdict),
            told::owed(&Demands::from(&allowance.owed))
        )),
        Decision::Allowed(allowance) => {
            let needs = sentence.terms.needs?;
            let wrong = needs.objection(&Demands::from(&allowance.owed))?;
            Some(format!(
                "{} allows it, and {wrong}",
                rule(allowance, verdict)
            ))
        }
    }
}

fn rule(allowance: &Allowance, verdict: &Verdict) -> String {
    let mut considered = verdict.considered.iter();
    match considered.find(|one| one.rule == allowance.rule) {
        Some(one) => format!("rule `{}` ({})", one.rule, one.place),
        None => format!("rule `{}`", allowance.rule),
    }
}
