//! What a rule says, as a digest that a vote can be bound to.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::login::LoginTerms;
use crate::names::RuleName;
use crate::people::{May, Member, Role};
use crate::policy::Policy;
use crate::rule::{Rule, Terms};
use crate::run_as::RunAs;
use crate::when::When;

// Everything that decides what the rule allows whom, aliases resolved, in an order that doesn't
// hang on files. Descriptions and places are left out: they decide nothing.
#[derive(Serialize)]
struct Content<'a> {
    version: u32,
    name: &'a RuleName,
    roles: Vec<RoleContent<'a>>,
    run_as: &'a [RunAs],
    commands: Vec<&'a str>,
    edit: Vec<&'a str>,
    when: &'a When,
    terms: &'a Option<Terms>,
    approving_roles: Vec<RoleContent<'a>>,
    watching_roles: Vec<RoleContent<'a>>,
}

// Who is in, and how they came in: what they run, they run from a login that the role let in.
#[derive(Serialize)]
struct RoleContent<'a> {
    name: &'a str,
    members: &'a [Member],
    login: Option<&'a LoginTerms>,
}

impl Policy {
    /// SHA-256 over everything that `rule` says, with the members and the logins of the roles and
    /// the contents of the aliases it depends on. It changes when any of that does, and not when files are
    /// renamed, reordered or commented. `None` for a rule that doesn't exist.
    #[must_use]
    pub fn content_digest(&self, rule: &RuleName) -> Option<[u8; 32]> {
        let bytes = serde_json::to_vec(&self.content(self.rule(rule)?)).ok()?;
        Some(Sha256::digest(bytes).into())
    }

    fn content<'a>(&'a self, rule: &'a Rule) -> Content<'a> {
        let mut commands: Vec<_> = rule.commands.iter().map(|command| command.text()).collect();
        commands.sort_unstable();
        let mut edit: Vec<_> = rule.edit.iter().map(|path| path.text()).collect();
        edit.sort_unstable();
        let approvers = self.approvers_of(&rule.name).iter();
        let approving = approvers.filter_map(|approver| match approver {
            crate::people::Approver::Role(role) => Some(role.as_str()),
            _ => None,
        });
        Content {
            version: 4,
            name: &rule.name,
            roles: rule
                .roles
                .iter()
                .map(|role| self.role_content(role.as_str()))
                .collect(),
            run_as: &rule.run_as,
            commands,
            edit,
            when: &rule.when,
            terms: &rule.terms,
            approving_roles: approving.map(|role| self.role_content(role)).collect(),
            watching_roles: self.watching_roles(rule).collect(),
        }
    }

    /// Who may watch, where it runs only while somebody does.
    fn watching_roles<'a>(&'a self, rule: &Rule) -> impl Iterator<Item = RoleContent<'a>> {
        let watched = rule
            .terms
            .as_ref()
            .is_some_and(|terms| terms.session.watched);
        let may = move |role: &&Role| watched && role.may.contains(&May::Audit);
        let roles = self.roles.values().filter(may);
        roles.map(|role| self.role_content(role.name.as_str()))
    }

    fn role_content<'a>(&'a self, name: &'a str) -> RoleContent<'a> {
        let role = self.roles.get(name);
        RoleContent {
            name,
            members: role.map_or(&[], |role| &role.members),
            login: role.map(|role| &role.login),
        }
    }
}
