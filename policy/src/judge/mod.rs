//! From a question to a verdict.

mod matching;
mod question;
mod verdict;

use std::cmp::Reverse;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::command::File;
use crate::people::People;
use crate::policy::Policy;
use crate::rule::{Owed, Rule, RuleLimit, Terms};
use crate::session::SessionSettings;
use matching::{Matching, not_matched};
pub use question::Question;
pub use verdict::{
    Allowance, Condition, Considered, Decision, Denial, DenialKind, Limit, Outcome, Verdict,
};

impl Policy {
    /// Answers a question. The default is no; a matching deny rule wins over everything; of
    /// several allow rules the least demanding is taken, or the one named with `--rule`.
    ///
    /// `considered` holds the rules that can speak of this file at all, which are found
    /// without a look at the others; [`Policy::explain`] looks at every rule.
    pub fn judge(&self, q: &Question<'_>, people: &dyn People) -> Verdict {
        let rules = match q.edits() {
            true => self.index.edits(q.edit),
            false => self.speaking_of(&File::new(q.file, q.real), q.shell),
        };
        let rules = rules.into_iter().map(|at| &self.rules[at]);
        self.decide(q, people, rules)
    }

    fn speaking_of(&self, file: &File<'_>, shell: bool) -> Vec<usize> {
        let mut rules = self.index.commands(file);
        rules.retain(|at| {
            let mut commands = self.rules[*at].commands.iter();
            commands.any(|one| one.speaks_of(file, shell))
        });
        rules
    }

    /// Whether some rule speaks of this file by the hash of its contents, so that a question about it
    /// needs that.
    #[must_use]
    pub fn pins(&self, file: &[u8], real: &[u8]) -> bool {
        let file = File::new(file, real);
        let rules = self.index.commands(&file).into_iter();
        let mut commands = rules.flat_map(|at| &self.rules[at].commands);
        commands.any(|one| one.is_pinned() && one.speaks_of(&file, false))
    }

    /// The same decision as [`Policy::judge`], with every rule of the policy in `considered`.
    pub fn explain(&self, q: &Question<'_>, people: &dyn People) -> Verdict {
        self.decide(q, people, self.rules.iter())
    }

    fn decide<'a>(
        &'a self,
        q: &Question<'_>,
        people: &dyn People,
        rules: impl Iterator<Item = &'a Rule>,
    ) -> Verdict {
        if let Err(denial) = q.check() {
            let decision = Decision::Denied(denial);
            return Verdict {
                decision,
                decided_by: None,
                considered: Vec::new(),
            };
        }
        let mut found = Found::default();
        let matching = Matching::new(self, q, people);
        for rule in rules {
            let (outcome, hinge) = matching.outcome(rule);
            found.add(rule, outcome, hinge);
        }
        found.verdict(q)
    }
}

/// What the rules said, each by itself.
#[derive(Default)]
struct Found<'a> {
    allows: Vec<(&'a Rule, &'a Terms)>,
    /// With what cannot be told, where it matches for that alone.
    deny: Option<(&'a Rule, Option<Condition>)>,
    /// What an allow rule failed on, and nothing else; an unknown membership before others.
    hinge: Option<Condition>,
    considered: Vec<Considered>,
}

impl<'a> Found<'a> {
    fn add(&mut self, rule: &'a Rule, outcome: Outcome, hinge: Option<Condition>) {
        let matched = matches!(outcome, Outcome::Matched | Outcome::MatchedUnsure);
        match &rule.terms {
            Some(terms) if matched => self.allows.push((rule, terms)),
            Some(_) if hinge == Some(Condition::Roles) => self.hinge = hinge,
            Some(_) => self.hinge = self.hinge.or(hinge),
            // A deny that certainly matches explains more than one that may.
            None if matched && self.deny.is_none_or(|(_, first)| first > hinge) => {
                self.deny = Some((rule, hinge));
            }
            None => {}
        }
        self.considered.push(Considered {
            rule: rule.name.clone(),
            effect: rule.effect(),
            place: rule.place.clone(),
            outcome,
        });
    }

