//! Who is meant by the DNs of groups' members.
//!
//! `elevated` knows members by their login names alone. Where groups name DNs, this remembers which
//! person has which, and which group names it, so that a group is told anew when a person in it
//! comes, goes or is called otherwise.

use std::collections::{BTreeSet, HashMap, HashSet};

use elevate_protocol::directory::Group;

use crate::dn::Dn;
use crate::ldap::control::Uuid;
use crate::record::RawGroup;

/// People and groups, as far as members need them.
#[derive(Debug, Default)]
pub struct Members {
    people: HashMap<Uuid, (Dn, String)>,
    names: HashMap<Dn, String>,
    groups: HashMap<Uuid, RawGroup>,
    wanted: HashMap<Dn, HashSet<Uuid>>,
    /// Entries that were named in this refresh.
    seen: HashSet<Uuid>,
    /// Groups in which somebody came, went or was renamed.
    touched: BTreeSet<Uuid>,
}

impl Members {
    /// Whether any group names a DN.
    pub fn has_dns(&self) -> bool {
        !self.groups.is_empty()
    }

    /// A person is there, under this DN and name.
    pub fn person(&mut self, uuid: Uuid, dn: Dn, name: &str) {
        self.seen.insert(uuid);
        let new = (dn, name.to_owned());
        if self.people.get(&uuid) == Some(&new) {
            return;
        }
        self.forget_person(uuid);
        self.touch(&new.0);
        self.names.insert(new.0.clone(), new.1.clone());
        self.people.insert(uuid, new);
    }

    /// A group is there. With its members by name, as far as they are known.
    pub fn group(&mut self, uuid: Uuid, group: RawGroup) -> Group {
        self.seen.insert(uuid);
        self.forget_group(uuid);
        self.touched.remove(&uuid);
        let resolved = self.resolve(&group);
        if !group.dns.is_empty() {
            for dn in &group.dns {
                self.wanted.entry(dn.clone()).or_default().insert(uuid);
            }
            self.groups.insert(uuid, group);
        }
        resolved
    }

    /// An entry is there, as before.
    pub fn unchanged(&mut self, uuid: Uuid) {
        self.seen.insert(uuid);
    }

    /// A group is gone.
    pub fn group_gone(&mut self, uuid: Uuid) {
        self.forget_group(uuid);
    }

    /// A person is gone.
    pub fn person_gone(&mut self, uuid: Uuid) {
        self.forget_person(uuid);
    }

    /// A refresh begins.
    pub fn begin(&mut self) {
        self.seen.clear();
    }

    /// A refresh ended in which everything was named.
    pub fn everything_was_named(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        let known = self.people.keys().chain(self.groups.keys());
        let gone: Vec<Uuid> = known
            .filter(|uuid| !seen.contains(*uuid))
            .copied()
            .collect();
        for uuid in gone {
            self.forget_group(uuid);
            self.forget_person(uuid);
        }
    }

    /// The groups that are to be told anew. Not to be asked for within a refresh: which groups are
    /// still there is known after it, and a group that is told is one that is there.
    pub fn changed_groups(&mut self) -> Vec<Group> {
        std::mem::take(&mut self.touched)
            .iter()
            .filter_map(|uuid| self.groups.get(uuid))
            .map(|group| self.resolve(group))
            .collect()
    }

    fn forget_person(&mut self, uuid: Uuid) {
        let Some((dn, name)) = self.people.remove(&uuid) else {
            return;
        };
        // Another person may have taken the name over in the meantime.
        if self.names.get(&dn) == Some(&name) {
            self.names.remove(&dn);
        }
        self.touch(&dn);
    }

    fn forget_group(&mut self, uuid: Uuid) {
        for dn in self
            .groups
            .remove(&uuid)
            .into_iter()
            .flat_map(|group| group.dns)
        {
            if let Some(groups) = self.wanted.get_mut(&dn) {
                groups.remove(&uuid);
                if groups.is_empty() {
                    self.wanted.remove(&dn);
                }
            }
        }
    }

