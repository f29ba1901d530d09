//! What somebody may do, for telling them (`elevate -l`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::RuleName;
use crate::people::People;
use crate::policy::Policy;
use crate::rule::{Effect, Owed, Rule, RuleLimit};
use crate::session::SessionSettings;
use crate::ticket::Ticket;

/// A rule of somebody's, as they may hear of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its name.
    pub rule: RuleName,
    /// Whether it gives or takes.
    pub effect: Effect,
    /// What it is for, in the admin's words.
    pub description: Option<String>,
    /// As whom, as written, aliases resolved.
    pub run_as: Vec<String>,
    /// What may be run, as written, aliases resolved.
    pub commands: Vec<String>,
    /// What may be edited, as written.
    pub edit: Vec<String>,
    /// Where, when and how, as written, aliases resolved: `hosts`, `services`, `from`, `hours`,
    /// `valid`, `terminal`. What isn't there is not asked.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
    /// What is owed first; none where it takes.
    pub owed: Option<Owed>,
    /// What the ticket looks like that is owed; none where none is.
    #[serde(default)]
    pub ticket: Option<Ticket>,
    /// Who may approve, as written, aliases resolved.
    pub approvers: Vec<String>,
    /// How long and how much; none where it takes.
    pub limit: Option<RuleLimit>,
    /// How its sessions run, if it is the only one that matches; none where it takes.
    pub session: Option<SessionSettings>,
}

impl Policy {
    /// The rules, allowing and denying, of the roles that `user` certainly has, by name, but for
    /// those that nothing they could ask would match.
    pub fn listing(&self, user: &str, uid: u32, people: &dyn People) -> Vec<Listed> {
        let rules = self.rules_for(user, people).into_iter();
        rules
            .filter(|rule| rule.may_run_for(uid))
            .map(listed)
            .collect()
    }
}

fn listed(rule: &Rule) -> Listed {
    let terms = rule.terms.as_ref();
    let approvers = terms.map_or(&[][..], |terms| &terms.approvers);
    Listed {
        rule: rule.name.clone(),
        effect: rule.effect(),
        description: rule.description.clone(),
        run_as: rule.run_as.iter().map(ToString::to_string).collect(),
        commands: rule.commands.iter().map(|one| one.text().into()).collect(),
        edit: rule.edit.iter().map(|one| one.text().into()).collect(),
        when: rule.when.told(),
        owed: terms.map(|terms| terms.owed),
        ticket: terms.and_then(|terms| terms.ticket.clone()),
        approvers: approvers.iter().map(ToString::to_string).collect(),
        limit: terms.map(|terms| terms.limit),
        session: terms.map(|terms| terms.session.clone()),
    }
}
