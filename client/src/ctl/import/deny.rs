//! What takes away.

use super::decide::{People, Piece, Rule, extend, of, takes_away};
use super::entries::{Entries, Entry, Region, Scope};
use super::list::{Atom, Part, are_apart, cover};
use super::people::{Host, Target, User};
use super::remark::{Remarks, Weight};
use super::saying::{Files, deny};
use super::words::{can_be_excepted, group_problem, host_problem, named, target, target_problem};

/// The denies of a sudoers, as they are found.
pub(super) struct Denies<'a> {
    all: &'a Entries,
    files: &'a Files<'a>,
    pieces: &'a [Piece],
    rules: Vec<Rule>,
}

/// Why a part of a list has no words, if so.
type Problem<T> = fn(&Part<T>) -> Option<&'static str>;

/// To whom, where and as whom something is denied.
struct To {
    people: People,
    hosts: Option<Vec<String>>,
    run_as: Vec<String>,
}

impl<'a> Denies<'a> {
    pub(super) fn new(all: &'a Entries, files: &'a Files<'a>, pieces: &'a [Piece]) -> Self {
        let rules = Vec::new();
        Self {
            all,
            files,
            pieces,
            rules,
        }
    }

    /// In the order of sudoers.
    pub(super) fn into_rules(self, remarks: &mut Remarks) -> Vec<Rule> {
        for rule in &self.rules {
            let scope = &self.all.scopes[rule.scope];
            if rule.hosts.is_none() && !scope.hosts.iter().any(|part| part.what == Host::All) {
                let what = "denied on all hosts, since these can't be named here";
                remarks.add(Some(rule.scope), Weight::Narrowed, "", what);
            }
        }
        merged(self.rules)
    }

    /// What entries take away of what stands before them.
    pub(super) fn of_entries(&mut self, remarks: &mut Remarks) {
        let all = self.all;
        let negative = all
            .entries
            .iter()
            .enumerate()
            .filter(|(_, one)| takes_away(all, one));
        for (at, entry) in negative {
            for user in &all.scope(entry).users {
                self.of_entry(at, entry, std::slice::from_ref(user), remarks);
            }
        }
    }

    fn of_entry(&mut self, at: usize, entry: &Entry, user: &[Part<User>], remarks: &mut Remarks) {
        let (all, pieces) = (self.all, self.pieces);
        let region = all.region(entry).of(user);
        let touched = |piece: &&Piece| !region.is_apart_from(&piece.region(all));
        let before: Vec<_> = pieces
            .iter()
            .filter(|one| one.entry < at)
            .filter(touched)
            .collect();
        let gives_back = |piece: &Piece| {
            let timed = all.scope(&all.entries[piece.entry]).tags.is_timed();
            piece.entry > at && !timed && piece.region(all).covers(&region)
        };
        if before.is_empty() || pieces.iter().any(gives_back) {
            return;
        }
        let scope = all.scope(entry);
        for what in widened(scope) {
            remarks.add(Some(entry.scope), Weight::Narrowed, "", what);
        }
        let denied = self.denied_users(entry, user, &before, remarks);
        let what = format!("`{}`", entry.deed);
        self.remark_on_later(at, region.of(&denied), &what, remarks);
        for people in of(&denied) {
            let to = To {
                people,
                hosts: denied_hosts(&scope.hosts),
                run_as: denied_targets(scope),
            };
            self.add(entry, to, remarks);
        }
    }

    // Those who can be named are; of all, or of those who can't, whoever had it.
    fn denied_users(
        &self,
        entry: &Entry,
        user: &[Part<User>],
        before: &[&Piece],
        remarks: &mut Remarks,
    ) -> Vec<Part<User>> {
        let mut narrower = |what: &str| {
            let about = format!("!{}", entry.deed);
            remarks.add(Some(entry.scope), Weight::Narrowed, about, what);
        };
        let mut denied = Vec::new();
        for Part { what, without } in user {
            let (unknown, spared): (Vec<_>, Vec<_>) = without
                .iter()
                .cloned()
                .partition(|user| matches!(user, User::Other(_) | User::All));
            if !unknown.is_empty() {
                narrower("denied to those too who are excepted");
            }
            let sparing = |part: &Part<User>| {
                let mut without = [&part.without[..], &spared].concat();
                without.sort();
                without.dedup();
                let what = part.what.clone();
                Part { what, without }
            };
            match what {
                User::Name(_) | User::Group(_) => denied.push(sparing(&Part::whole(what.clone()))),
                User::Other(_) => {
                    narrower("denied to everybody to whom it was allowed before");
                    denied.extend(before.iter().map(|piece| piece.user[0].clone()));
                }
                User::All => denied.extend(before.iter().map(|piece| sparing(&piece.user[0]))),
            }
        }
        denied
    }