    fn touch(&mut self, dn: &Dn) {
        self.touched
            .extend(self.wanted.get(dn).into_iter().flatten());
    }

    fn resolve(&self, raw: &RawGroup) -> Group {
        let mut group = raw.group.clone();
        let mut there: HashSet<&str> = group.members.iter().map(String::as_str).collect();
        let named: Vec<String> = raw
            .dns
            .iter()
            .filter_map(|dn| self.names.get(dn))
            .filter(|name| there.insert(name))
            .cloned()
            .collect();
        group.members.extend(named);
        group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dn(name: &str) -> Dn {
        Dn::parse(format!("uid={name},o=x").as_bytes()).unwrap()
    }

    fn dba(names: &[&str], dns: &[&str]) -> RawGroup {
        RawGroup {
            group: Group {
                id: "dba".into(),
                name: "dba".into(),
                gid: 6002,
                members: names.iter().map(|name| (*name).to_owned()).collect(),
            },
            dns: dns.iter().map(|name| dn(name)).collect(),
        }
    }

    fn members(all: &mut Members) -> Vec<Vec<String>> {
        let groups = all.changed_groups();
        groups.into_iter().map(|group| group.members).collect()
    }

    const ALICE: Uuid = [1; 16];
    const BOB: Uuid = [2; 16];
    const DBA: Uuid = [9; 16];

    #[test]
    fn a_dn_stands_for_the_person_that_has_it() {
        let mut all = Members::default();
        all.person(ALICE, dn("alice"), "alice");
        let group = all.group(DBA, dba(&["alice", "carol"], &["alice", "nobody"]));
        assert_eq!(group.members, ["alice", "carol"]);
        assert!(all.changed_groups().is_empty());
    }

    #[test]
    fn a_group_is_told_anew_when_a_person_in_it_comes_or_goes_or_is_renamed() {
        let mut all = Members::default();
        let group = all.group(DBA, dba(&[], &["alice", "bob"]));
        assert!(group.members.is_empty());
        all.person(ALICE, dn("alice"), "alice");
        assert_eq!(members(&mut all), [["alice"]]);
        all.person(BOB, dn("bob"), "bob");
        assert_eq!(members(&mut all), [["alice", "bob"]]);
        all.person(BOB, dn("bob"), "bob");
        assert!(all.changed_groups().is_empty(), "nothing changed");
        all.person(BOB, dn("bob"), "robert");
        assert_eq!(members(&mut all), [["alice", "robert"]]);
        all.person_gone(ALICE);
        assert_eq!(members(&mut all), [["robert"]]);
        // bob's entry moves away from the DN that the group names.
        all.person(BOB, dn("rob"), "robert");
        assert_eq!(members(&mut all), [[""; 0]]);
        all.group_gone(DBA);
        assert!(!all.has_dns() && all.wanted.is_empty());
    }

    #[test]
    fn who_takes_over_a_dn_keeps_it_when_the_other_goes() {
        let mut all = Members::default();
        all.group(DBA, dba(&[], &["alice"]));
        all.person(ALICE, dn("alice"), "alice");
        all.person(BOB, dn("alice"), "alice2");
        all.person_gone(ALICE);
        assert_eq!(members(&mut all), [["alice2"]]);
    }

    #[test]
    fn who_is_not_named_in_a_whole_refresh_is_gone() {
        let mut all = Members::default();
        all.person(ALICE, dn("alice"), "alice");
        all.person(BOB, dn("bob"), "bob");
        all.group(DBA, dba(&[], &["alice", "bob"]));
        all.begin();
        all.unchanged(ALICE);
        all.unchanged(DBA);
        all.everything_was_named();
        assert_eq!(members(&mut all), [["alice"]]);
    }

    #[test]
    fn a_group_that_is_gone_after_a_refresh_is_not_told_for_who_changed_in_it() {
        let mut all = Members::default();
        all.group(DBA, dba(&[], &["alice"]));
        all.begin();
        all.person(ALICE, dn("alice"), "alice");
        all.everything_was_named();
        assert!(all.changed_groups().is_empty());
    }
}
