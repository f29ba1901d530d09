//! A policy that has loaded, and what can be asked of it.

use std::collections::BTreeMap;

use crate::command::usr_merged;
use crate::diagnostic::{Diagnostics, Place};
use crate::index::Index;
use crate::load::{Problems, Word};
use crate::membership::Standing;
use crate::names::{RoleName, RuleName};
use crate::people::{Approver, May, Membership, People, Role};
use crate::rule::{Effect, Rule};
use crate::shown::shown_bytes;

/// Roles and rules, every reference followed, every pattern compiled. The default one is empty and
/// allows nothing.
#[derive(Clone, Debug, Default)]
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
    pub fn rules_for<'a>(&'a self, user: &'a str, people: &'a dyn People) -> Vec<&'a Rule> {
        let standing = Standing::new(self, user, people);
        let roles = || self.roles.keys();
        let had: Vec<_> = roles()
            .filter(|role| standing.has(role) == Membership::Yes)
            .collect();
        // What a role forbids its members binds them also where another role excludes it.
        let binding: Vec<_> = roles()
            .filter(|role| standing.is_in(role) == Membership::Yes)
            .collect();
        let concerns = |rule: &&Rule| {
            let roles = match rule.effect() {
                Effect::Allow => &had,
                Effect::Deny => &binding,
            };
            rule.roles.iter().any(|role| roles.contains(&role))
        };
        self.rules.iter().filter(concerns).collect()
    }

    /// Whether `voter` is among those who may approve what `rule` allows. A rule that doesn't
    /// exist, denies, or owes no approvals has no approvers.
    ///
    /// That nobody approves their own request is for the caller to see to: it takes uids and
    /// loginuids, which a policy doesn't know.
    pub fn may_approve(&self, rule: &RuleName, voter: &str, people: &dyn People) -> Membership {
        let includes = |approver: &Approver| self.approver_includes(approver, voter, people);
        Membership::any(self.approvers_of(rule).iter().map(includes))
    }

    /// As which of the approvers of `rule` somebody certainly may approve: places in
    /// [`Policy::approvers_of`].
    pub fn approves_as(&self, rule: &RuleName, voter: &str, people: &dyn People) -> Vec<usize> {
        let all = self.approvers_of(rule).iter().enumerate();
        let is_one = |approver| self.approver_includes(approver, voter, people) == Membership::Yes;
        all.filter(|(_, approver)| is_one(approver))
            .map(|(place, _)| place)
            .collect()
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
        people: &dyn People,
    ) -> Vec<&'a str> {
        let may = |account: &&str| self.may_approve(rule, account, people) == Membership::Yes;
        accounts.into_iter().filter(may).collect()
    }

    /// Whether a role of `user`'s lets them do that beside its rules. uid 0 may: it has the files.
    ///
    /// That nobody watches over their own session is for the caller to see to.
    pub fn may(&self, user: &str, uid: u32, what: May, people: &dyn People) -> Membership {
        if uid == 0 {
            return Membership::Yes;
        }
        let standing = Standing::new(self, user, people);
        let roles = self.roles.values().filter(|role| role.may.contains(&what));
        Membership::any(roles.map(|role| standing.has(&role.name)))
    }

    fn approver_includes(
        &self,
        approver: &Approver,
        voter: &str,
        people: &dyn People,
    ) -> Membership {
        match approver {
            Approver::User(name) => (name == voter).into(),
            Approver::Group(group) => people.member(voter, group),
            Approver::Role(role) => self.has_role(role, voter, people),
        }
    }

    /// Complains of every command written with a path that can never match, because a folder in
    /// it is a link, of every deny written as a link, because it would forbid that one name
    /// of the file and leave the others, and of every link to be edited.
    ///
    /// `resolve` gives what an absolute path leads to on this host, or `None` where there is
    /// nothing; [`load`](crate::load()) cannot ask, having no file system.
    pub fn check_links(&self, mut resolve: impl FnMut(&[u8]) -> Option<Resolved>) -> Diagnostics {
        let problems = Problems::default();
        for rule in &self.rules {
            for command in &rule.commands {
                for path in command.literal_paths() {
                    let wrong = |real| wrong_link(rule.effect(), path, &real);
                    if let Some(message) = resolve(path).and_then(wrong) {
                        problems.add(&word(command.text(), command.place()), message);
                    }
                }
            }
            for edit in &rule.edit {
                for path in edit.literal_paths() {
                    let wrong = |real: Resolved| wrong_edit_link(path, &real);
                    if let Some(message) = resolve(path).and_then(wrong) {
                        problems.add(&word(edit.text(), edit.place()), message);
                    }
                }
            }
        }
        problems.into_diagnostics()
    }
}

/// What a path leads to on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The path with the links of its folder followed, its last component as it was; see
    /// [`Question::file`](crate::Question).
    pub file: Vec<u8>,
    /// The path with every link followed.
    pub real: Vec<u8>,
}

fn word(text: &str, place: &Place) -> Word {
    let (text, place) = (text.to_owned(), place.clone());
    Word { text, place }
}

// Files are edited by their own names alone, so that such an entry never matches.
fn wrong_edit_link(path: &[u8], found: &Resolved) -> Option<String> {
    let real = &found.real;
    (*usr_merged(real) != *path).then(|| {
        let (asked, real) = (shown_bytes(path), shown_bytes(real));
        format!("`{asked}` is or lies behind a link, and no link is edited; write `{real}`")
    })
}

fn wrong_link(effect: Effect, path: &[u8], found: &Resolved) -> Option<String> {
    let (asked, file, real) = (shown_bytes(path), &found.file, &found.real);
    if effect == Effect::Deny && *usr_merged(real) != *path {
        let real = shown_bytes(real);
        return Some(format!(
            "`{asked}` is a link to `{real}`, and to deny one name of a file leaves the others; \
             write `{real}`, which holds for all of them"
        ));
    }
    let never = *usr_merged(file) != *path;
    never.then(|| {
        let file = shown_bytes(file);
        format!("`{asked}` lies in a linked folder and could never match; write `{file}`")
    })
}