    fn remark_on_later(&self, at: usize, region: Region<'_>, what: &str, remarks: &mut Remarks) {
        let later = self.pieces.iter().filter(|piece| piece.entry > at);
        for piece in later.filter(|piece| !region.is_apart_from(&piece.region(self.all))) {
            self.remark_on_lost(piece, what, remarks);
        }
    }

    fn remark_on_lost(&self, piece: &Piece, what: &str, remarks: &mut Remarks) {
        let entry = &self.all.entries[piece.entry];
        let what = format!("a deny of {what} takes from it what sudo allows, and wins here");
        remarks.add(Some(entry.scope), Weight::Narrowed, &entry.deed, what);
    }

    /// What lists except: `%wheel, !bob`, `(ALL, !root)`.
    pub(super) fn of_exceptions(&mut self, remarks: &mut Remarks) {
        for piece in self.pieces {
            let scope = self.all.scope(&self.all.entries[piece.entry]);
            let own = piece.region(self.all);
            let to = |people: &People| To {
                people: people.clone(),
                hosts: denied_hosts(&scope.hosts),
                run_as: denied_targets(scope),
            };
            let people = of(&piece.user);
            let Some(people) = people.first() else {
                continue;
            };

            let outs = exceptions(&scope.hosts, host_problem);
            let hosts = denied_hosts(&outs);
            self.remark_on_same_list(piece, &outs, (&scope.hosts, host_problem), remarks);
            let region = Region {
                hosts: &outs,
                ..own
            };
            self.except(
                piece,
                region,
                To {
                    hosts,
                    ..to(people)
                },
                remarks,
            );

            let outs = exceptions(&scope.targets, target_problem);
            let run_as = outs.iter().map(|part| target(&part.what)).collect();
            self.remark_on_same_list(piece, &outs, (&scope.targets, target_problem), remarks);
            let region = Region {
                targets: &outs,
                groups: &[],
                ..own
            };
            self.except(
                piece,
                region,
                To {
                    run_as,
                    ..to(people)
                },
                remarks,
            );

            let outs = exceptions(&scope.groups, group_problem);
            let run_as = outs.iter().map(|part| format!("ALL:{}", part.what));
            let run_as = run_as.collect();
            self.remark_on_same_list(piece, &outs, (&scope.groups, group_problem), remarks);
            let region = Region {
                groups: &outs,
                ..own
            };
            self.except(
                piece,
                region,
                To {
                    run_as,
                    ..to(people)
                },
                remarks,
            );
        }
    }

    // What one part of a list excepts, another may bring back in part.
    fn remark_on_same_list<T: Atom>(
        &self,
        piece: &Piece,
        outs: &[Part<T>],
        (list, problem): (&[Part<T>], Problem<T>),
        remarks: &mut Remarks,
    ) {
        let said = list.iter().filter(|part| problem(part).is_none());
        if !said
            .into_iter()
            .all(|part| are_apart(outs, std::slice::from_ref(part)))
        {
            self.remark_on_lost(piece, "what its own list excepts", remarks);
        }
    }

    fn except(&mut self, piece: &Piece, region: Region<'_>, to: To, remarks: &mut Remarks) {
        if to.run_as.is_empty() || to.hosts.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let entry = &self.all.entries[piece.entry];
        let itself = |other: &&Piece| other.entry == piece.entry && other.user == piece.user;
        let others = self.pieces.iter().filter(|other| !itself(other));
        let touched = |other: &&Piece| {
            let other = other.region(self.all);
            let by_group = to.run_as.iter().all(|one| one.contains(':'));
            let other_groups = by_group && are_apart(region.groups, other.groups);
            !other_groups && !region.is_apart_from(&other)
        };
        for other in others.filter(touched) {
            let text = &self.all.scope(entry).text;
            let what = format!("`{}` to those whom `{text}` excepts", entry.deed);
            self.remark_on_lost(other, &what, remarks);
        }
        self.add(entry, to, remarks);
    }

