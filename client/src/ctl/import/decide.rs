//! From "the last match counts" to "a deny wins, else any allow suffices".
//!
//! An entry that allows becomes an allow, and one that denies a deny, as far as there is something
//! before it to take away, and nothing behind it that gives all of it back. Where both are there in
//! part, the deny stays: the result is never wider than sudo's.

use std::collections::{BTreeMap, BTreeSet};

use super::deny::Denies;
use super::entries::{Entries, Entry, Region, Scope};
use super::list::{Atom as _, Part};
use super::people::User;
use super::remark::{Remarks, Weight};
use super::saying::{Files, Said, allow, deny};
use super::tags::Tags;
use super::words::{group_problem, host_problem, named, run_as, target_problem, user_problem};

/// A rule of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The scope that it comes from.
    pub(super) scope: usize,
    /// Who has its role.
    pub(super) people: People,
    pub(super) run_as: Vec<String>,
    /// On which hosts; `None` is all.
    pub(super) hosts: Option<Vec<String>>,
    pub(super) commands: Vec<String>,
    pub(super) edit: Vec<String>,
    /// What it owes and how it runs; a deny has none.
    pub(super) tags: Option<Tags>,
}

/// Who is in a role, and who is not, however they came in; both sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct People {
    pub(super) members: Vec<User>,
    pub(super) removed: Vec<User>,
}

/// What one entry allows to one member of its list of users.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) entry: usize,
    pub(super) user: [Part<User>; 1],
    tags: Tags,
}

/// The rules of a sudoers, in its order.
pub(super) fn rules(all: &Entries, files: &Files<'_>, remarks: &mut Remarks) -> Vec<Rule> {
    let mut pieces = pieces(all, files, remarks);
    take_away(all, files, &mut pieces, remarks);
    raise(all, &mut pieces, remarks);
    let mut denies = Denies::new(all, files, &pieces);
    denies.of_entries(remarks);
    denies.of_exceptions(remarks);
    let mut rules = allows(all, files, &pieces);
    rules.extend(denies.into_rules(remarks));
    rules.sort_by_key(|rule| rule.scope);
    rules
}

impl Piece {
    /// What it speaks of.
    pub(super) fn region<'a>(&'a self, all: &'a Entries) -> Region<'a> {
        all.region(&all.entries[self.entry]).of(&self.user)
    }
}

/// Whether an entry takes away: it denies, or allows with something that our language can't say, so
/// that no earlier entry may stand in for it.
pub(super) fn takes_away(all: &Entries, entry: &Entry) -> bool {
    !entry.allows || !all.scope(entry).tags.unsayable.is_empty()
}

/// What allows and can be said, entry by entry and user by user.
fn pieces(all: &Entries, files: &Files<'_>, remarks: &mut Remarks) -> Vec<Piece> {
    for (at, scope) in all.scopes.iter().enumerate() {
        remark_on_tags(at, scope, remarks);
    }
    let mut pieces = Vec::new();
    for (at, entry) in all.entries.iter().enumerate() {
        let scope = all.scope(entry);
        if takes_away(all, entry) || !can_be_said(entry, scope, files, remarks) {
            continue;
        }
        for user in &scope.users {
            match user_problem(user) {
                Some(problem) => {
                    remarks.add(Some(entry.scope), Weight::LeftOut, &user.what, problem);
                }
                None => pieces.push(Piece {
                    entry: at,
                    user: [user.clone()],
                    tags: scope.tags.clone(),
                }),
            }
        }
    }
    pieces
}

fn remark_on_tags(at: usize, scope: &Scope, remarks: &mut Remarks) {
    for what in &scope.tags.unsayable {
        let what = format!("{what}: there is no word for it here");
        remarks.add(Some(at), Weight::LeftOut, "", what);
    }
    for note in &scope.tags.notes {
        remarks.add(Some(at), Weight::Note, "", note);
    }
    if scope.tags.intercept {
        let what = "INTERCEPT: what a command starts is not judged here, and so it starts nothing";
        remarks.add(Some(at), Weight::Narrowed, "", what);
    }
}

fn can_be_said(entry: &Entry, scope: &Scope, files: &Files<'_>, remarks: &mut Remarks) -> bool {
    let at = Some(entry.scope);
    for part in &scope.hosts {
        if let Some(problem) = host_problem(part) {
            let about = format!("host {}", part.what);
            remarks.add(at, Weight::LeftOut, about, problem);
        }
    }
    for part in &scope.targets {
        if let Some(problem) = target_problem(part) {
            let about = format!("({})", part.what);
            remarks.add(at, Weight::LeftOut, about, problem);
        }
    }
    for part in &scope.groups {
        if let Some(problem) = group_problem(part) {
            let about = format!("(:{})", part.what);
            remarks.add(at, Weight::LeftOut, about, problem);
        }
    }
    let somewhere = scope.hosts.iter().any(|part| host_problem(part).is_none());
    let as_somebody = !run_as(scope).is_empty();
    if scope.by_group && !as_somebody {
        let what = "with any group alone one could be oneself without one, too";
        remarks.add(at, Weight::LeftOut, "", what);
    }
    match allow(&entry.deed, files) {
        Err(problem) => {
            remarks.add(at, Weight::LeftOut, &entry.deed, problem);
            false
        }
        Ok(Said { narrowed, .. }) => {
            if let Some(why) = narrowed {
                remarks.add(at, Weight::Narrowed, &entry.deed, why);
            }
            somewhere && as_somebody
        }
    }
}

