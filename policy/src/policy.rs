//! A policy that has loaded, and what can be asked of it.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostics;
use crate::index::Index;
use crate::load::{Problems, Word};
use crate::names::{RoleName, RuleName};
use crate::people::{Approver, Groups, Membership, Role};
use crate::rule::Rule;
use crate::shown::shown_bytes;

/// Roles and rules, every reference followed, every pattern compiled.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) roles: BTreeMap<RoleName, Role>,
    /// By name.
    pub(crate) rules: Vec<Rule>,
    pub(crate) index: Index,
}

impl Policy {
    pub(crate) fn new(roles: BTreeMap<RoleName, Role>, mut rules: Vec<Rule>) -> Self {
        rules.sort_by(|a, b| a.name.cmp(&b.name));
        let index = Index::new(&rules);
        Self {
            roles,
            rules,
            index,
        }
    }

    /// Every rule, by name.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Every role, by name.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }

    /// The rule of this name.
    #[must_use]
    pub fn rule(&self, name: &RuleName) -> Option<&Rule> {
        let at = self
            .rules
            .binary_search_by(|rule| rule.name.cmp(name))
            .ok()?;
        self.rules.get(at)
    }

    /// The rules, allowing and denying, of the roles that `user` certainly has, by name.
    pub fn rules_for<'a>(&'a self, user: &'a str, groups: &'a dyn Groups) -> Vec<&'a Rule> {
        let includes = |role: &Role| role.includes(user, groups) == Membership::Yes;
        let roles: Vec<_> = self
            .roles
            .values()
            .filter(|role| includes(role))
            .map(|role| &role.name)
            .collect();
        self.rules
            .iter()
            .filter(|rule| rule.roles.iter().any(|r| roles.contains(&r)))
            .collect()
    }

    /// Whether `voter` is among those who may approve what `rule` allows. A rule that doesn't
    /// exist, denies, or owes no approvals has no approvers.
    ///
    /// That nobody approves their own request is for the caller to see to: it takes uids and
    /// loginuids, which a policy doesn't know.
    pub fn may_approve(&self, rule: &RuleName, voter: &str, groups: &dyn Groups) -> Membership {
        let includes = |approver: &Approver| self.approver_includes(approver, voter, groups);
        Membership::any(self.approvers_of(rule).iter().map(includes))
    }

    /// Who may approve what `rule` allows, for telling people.
    #[must_use]
    pub fn approvers_of(&self, rule: &RuleName) -> &[Approver] {
        match self.rule(rule).and_then(|rule| rule.terms.as_ref()) {
            Some(terms) => &terms.approvers,
            None => &[],
        }
    }

    /// Those of `accounts` who certainly may approve what `rule` allows, in their order.
    pub fn candidates<'a>(
        &self,
        rule: &RuleName,
        accounts: impl IntoIterator<Item = &'a str>,
        groups: &dyn Groups,
    ) -> Vec<&'a str> {
        let may = |account: &&str| self.may_approve(rule, account, groups) == Membership::Yes;
        accounts.into_iter().filter(may).collect()
    }

    fn approver_includes(
        &self,
        approver: &Approver,
        voter: &str,
        groups: &dyn Groups,
    ) -> Membership {
        match approver {
            Approver::User(name) => (name == voter).into(),
            Approver::Group(group) => groups.member(voter, group),
            Approver::Role(role) => match self.roles.get(role) {
                Some(role) => role.includes(voter, groups),
                None => Membership::No,
            },
        }
    }

    /// Complains of every command that is written as a link: commands are compared resolved, so
    /// it could never match, and a deny written so would forbid nothing.
    ///
    /// `resolve` gives the file that an absolute path leads to on this host, or `None` where
    /// there is none; [`load`](crate::load()) cannot ask, having no file system.
    pub fn check_links(&self, mut resolve: impl FnMut(&[u8]) -> Option<Vec<u8>>) -> Diagnostics {
        let problems = Problems::default();
        for command in self.rules.iter().flat_map(|rule| &rule.commands) {
            for path in command.literal_paths() {
                let Some(real) = resolve(path) else { continue };
                if *crate::command::usr_merged(&real) == *path {
                    continue;
                }
                let word = Word {
                    text: command.text().to_owned(),
                    place: command.place().clone(),
                };
                let (path, real) = (shown_bytes(path), shown_bytes(&real));
                let message = format!(
                    "`{path}` is a link to `{real}`, and commands are compared by what links \
                     lead to; write `{real}`"
                );
                problems.add(&word, message);
            }
        }
        problems.into_diagnostics()
    }
}
