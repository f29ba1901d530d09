//! What takes away.

use super::decide::{Piece, Rule, extend, takes_away};
use super::entries::{Entries, Entry, Region, Scope};
use super::list::{Atom, Part, are_apart, cover};
use super::people::{Host, Target, User};
use super::remark::{Remarks, Weight};
use super::saying::{Files, deny};
use super::words::{group_problem, host_problem, named, target, target_problem, user_problem};

/// The denies of a sudoers, as they are found.
pub(super) struct Denies<'a> {
    all: &'a Entries,
    files: &'a Files<'a>,
    pieces: &'a [Piece],
    rules: Vec<Rule>,
}

/// To whom, where and as whom something is denied.
struct To {
    users: Vec<User>,
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
                remarks.add(
                    Some(rule.scope),
                    Weight::Narrowed,
                    format!("`{}`", scope.text),
                    what,
                );
            }
        }
        self.rules
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
        let users = self.denied_users(entry, user, &before, remarks);
        let scope = all.scope(entry);
        let by_group = before
            .iter()
            .any(|piece| !piece.region(all).groups.is_empty());
        let to = To {
            hosts: denied_hosts(&scope.hosts),
            run_as: denied_targets(scope, by_group),
            users,
        };
        let denied: Vec<_> = to.users.iter().cloned().map(Part::whole).collect();
        self.remark_on_later(
            at,
            region.of(&denied),
            &format!("`{}`", entry.deed),
            remarks,
        );
        if to.run_as.iter().any(|one| one == ONESELF) && !names_caller(scope) {
            let what = "denied as oneself, too: sudo's holds for that with one's own group";
            remarks.add(
                Some(entry.scope),
                Weight::Narrowed,
                format!("`{}`", scope.text),
                what,
            );
        }
        if scope.tags.is_timed() {
            let what = "denied at all times, since what it takes away was before it";
            remarks.add(
                Some(entry.scope),
                Weight::Narrowed,
                format!("`{}`", scope.text),
                what,
            );
        }
        if scope
            .targets
            .iter()
            .any(|part| matches!(part.what, Target::Other(_)))
        {
            let what = "denied as whomever, since these targets can't be named here";
            remarks.add(
                Some(entry.scope),
                Weight::Narrowed,
                format!("`{}`", scope.text),
                what,
            );
        }
        self.add(entry, to, remarks);
    }

    // Those who can be named are; of all, or of those who can't, whoever had it.
    fn denied_users(
        &self,
        entry: &Entry,
        user: &[Part<User>],
        before: &[&Piece],
        remarks: &mut Remarks,
    ) -> Vec<User> {
        let scope = self.all.scope(entry);
        let mut narrower = |what: &str| {
            let about = format!("!{} of `{}`", entry.deed, scope.text);
            remarks.add(Some(entry.scope), Weight::Narrowed, about, what);
        };
        let [Part { what, without }] = user else {
            return Vec::new();
        };
        if !without.is_empty() {
            narrower("denied to those too who are excepted");
        }
        match what {
            User::Name(_) | User::Group(_) => return vec![what.clone()],
            User::Other(_) => narrower("denied to everybody to whom it was allowed before"),
            User::All => {}
        }
        let mut users: Vec<_> = before
            .iter()
            .map(|piece| piece.user[0].what.clone())
            .collect();
        users.sort();
        users.dedup();
        users
    }

    fn remark_on_later(&self, at: usize, region: Region<'_>, what: &str, remarks: &mut Remarks) {
        let later = self.pieces.iter().filter(|piece| piece.entry > at);
        for piece in later.filter(|piece| !region.is_apart_from(&piece.region(self.all))) {
            self.remark_on_lost(piece, what, remarks);
        }
    }

    fn remark_on_lost(&self, piece: &Piece, what: &str, remarks: &mut Remarks) {
        let entry = &self.all.entries[piece.entry];
        let about = format!("{} of `{}`", entry.deed, self.all.scope(entry).text);
        let what = format!("a deny of {what} takes from it what sudo allows, and wins here");
        remarks.add(Some(entry.scope), Weight::Narrowed, about, what);
    }

    /// What lists except: `%wheel, !bob`, `(ALL, !root)`.
    pub(super) fn of_exceptions(&mut self, remarks: &mut Remarks) {
        for piece in self.pieces {
            let scope = self.all.scope(&self.all.entries[piece.entry]);
            let own = piece.region(self.all);
            let to = || To {
                users: vec![piece.user[0].what.clone()],
                hosts: denied_hosts(&scope.hosts),
                run_as: denied_targets(scope, false),
            };
            let outs = exceptions(&piece.user, user_problem);
            let users = outs.iter().map(|part| part.what.clone()).collect();
            let region = own.of(&outs);
            self.except(piece, region, To { users, ..to() }, remarks);

            let outs = exceptions(&scope.hosts, host_problem);
            let hosts = denied_hosts(&outs);
            self.remark_on_same_list(piece, &outs, &scope.hosts, remarks);
            let region = Region {
                hosts: &outs,
                ..own
            };
            self.except(piece, region, To { hosts, ..to() }, remarks);

            let outs = exceptions(&scope.targets, target_problem);
            let run_as = outs.iter().map(|part| target(&part.what)).collect();
            self.remark_on_same_list(piece, &outs, &scope.targets, remarks);
            let region = Region {
                targets: &outs,
                groups: &[],
                ..own
            };
            self.except(piece, region, To { run_as, ..to() }, remarks);

            let outs = exceptions(&scope.groups, group_problem);
            let run_as = outs.iter().map(|part| format!("ALL:{}", part.what));
            let run_as = run_as.collect();
            self.remark_on_same_list(piece, &outs, &scope.groups, remarks);
            let region = Region {
                groups: &outs,
                ..own
            };
            self.except(piece, region, To { run_as, ..to() }, remarks);
        }
    }

    // What one part of a list excepts, another may bring back in part.
    fn remark_on_same_list<T: Atom>(
        &self,
        piece: &Piece,
        outs: &[Part<T>],
        list: &[Part<T>],
        remarks: &mut Remarks,
    ) {
        if !are_apart(outs, list) {
            self.remark_on_lost(piece, "what its own list excepts", remarks);
        }
    }

    fn except(&mut self, piece: &Piece, region: Region<'_>, to: To, remarks: &mut Remarks) {
        if to.users.is_empty()
            || to.run_as.is_empty()
            || to.hosts.as_ref().is_some_and(Vec::is_empty)
        {
            return;
        }
        let entry = &self.all.entries[piece.entry];
        let itself = |other: &&Piece| other.entry == piece.entry && other.user == piece.user;
        let others = self.pieces.iter().filter(|other| !itself(other));
        for other in others.filter(|other| !region.is_apart_from(&other.region(self.all))) {
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
            let about = format!("!{} of `{}`", entry.deed, self.all.scope(entry).text);
            remarks.add(Some(entry.scope), Weight::Narrowed, about, why);
        }
        let alike = |rule: &&mut Rule| {
            rule.scope == entry.scope
                && rule.users == to.users
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
                users: to.users,
                run_as: to.run_as,
                hosts: to.hosts,
                commands: said.commands,
                edit: said.edit,
                tags: None,
            }),
        }
    }
}

/// What parts except, of those that are said at all.
fn exceptions<T: Atom>(
    parts: &[Part<T>],
    problem: fn(&Part<T>) -> Option<&'static str>,
) -> Vec<Part<T>> {
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
    named(hosts.iter().map(|part| &part.what))
}

const ONESELF: &str = "SELF";

fn names_caller(scope: &Scope) -> bool {
    cover(&scope.targets, &[Part::whole(Target::Caller)])
}

/// As whom. A deny of a user holds whatever group is asked for; sudo's also holds for oneself with
/// one's own group.
fn denied_targets(scope: &Scope, by_group: bool) -> Vec<String> {
    let unknown = |part: &Part<Target>| matches!(part.what, Target::All | Target::Other(_));
    if scope.targets.iter().any(unknown) {
        return vec!["ALL".into()];
    }
    let mut all: Vec<_> = scope
        .targets
        .iter()
        .map(|part| target(&part.what))
        .collect();
    if !names_caller(scope) && (by_group || !scope.groups.is_empty()) {
        all.push(ONESELF.into());
    }
    all
}
