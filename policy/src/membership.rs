//! Who has which role: members, those who were removed, roles that include others, and roles that
//! exclude each other.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::names::RoleName;
use crate::people::{Membership, People, Role};
use crate::policy::Policy;

/// What roles one person has, each looked up once.
pub(crate) struct Standing<'a> {
    policy: &'a Policy,
    user: &'a str,
    people: &'a dyn People,
    listed: RefCell<HashMap<&'a str, Membership>>,
    held: RefCell<HashMap<&'a str, Membership>>,
}

impl<'a> Standing<'a> {
    pub(crate) fn new(policy: &'a Policy, user: &'a str, people: &'a dyn People) -> Self {
        let (listed, held) = Default::default();
        Self {
            policy,
            user,
            people,
            listed,
            held,
        }
    }

    /// Whether they have the role: they are in it, and in none that excludes it.
    pub(crate) fn has(&self, role: &RoleName) -> Membership {
        self.known(&self.held, role, |role| {
            let through = |other: &RoleName| self.has(other);
            let inside = self.inside(role, through);
            inside.and(self.excluded(role).not())
        })
    }

    /// Whether they are in the role, whatever excludes it: what it forbids them, no other role of
    /// theirs may free them of.
    pub(crate) fn is_in(&self, role: &RoleName) -> Membership {
        self.known(&self.listed, role, |role| {
            self.inside(role, |other| self.is_in(other))
        })
    }

    /// Whether they are in a role that excludes this one.
    fn excluded(&self, role: &Role) -> Membership {
        Membership::any(role.conflicts.iter().map(|other| self.is_in(other)))
    }

    /// A member of it, or of a role that includes it, who wasn't removed.
    fn inside(&self, role: &Role, through: impl Fn(&RoleName) -> Membership) -> Membership {
        let asked = |entries: &[crate::people::Member]| {
            let includes = entries
                .iter()
                .map(|one| one.includes(self.user, self.people));
            Membership::any(includes)
        };
        let member = match asked(&role.members) {
            Membership::Yes => Membership::Yes,
            own => Membership::any([own, Membership::any(role.included_in.iter().map(through))]),
        };
        match member {
            Membership::No => Membership::No,
            member => member.and(asked(&role.removed).not()),
        }
    }

    // Roles don't include each other in a circle, so that this comes to an end.
    fn known(
        &self,
        cache: &RefCell<HashMap<&'a str, Membership>>,
        role: &RoleName,
        find: impl FnOnce(&'a Role) -> Membership,
    ) -> Membership {
        if let Some(known) = cache.borrow().get(role.as_str()) {
            return *known;
        }
        let Some(role) = self.policy.roles.get(role) else {
            return Membership::No;
        };
        let found = find(role);
        cache.borrow_mut().insert(role.name.as_str(), found);
        found
    }
}

impl Membership {
    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }

    /// Yes if both are, no if one is no.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }
}

impl Policy {
    /// Whether `user` has this role: as a member, or as one of a role that includes it, not removed,
    /// and in no role that excludes it.
    pub fn has_role(&self, role: &RoleName, user: &str, people: &dyn People) -> Membership {
        Standing::new(self, user, people).has(role)
    }

    /// Whether some roles exclude each other.
    #[must_use]
    pub fn has_conflicts(&self) -> bool {
        self.roles.values().any(|role| !role.conflicts.is_empty())
    }

    /// The pairs of roles that exclude each other and that `user` is in nevertheless, as far as that
    /// is certain: they have neither. By name, each pair once.
    pub fn conflicts(&self, user: &str, people: &dyn People) -> Vec<(&RoleName, &RoleName)> {
        let standing = Standing::new(self, user, people);
        let is_in = |role: &RoleName| standing.is_in(role) == Membership::Yes;
        let pairs = self.roles.values().flat_map(|role| {
            let later = role.conflicts.iter().filter(|other| **other > role.name);
            later.map(|other| (&role.name, other))
        });
        pairs
            .filter(|(one, other)| is_in(one) && is_in(other))
            .collect()
    }
}
