//! What roles say of each other: which include which, and which exclude each other.

use std::collections::{BTreeMap, BTreeSet};

use super::problems::{Problems, Word};
use super::raw::RawRole;
use crate::names::RoleName;
use crate::people::Role;

type Roles = BTreeMap<RoleName, Role>;

/// Has every role know which ones include it and which exclude it, whichever of the two said so, and
/// complains of roles that nobody could have.
pub(super) fn link(roles: &mut Roles, raw: &BTreeMap<String, RawRole>, problems: &Problems) {
    for (name, role) in raw {
        for word in &role.includes {
            check_inclusion(roles, name, word, problems);
        }
        for word in &role.conflicts {
            check_conflict(roles, name, word, problems);
        }
    }
    let pairs = |list: fn(&Role) -> &Vec<RoleName>, roles: &Roles| -> Vec<_> {
        let all = roles.values();
        all.flat_map(|role| {
            list(role)
                .iter()
                .map(|other| (role.name.clone(), other.clone()))
        })
        .collect()
    };
    for (name, included) in pairs(|role| &role.includes, roles) {
        if let Some(role) = roles.get_mut(&included) {
            role.included_in.push(name);
        }
    }
    for (name, other) in pairs(|role| &role.conflicts, roles) {
        if let Some(role) = roles
            .get_mut(&other)
            .filter(|role| !role.conflicts.contains(&name))
        {
            role.conflicts.push(name);
            role.conflicts.sort();
        }
    }
}

fn check_inclusion(roles: &Roles, name: &str, word: &Word, problems: &Problems) {
    if reaches(roles, &word.text, name) {
        let message = format!("role `{name}` goes round in a circle by {}", word.quoted());
        problems.add(word, message);
    }
}

fn check_conflict(roles: &Roles, name: &str, word: &Word, problems: &Problems) {
    if reaches(roles, name, &word.text) || reaches(roles, &word.text, name) {
        let message = format!(
            "role `{name}` and {} exclude each other, and one includes the other: nobody could have \
             both, or either",
            word.quoted()
        );
        problems.add(word, message);
    }
}

/// Whether the role `from` is, or includes at some remove, the role `to`.
fn reaches(roles: &Roles, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(name) = next.pop() {
        if name == to {
            return true;
        }
        if let Some(role) = roles.get(name).filter(|_| seen.insert(name)) {
            next.extend(role.includes.iter().map(RoleName::as_str));
        }
    }
    false
}