    fn add(&mut self, entry: &Entry, to: To, remarks: &mut Remarks) {
        // What has no words was taken away before.
        let Some(said) = deny(&entry.deed, self.files) else {
            return;
        };
        if let Some(why) = &said.narrowed {
            let about = format!("!{}", entry.deed);
            remarks.add(Some(entry.scope), Weight::Narrowed, about, why);
        }
        let alike = |rule: &&mut Rule| {
            rule.scope == entry.scope
                && rule.people == to.people
                && rule.hosts == to.hosts
                && rule.run_as == to.run_as
        };
        match self.rules.iter_mut().find(alike) {
            Some(rule) => {
                extend(&mut rule.commands, &said.commands);
                extend(&mut rule.edit, &said.edit);
            }
            None if said.commands.is_empty() && said.edit.is_empty() => {}
            None => self.rules.push(Rule {
                scope: entry.scope,
                people: to.people,
                run_as: to.run_as,
                hosts: to.hosts,
                commands: said.commands,
                edit: said.edit,
                tags: None,
            }),
        }
    }
}

/// One rule for those who are denied the same.
fn merged(rules: Vec<Rule>) -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::new();
    for rule in rules {
        let like = |one: &&mut Rule| {
            let same_terms = one.hosts == rule.hosts && one.run_as == rule.run_as;
            let same_deeds = one.commands == rule.commands && one.edit == rule.edit;
            let same_removed = one.people.removed == rule.people.removed;
            one.scope == rule.scope && same_terms && same_deeds && same_removed
        };
        match all.iter_mut().find(like) {
            Some(one) => {
                one.people.members.extend(rule.people.members);
                one.people.members.sort();
                one.people.members.dedup();
            }
            None => all.push(rule),
        }
    }
    all
}

/// What parts except, of those that are said at all.
fn exceptions<T: Atom>(parts: &[Part<T>], problem: Problem<T>) -> Vec<Part<T>> {
    let said = parts.iter().filter(|part| problem(part).is_none());
    let outs = said.flat_map(|part| part.without.iter().cloned());
    let mut all: Vec<Part<T>> = Vec::new();
    for out in outs.map(Part::whole) {
        if !all.contains(&out) {
            all.push(out);
        }
    }
    all
}

/// On which hosts: those that can be named, or all.
fn denied_hosts(hosts: &[Part<Host>]) -> Option<Vec<String>> {
    let hosts = || hosts.iter().map(|part| &part.what);
    named(hosts()).filter(|_| hosts().all(can_be_excepted))
}

/// In which ways a deny of ours forbids more than this entry does.
fn widened(scope: &Scope) -> impl Iterator<Item = &'static str> {
    fn excepts<T>(parts: &[Part<T>]) -> bool {
        parts.iter().any(|part| !part.without.is_empty())
    }
    let unknown = |part: &Part<Target>| matches!(part.what, Target::Other(_));
    let all = [
        (
            excepts(&scope.hosts),
            "denied on those hosts too that are excepted",
        ),
        (
            excepts(&scope.targets) || excepts(&scope.groups),
            "denied as those too who are excepted",
        ),
        (
            adds_oneself(scope),
            "denied as oneself, too: a group alone is asked for as oneself",
        ),
        (
            scope.tags.is_timed(),
            "denied at all times, since what it takes away was before it",
        ),
        (
            scope.targets.iter().any(unknown),
            "denied as whomever, since these targets can't be named here",
        ),
    ];
    all.into_iter().filter_map(|(so, what)| so.then_some(what))
}

// With a group of the list, sudo before 1.9.14 lets people be themselves whoever the targets are.
fn adds_oneself(scope: &Scope) -> bool {
    let named = cover(&scope.targets, &[Part::whole(Target::Caller)]);
    !scope.groups.is_empty() && !named
}

/// As whom. A deny of a user holds whatever group is asked for.
fn denied_targets(scope: &Scope) -> Vec<String> {
    let unknown = |part: &Part<Target>| matches!(part.what, Target::All | Target::Other(_));
    if scope.targets.iter().any(unknown) {
        return vec!["ALL".into()];
    }
    let mut all: Vec<_> = scope
        .targets
        .iter()
        .map(|part| target(&part.what))
        .collect();
    if adds_oneself(scope) {
        all.push("SELF".into());
    }
    all
}
