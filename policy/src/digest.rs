//! What a rule says, as a digest that a vote can be bound to.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::login::LoginTerms;
use crate::names::{RoleName, RuleName};
use crate::people::{Approver, May, Member, Role};
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
    roles: &'a [RoleName],
    run_as: &'a [RunAs],
    commands: Vec<&'a str>,
    edit: Vec<&'a str>,
    when: &'a When,
    terms: &'a Option<Terms>,
    watching_roles: Vec<&'a RoleName>,
    people: Vec<RoleContent<'a>>,
}

// Who is in, and how they came in: what they run, they run from a login that the role let in.
#[derive(Serialize)]
struct RoleContent<'a> {
    name: &'a RoleName,
    members: &'a [Member],
    removed: &'a [Member],
    includes: &'a [RoleName],
    conflicts: &'a [RoleName],
    login: &'a LoginTerms,
}

impl Policy {
    /// SHA-256 over everything that `rule` says, with the people and the logins of the roles and
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
        let approving = self.approvers_of(&rule.name).iter();
        let approving = approving.filter_map(|approver| match approver {
            Approver::Role(role) => Some(role),
            _ => None,
        });
        let watching_roles: Vec<_> = self.watching_roles(rule).collect();
        let named = rule.roles.iter().chain(approving);
        let named = named.chain(watching_roles.iter().copied()).collect();
        Content {
            version: 4,
            name: &rule.name,
            roles: &rule.roles,
            run_as: &rule.run_as,
            commands,
            edit,
            when: &rule.when,
            terms: &rule.terms,
            watching_roles,
            people: self.people_of(named),
        }
    }

    /// Who may watch, where it runs only while somebody does.
    fn watching_roles<'a>(&'a self, rule: &Rule) -> impl Iterator<Item = &'a RoleName> {
        let watched = rule
            .terms
            .as_ref()
            .is_some_and(|terms| terms.session.watched);
        let may = move |role: &&Role| watched && role.may.contains(&May::Audit);
        self.roles.values().filter(may).map(|role| &role.name)
    }

    /// The roles of these names, and all on which it hangs who has them; by name.
    fn people_of<'a>(&'a self, mut named: Vec<&'a RoleName>) -> Vec<RoleContent<'a>> {
        let mut found = BTreeMap::new();
        while let Some(name) = named.pop() {
            let Some(role) = self.roles.get(name) else {
                continue;
            };
            if found.insert(name, role).is_none() {
                named.extend(role.included_in.iter().chain(&role.conflicts));
            }
        }
        found.into_values().map(role_content).collect()
    }
}

fn role_content(role: &Role) -> RoleContent<'_> {
    RoleContent {
        name: &role.name,
        members: &role.members,
        removed: &role.removed,
        includes: &role.includes,
        conflicts: &role.conflicts,
        login: &role.login,
    }
}
