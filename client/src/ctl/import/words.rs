//! People, hosts and targets of sudoers in the words of our language, and which have none.

use super::entries::Scope;
use super::list::Part;
use super::people::{Group, Host, Target, User};

/// Why a part of a list of users has no words, if so.
pub(super) fn user_problem(part: &Part<User>) -> Option<&'static str> {
    let unknown = |user: &User| matches!(user, User::Other(_));
    match &part.what {
        User::All => Some("a role names its members; put in a group that everybody is in"),
        User::Other(_) => Some("a role has users and groups by name, and no netgroups"),
        _ if part.without.iter().any(unknown) => Some("who is excepted can't be named here"),
        _ => None,
    }
}

/// The same of hosts.
pub(super) fn host_problem(part: &Part<Host>) -> Option<&'static str> {
    match &part.what {
        Host::Other(_) => Some("hosts are named here, with `*` in names without a dot"),
        _ if !part.without.iter().all(can_be_excepted) => {
            Some("what is excepted can't be named here")
        }
        _ => None,
    }
}

/// Whether a host is surely called so here, too: sudo asks the resolver for the domain.
pub(super) fn can_be_excepted(host: &Host) -> bool {
    matches!(host, Host::Name(name) if !name.contains('.'))
}

/// The same of targets.
pub(super) fn target_problem(part: &Part<Target>) -> Option<&'static str> {
    let unknown = |target: &Target| matches!(target, Target::Other(_));
    match &part.what {
        Target::Other(_) => Some("targets are users, and no members of groups or netgroups"),
        _ if part.without.iter().any(unknown) => Some("who is excepted can't be named here"),
        _ => None,
    }
}

/// The same of groups for `-g`.
pub(super) fn group_problem(part: &Part<Group>) -> Option<&'static str> {
    let unknown = |group: &Group| matches!(group, Group::Other(_));
    match &part.what {
        Group::Other(_) => Some("it is no group that can be named here"),
        _ if part.without.iter().any(unknown) => Some("what is excepted can't be named here"),
        _ => None,
    }
}

/// The names of hosts; `None` where all are among them.
pub(super) fn named<'a>(hosts: impl Iterator<Item = &'a Host>) -> Option<Vec<String>> {
    hosts
        .map(|host| match host {
            Host::Name(name) => Some(name.clone()),
            Host::All | Host::Other(_) => None,
        })
        .collect()
}

/// `run_as` of an allow: each target without a group, and with each group.
pub(super) fn run_as(scope: &Scope) -> Vec<String> {
    let targets = scope.targets.iter();
    let targets: Vec<_> = targets
        .filter(|part| target_problem(part).is_none())
        .collect();
    let groups = scope.groups.iter();
    let groups: Vec<_> = groups
        .filter(|part| group_problem(part).is_none())
        .collect();
    let any_group = groups.iter().any(|part| part.what == Group::All);
    let mut all = Vec::new();
    if scope.by_group {
        // With any group one would be so without one, too.
        let named = groups.iter().filter(|_| !any_group);
        return named.map(|group| format!("SELF:{}", group.what)).collect();
    }
    for part in targets {
        let user = target(&part.what);
        match (&part.what, any_group) {
            (Target::All, true) => all.push(user),
            (_, true) => all.push(format!("{user}:ALL")),
            (target, false) => {
                let with_groups = groups.iter().map(|group| format!("{user}:{}", group.what));
                all.push(match target {
                    Target::All => format!("{user}:OWN"),
                    _ => user.clone(),
                });
                all.extend(with_groups);
            }
        }
    }
    all
}

/// A target in our words.
pub(super) fn target(target: &Target) -> String {
    match target {
        Target::Caller => "SELF".into(),
        target => target.to_string(),
    }
}