/// Drops what later entries take away wholly, or in part without words of ours for that part.
fn take_away(all: &Entries, files: &Files<'_>, pieces: &mut Vec<Piece>, remarks: &mut Remarks) {
    let negative = all
        .entries
        .iter()
        .enumerate()
        .filter(|(_, one)| takes_away(all, one));
    for (at, entry) in negative {
        let region = all.region(entry);
        let timed = all.scope(entry).tags.is_timed();
        let sayable = deny(&entry.deed, files).is_some();
        pieces.retain(|piece| {
            let own = piece.region(all);
            if piece.entry > at || (sayable && (timed || !region.covers(&own))) {
                return true;
            }
            if region.is_apart_from(&own) {
                return true;
            }
            if !sayable {
                let left_out = &all.entries[piece.entry];
                let what = format!(
                    "`{}` is taken from it later, which has no words here",
                    entry.deed
                );
                remarks.add(Some(left_out.scope), Weight::LeftOut, &left_out.deed, what);
            }
            false
        });
    }
}

/// Has each piece owe what a later entry of the same asks for: here the least demanding rule is taken.
fn raise(all: &Entries, pieces: &mut [Piece], remarks: &mut Remarks) {
    for (at, entry) in all.entries.iter().enumerate().filter(|(_, one)| one.allows) {
        let tags = &all.scope(entry).tags;
        for piece in pieces.iter_mut().filter(|piece| piece.entry < at) {
            if !tags.ask_more_than(&piece.tags) {
                continue;
            }
            let (region, own) = (all.region(entry), piece.region(all));
            if region.is_apart_from(&own) {
                continue;
            }
            if !region.covers(&own) || tags.is_timed() {
                let raised = &all.entries[piece.entry];
                let what = format!(
                    "it asks for as much as a later entry of part of it, `{}`",
                    all.scope(entry).text
                );
                remarks.add(Some(raised.scope), Weight::Narrowed, &raised.deed, what);
            }
            piece.tags = tags.stricter(&piece.tags);
        }
    }
}

/// The allow rules: what has the same users and tags in one scope is one rule.
fn allows(all: &Entries, files: &Files<'_>, pieces: &[Piece]) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    let mut rest = pieces;
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take_while(|piece| piece.entry == first.entry)
            .count();
        let (same, after) = rest.split_at(count);
        rest = after;
        let entry = &all.entries[first.entry];
        let Ok(said) = allow(&entry.deed, files) else {
            continue;
        };
        for (people, tags) in by_tags(same) {
            add(
                &mut rules,
                rule(all.scope(entry), entry.scope, people, tags),
                &said,
            );
        }
    }
    rules
}

fn by_tags(pieces: &[Piece]) -> Vec<(People, Tags)> {
    let mut all: Vec<(Vec<Part<User>>, Tags)> = Vec::new();
    for piece in pieces {
        let [part] = &piece.user;
        match all.iter_mut().find(|(_, tags)| *tags == piece.tags) {
            Some((parts, _)) => parts.push(part.clone()),
            None => all.push((vec![part.clone()], piece.tags.clone())),
        }
    }
    let each = all.iter().flat_map(|(parts, tags)| {
        let people = of(parts).into_iter();
        people.map(move |people| (people, tags.clone()))
    });
    each.collect()
}

/// The people of a list, one group to those without the same ones.
pub(super) fn of(parts: &[Part<User>]) -> Vec<People> {
    let mut all: BTreeMap<BTreeSet<User>, BTreeSet<User>> = BTreeMap::new();
    for part in parts {
        let removed = part.without.iter().cloned().collect();
        all.entry(removed).or_default().insert(part.what.clone());
    }
    join_those_apart(&mut all);
    let people = all.into_iter().map(|(removed, members)| People {
        members: members.into_iter().collect(),
        removed: removed.into_iter().collect(),
    });
    people.collect()
}

// From somebody with a name nobody else is removed.
fn join_those_apart(all: &mut BTreeMap<BTreeSet<User>, BTreeSet<User>>) {
    let Some(whole) = all.remove(&BTreeSet::new()) else {
        return;
    };
    for user in whole {
        let apart = |removed: &BTreeSet<User>| removed.iter().all(|one| one.is_apart_from(&user));
        let group = all.keys().find(|removed| apart(removed)).cloned();
        all.entry(group.unwrap_or_default())
            .or_default()
            .insert(user);
    }
}

fn rule(scope: &Scope, at: usize, people: People, tags: Tags) -> Rule {
    let hosts = scope
        .hosts
        .iter()
        .filter(|part| host_problem(part).is_none());
    Rule {
        scope: at,
        people,
        run_as: run_as(scope),
        hosts: named(hosts.map(|part| &part.what)),
        commands: Vec::new(),
        edit: Vec::new(),
        tags: Some(tags),
    }
}

fn add(rules: &mut Vec<Rule>, like: Rule, said: &Said) {
    let bare = |one: &Rule| Rule {
        commands: Vec::new(),
        edit: Vec::new(),
        ..one.clone()
    };
    let mut known = rules
        .iter_mut()
        .rev()
        .take_while(|one| one.scope == like.scope);
    match known.find(|one| bare(one) == like) {
        Some(rule) => {
            extend(&mut rule.commands, &said.commands);
            extend(&mut rule.edit, &said.edit);
        }
        None => rules.push(Rule {
            commands: said.commands.clone(),
            edit: said.edit.clone(),
            ..like
        }),
    }
}

/// Adds what isn't there yet.
pub(super) fn extend(all: &mut Vec<String>, more: &[String]) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}