    fn verdict(mut self, q: &Question<'_>) -> Verdict {
        let (decision, decided_by) = match self.choose(q) {
            Ok((rule, terms)) => (
                Decision::Allowed(self.allowance(q, rule, terms)),
                Some(rule),
            ),
            Err(denial) => (Decision::Denied(denial), self.deny.map(|(rule, _)| rule)),
        };
        self.mark_too_short(q);
        Verdict {
            decision,
            decided_by: decided_by.map(|rule| rule.name.clone()),
            considered: self.considered,
        }
    }

    fn choose(&self, q: &Question<'_>) -> Result<(&'a Rule, &'a Terms), Denial> {
        match self.deny {
            Some((_, None)) => return Err(q.denial_by_rule()),
            Some((_, Some(unknown))) => return Err(q.denial_unsure(unknown)),
            None => {}
        }
        if self.allows.is_empty() {
            return Err(match self.hinge {
                Some(Condition::Roles) => q.denial_unsure(Condition::Roles),
                Some(condition) => q.denial_by_condition(condition),
                None => q.denial_by_default(),
            });
        }
        let named = |rule: &Rule| q.rule.is_none_or(|name| rule.name.as_str() == name);
        let allows: Vec<_> = self.allows.iter().filter(|(rule, _)| named(rule)).collect();
        let longest = allows.iter().map(|(_, terms)| terms.limit.max).max();
        let Some(longest) = longest else {
            return Err(q.denial_of_named_rule(q.rule.unwrap_or_default()));
        };
        let long_enough = allows
            .into_iter()
            .filter(|(_, terms)| is_long_enough(q, terms));
        long_enough
            .min_by_key(|(rule, terms)| demand(q, rule, terms))
            .copied()
            .ok_or_else(|| q.denial_of_time(longest))
    }

    fn allowance(&self, q: &Question<'_>, rule: &Rule, terms: &Terms) -> Allowance {
        // All that match, also those too short for this question: asking for longer must not
        // loosen what is recorded.
        let sessions = self.allows.iter().map(|(_, terms)| &terms.session);
        let strictest = sessions.fold(terms.session.clone(), SessionSettings::strictest);
        Allowance {
            rule: rule.name.clone(),
            owed: terms.owed,
            ticket: terms.ticket.clone(),
            limit: limit(q, rule, terms),
            session: strictest,
        }
    }

    fn mark_too_short(&mut self, q: &Question<'_>) {
        for (rule, terms) in self
            .allows
            .iter()
            .filter(|(_, terms)| !is_long_enough(q, terms))
        {
            let detail = format!("for {} at most", spoken(terms.limit.max));
            let outcome = not_matched(Condition::Limit, detail);
            if let Some(one) = self.considered.iter_mut().find(|one| one.rule == rule.name) {
                one.outcome = outcome;
            }
        }
    }
}

fn limit(q: &Question<'_>, rule: &Rule, terms: &Terms) -> Limit {
    let RuleLimit {
        default,
        max,
        tasks,
        memory,
        cpu,
        grace,
        idle,
    } = terms.limit;
    let granted = q.wanted.unwrap_or(default);
    Limit {
        until: rule.when.until(q.scene.at),
        granted,
        max,
        tasks,
        memory,
        cpu,
        // Who asks for less than the rule's default still gets some time before SIGTERM.
        grace: grace.map(|grace| grace.min(granted / 2)),
        idle,
    }
}

fn is_long_enough(q: &Question<'_>, terms: &Terms) -> bool {
    q.wanted.is_none_or(|wanted| wanted <= terms.limit.max)
}

// What `Owed` orders, then the later end, then the name.
fn demand<'a>(
    q: &Question<'_>,
    rule: &'a Rule,
    terms: &Terms,
) -> (Owed, Reverse<Timestamp>, &'a str) {
    let end = rule.when.until(q.scene.at).unwrap_or(Timestamp::MAX);
    (terms.owed, Reverse(end), rule.name.as_str())
}

/// A length of time as people write it and the policy reads it: `1h 30m`.
pub(crate) fn spoken(time: Duration) -> String {
    match SignedDuration::try_from(time) {
        Ok(time) => format!("{time:#}"),
        Err(_) => format!("{time:?}"),
    }
}
