//! The people of the directory who count on this host, with the groups they are in.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use elevate_policy::{Membership, People as Facts};

use super::directory::{Believed, Group, Person, check_group};
use super::local::LocalAccounts;

/// Somebody who counts here.
#[derive(Debug)]
pub struct Entry {
    pub(crate) person: Arc<Person>,
    /// Where their groups of the directory are in [`People::groups`], sorted.
    pub(crate) groups: Box<[u32]>,
    /// Tells this person in these groups from the same one in others.
    print: u64,
}

/// Everybody who counts here, and every group that is believed.
#[derive(Debug, Default)]
pub struct People {
    names: HashSet<ByName>,
    uids: HashMap<u32, Arc<Entry>>,
    groups: Vec<Arc<Group>>,
    group_names: HashMap<Box<str>, u32>,
    gids: HashMap<u32, u32>,
}

#[derive(Debug)]
struct ByName(Arc<Entry>);

impl Borrow<str> for ByName {
    fn borrow(&self) -> &str {
        self.0.person.name()
    }
}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.person.name().hash(state);
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.person.name() == other.0.person.name()
    }
}

impl Eq for ByName {}

impl People {
    /// Of `believed` those who are let in at `wall` milliseconds since 1970, and whom `admits` takes
    /// in, which is asked with the person and what is known of them.
    pub fn new(
        believed: &Believed,
        local: &LocalAccounts,
        wall: u64,
        admits: &dyn Fn(&Person, &dyn Facts) -> Membership,
    ) -> Self {
        let mut people = People::default();
        for group in &believed.groups {
            people.add_group(Arc::clone(group));
        }
        let memberships = people.memberships(&believed.people);
        let mut rest = &memberships[..];
        for (index, person) in believed.people.iter().enumerate() {
            let end = rest.partition_point(|(of, _)| *of as usize <= index);
            let (theirs, others) = rest.split_at(end);
            rest = others;
            if !person.counts_at(wall) {
                continue;
            }
            let groups: Vec<u32> = theirs.iter().map(|(_, group)| *group).collect();
            let one = One {
                person,
                groups: &groups,
                people: &people,
                local,
            };
            if admits(person, &one) == Membership::Yes {
                people.add_person(person, groups);
            }
        }
        people
    }

    /// How many people.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Everybody, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.uids.values().map(|entry| &**entry)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Entry> {
        self.names.get(name).map(|by_name| &*by_name.0)
    }

    pub(crate) fn by_uid(&self, uid: u32) -> Option<&Entry> {
        self.uids.get(&uid).map(|entry| &**entry)
    }

    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        let index = *self.group_names.get(name)?;
        self.groups.get(index as usize).map(|group| &**group)
    }

    pub(crate) fn group_by_gid(&self, gid: u32) -> Option<&Group> {
        let index = *self.gids.get(&gid)?;
        self.groups.get(index as usize).map(|group| &**group)
    }

    pub(crate) fn groups_of<'a>(&'a self, entry: &'a Entry) -> impl Iterator<Item = &'a Group> {
        entry
            .groups
            .iter()
            .map(|index| &*self.groups[*index as usize])
    }

    /// Whether somebody belongs to the group called `group`; unknown where there is none.
    pub(crate) fn member(&self, entry: &Entry, group: &str) -> Membership {
        match self.group_names.get(group) {
            Some(index) => entry.groups.contains(index).into(),
            None => Membership::Unknown,
        }
    }

    fn add_group(&mut self, group: Arc<Group>) -> u32 {
        let index = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.group_names.insert(group.name.clone(), index);
        self.gids.insert(group.gid, index);
        self.groups.push(group);
        index
    }

    /// Somebody whose uid is also their gid, and no group's, has a group of their own, as useradd(8)
    /// makes one.
    fn add_person(&mut self, person: &Arc<Person>, mut groups: Vec<u32>) {
        let (name, gid) = (person.name(), person.gid);
        let own = gid == person.uid
            && check_group(name).is_ok()
            && !self.gids.contains_key(&gid)
            && !self.group_names.contains_key(name);
        if own {
            groups.push(self.add_group(Group::private(name, gid).into()));
        }
        let mut hasher = DefaultHasher::new();
        for group in &groups {
            let group = &self.groups[*group as usize];
            (&group.name, group.gid).hash(&mut hasher);
        }
        let entry = Arc::new(Entry {
            person: Arc::clone(person),
            groups: groups.into(),
            print: hasher.finish(),
        });
        self.uids.insert(person.uid, Arc::clone(&entry));
        self.names.insert(ByName(entry));
    }

    /// Who is in which group, by places, sorted, each pair once.
    fn memberships(&self, people: &[Arc<Person>]) -> Vec<(u32, u32)> {
        let places = people.iter().enumerate();
        let places: HashMap<&str, u32> = places
            .map(|(index, person)| (person.name(), index as u32))
            .collect();
        let mut pairs = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            let members = group.members().filter_map(|name| places.get(name));
            pairs.extend(members.map(|person| (*person, index as u32)));
        }
        for (index, person) in people.iter().enumerate() {
            if let Some(group) = self.gids.get(&person.gid) {
                pairs.push((index as u32, *group));
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

impl Entry {
    /// Whether nothing that is published of them differs.
    pub(crate) fn is_as(&self, other: &Entry) -> bool {
        self.print == other.print && self.person == other.person
    }
}

/// What is known of one person, before it is decided whether they count here.
struct One<'a> {
    person: &'a Person,
    groups: &'a [u32],
    people: &'a People,
    local: &'a LocalAccounts,
}

impl Facts for One<'_> {
    fn member(&self, user: &str, group: &str) -> Membership {
        if user != self.person.name() {
            return Membership::Unknown;
        }
        if let Some(listed) = self.local.lists(group, user) {
            return listed.into();
        }
        match self.people.group_names.get(group) {
            Some(index) => self.groups.contains(index).into(),
            None => Membership::Unknown,
        }
    }

    fn attribute(&self, user: &str, name: &str, value: &str) -> Membership {
        match user == self.person.name() {
            true => self.person.has(name, value).into(),
            false => Membership::Unknown,
        }
    }
}
