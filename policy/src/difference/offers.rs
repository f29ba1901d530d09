//! What a policy offers for one thing: the ways to have it, each with its terms.

use std::collections::BTreeMap;

use super::details::{self, Terms};
use crate::command::{Command, EditPath, Reading};
use crate::names::RoleName;
use crate::policy::Policy;
use crate::rule::{Effect, Rule};
use crate::run_as::RunAs;
use crate::session::SessionSettings;
use crate::when::When;

/// One thing that a rule speaks of, as plain as it can be written.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    pub(super) run_as: RunAs,
    pub(super) what: What,
    pub(super) when: When,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Command(Command),
    Edit(EditPath),
}

/// What a policy says to an atom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Nothing,
    Forbidden,
    /// The terms of each way that isn't worse than another in everything; how the session runs is the
    /// same for all.
    Allowed(Vec<Terms>),
}

/// Every atom of a rule.
pub(super) fn atoms(rule: &Rule) -> impl Iterator<Item = Atom> {
    let commands = rule.commands.iter().flat_map(Command::spelled_out);
    let edits = rule.edit.iter().flat_map(EditPath::spelled_out);
    let whats: Vec<_> = commands
        .map(What::Command)
        .chain(edits.map(What::Edit))
        .collect();
    rule.run_as.iter().flat_map(move |run_as| {
        let atom = |what: &What| Atom {
            run_as: run_as.clone(),
            what: what.clone(),
            when: rule.when.clone(),
        };
        whats.iter().map(atom).collect::<Vec<_>>()
    })
}

/// The rules of some roles.
pub(super) struct Standing<'a> {
    policy: &'a Policy,
    theirs: Vec<bool>,
}

impl<'a> Standing<'a> {
    pub(super) fn new(policy: &'a Policy, has: impl Fn(&RoleName) -> bool) -> Self {
        let theirs = |rule: &Rule| rule.roles.iter().any(&has);
        Self {
            policy,
            theirs: policy.rules().iter().map(theirs).collect(),
        }
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        let all = self.policy.rules().iter().zip(&self.theirs);
        all.filter(|(_, theirs)| **theirs).map(|(rule, _)| rule)
    }

    /// Whether two have the same rules, whatever these are called: then they answer everything alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let all = |one: &Self| {
            let mut all: Vec<_> = one.rules().map(content).collect();
            all.sort();
            all
        };
        all(self) == all(other)
    }

    pub(super) fn answer(&self, atom: &Atom) -> Answer {
        let candidates = match &atom.what {
            What::Command(command) => self.policy.index.covering(command),
            What::Edit(path) => self.policy.index.covering_edit(path),
        };
        let theirs = candidates.into_iter().filter(|at| self.theirs[*at]);
        let speaking: Vec<_> = theirs.map(|at| &self.policy.rules()[at]).collect();
        let covering = |effect| {
            let of_it = move |rule: &&&Rule| rule.effect() == effect && covers(rule, atom);
            speaking.iter().filter(of_it)
        };
        if covering(Effect::Deny).next().is_some() {
            return Answer::Forbidden;
        }
        let allows: Vec<_> = covering(Effect::Allow)
            .filter_map(|rule| rule.terms.as_ref())
            .collect();
        let Some(first) = allows.first() else {
            return Answer::Nothing;
        };
        let strictest =
            |all: SessionSettings, one: &&crate::rule::Terms| all.strictest(&one.session);
        let session = allows.iter().fold(first.session.clone(), strictest);
        let mut offers: Vec<Terms> = allows
            .iter()
            .map(|terms| details::terms(terms, &session))
            .collect();
        offers.sort();
        offers.dedup();
        let all = offers.clone();
        offers.retain(|one| {
            !all.iter()
                .any(|other| other != one && details::is_better(other, one))
        });
        Answer::Allowed(offers)
    }
}

/// All of a rule that an answer hangs on.
fn content(rule: &Rule) -> String {
    let commands: Vec<_> = rule.commands.iter().map(Command::text).collect();
    let edit: Vec<_> = rule.edit.iter().map(EditPath::text).collect();
    serde_json::json!([rule.run_as, commands, edit, rule.when, rule.terms]).to_string()
}

fn covers(rule: &Rule, atom: &Atom) -> bool {
    let denies = rule.effect() == Effect::Deny;
    let reading = if denies {
        Reading::Generous
    } else {
        Reading::Strict
    };
    rule.run_as
        .iter()
        .any(|one| one.covers(&atom.run_as, denies))
        && when_covers(&rule.when, &atom.when)
        && match &atom.what {
            What::Command(command) => rule.commands.iter().any(|one| one.covers(command, reading)),
            What::Edit(path) => {
                let everything = denies && rule.commands.iter().any(Command::is_anything);
                everything || rule.edit.iter().any(|one| one.covers(path, reading))
            }
        }
}

fn when_covers(wide: &When, narrow: &When) -> bool {
    crate::suspicious::times_cover(wide, narrow)
}

/// Conditions in words; nothing where there are none.
pub(super) fn told(when: &When) -> BTreeMap<String, String> {
    let told = when.told().into_iter();
    told.map(|(key, words)| (format!("when.{key}"), words.join(", ")))
        .collect()
}
