//! Which of the records are believed on this host: those that claim nothing that is another's.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

use elevate_protocol::escape;

use super::key::Key;
use super::{Directory, Group, Person, Record};
use crate::identity::local::LocalAccounts;

/// A record, or something of it, that is not believed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Refused {
    /// Its name, escaped.
    pub name: String,
    /// Why.
    pub why: String,
}

/// What is believed, and what is not.
#[derive(Debug, Default)]
pub struct Believed {
    /// Whether they are let in or not.
    pub people: Vec<Arc<Person>>,
    /// In the order of names.
    pub groups: Vec<Arc<Group>>,
    /// In the order of names.
    pub refused: Vec<Refused>,
}

impl Directory {
    /// The records that are believed beside these local accounts. It depends on the set of records
    /// alone, not on the order in which they came.
    pub fn believed(&self, local: &LocalAccounts) -> Believed {
        let mut believed = Believed::default();
        for slot in self.records.values() {
            if let Record::Refused(refused) = &slot.record {
                believed.refuse(&refused.0, refused.2.clone());
            }
        }
        self.people_without_twins(local, &mut believed);
        self.groups_without_twins(local, &mut believed);
        believed.refused.sort_unstable();
        // The same groups are in the same places, however the table of records grows.
        believed
            .groups
            .sort_unstable_by(|one, other| one.name.cmp(&other.name));
        believed
    }

    fn people_without_twins(&self, local: &LocalAccounts, believed: &mut Believed) {
        let mut sound = Vec::with_capacity(self.people);
        for (id, slot) in &self.records {
            if let Record::Person(person) = &slot.record {
                match against_local(person, local) {
                    Ok(()) => sound.push((id, person, slot.left_out())),
                    Err(why) => believed.refuse(person.name(), why),
                }
            }
        }
        let names = twins(&sound, |(id, person, _)| (person.name(), *id));
        let uids = twins(&sound, |(id, person, _)| (person.uid, *id));
        for (index, (_, person, left_out)) in sound.iter().enumerate() {
            let name = person.name();
            let twin = other(&names, index)
                .map(|other| twin("name", name, sound[other].0))
                .or_else(|| {
                    other(&uids, index).map(|other| twin("uid", person.uid, sound[other].0))
                });
            match twin {
                Some(why) => believed.refuse(name, why),
                None => {
                    for why in *left_out {
                        believed.refuse(name, why.clone());
                    }
                    believed.people.push(Arc::clone(person));
                }
            }
        }
    }

    fn groups_without_twins(&self, local: &LocalAccounts, believed: &mut Believed) {
        let mut sound = Vec::new();
        for (id, slot) in &self.records {
            if let Record::Group(group) = &slot.record {
                match group_against_local(group, local) {
                    Ok(()) => sound.push((id, group)),
                    Err(why) => believed.refuse(&group.name, why),
                }
            }
        }
        let names = twins(&sound, |(id, group)| (&group.name, *id));
        let gids = twins(&sound, |(id, group)| (group.gid, *id));
        for (index, (_, group)) in sound.iter().enumerate() {
            let name = &*group.name;
            let twin = other(&names, index)
                .map(|other| twin("name", name, sound[other].0))
                .or_else(|| {
                    other(&gids, index).map(|other| twin("gid", group.gid, sound[other].0))
                });
            match twin {
                Some(why) => believed.refuse(name, why),
                None => believed.groups.push(Arc::clone(group)),
            }
        }
    }
}

impl Believed {
    fn refuse(&mut self, name: &str, why: String) {
        let name = name.to_owned();
        self.refused.push(Refused { name, why });
    }
}

/// A person of the directory is nobody whom this host knows by its own files, and is in none of its
/// groups: no record gives membership of `sudo`, `docker` or `disk`.
fn against_local(person: &Person, local: &LocalAccounts) -> Result<(), String> {
    let Person { uid, gid, .. } = *person;
    name_is_free("user", person.name(), local)?;
    if let Some(name) = local.user_with(uid) {
        return Err(format!(
            "its uid {uid} is the local account {}'s",
            shown(name)
        ));
    }
    if let Some(owner) = local.subuid_owner(uid) {
        return Err(becomes("uid", uid, "subuid", owner));
    }
    gid_is_free("its primary group", gid, local)
}

fn group_against_local(group: &Group, local: &LocalAccounts) -> Result<(), String> {
    name_is_free("group", &group.name, local)?;
    gid_is_free("its gid", group.gid, local)
}

fn name_is_free(kind: &str, name: &str, local: &LocalAccounts) -> Result<(), String> {
    let file = match (local.has_user(name), local.has_group(name)) {
        (true, _) => "/etc/passwd",
        (_, true) => "/etc/group",
        _ => return Ok(()),
    };
    Err(format!(
        "{file} has the name already: rename one of the two, or remove it there if this {kind} is \
         to come from the directory"
    ))
}

fn gid_is_free(what: &str, gid: u32, local: &LocalAccounts) -> Result<(), String> {
    if let Some(name) = local.group_with(gid) {
        return Err(format!("{what} {gid} is the local group {}", shown(name)));
    }
    if let Some(name) = local.user_of_group(gid) {
        return Err(format!(
            "{what} {gid} is the primary group of the local account {}",
            shown(name)
        ));
    }
    match local.subgid_owner(gid) {
        Some(owner) => Err(becomes("gid", gid, "subgid", owner)),
        None => Ok(()),
    }
}

/// In a user namespace whoever owns an id's range has it, and could end, trace and read what is its.
fn becomes(kind: &str, id: u32, file: &str, owner: &str) -> String {
    format!(
        "/etc/{file} lets processes of {} have its {kind} {id}: give them another range there, or it \
         another {kind}",
        shown(owner)
    )
}

fn shown(name: &str) -> String {
    escape::line(name.as_bytes())
}

/// Which of `all` claim the same, each with another one that does. `claim` says what, and by what id.
/// Of a hundred thousand none or a few are twins: they are sorted by the hash of what they claim, and
/// looked at where that is the same.
fn twins<'a, T, K: Ord + Hash>(
    all: &'a [T],
    claim: impl Fn(&'a T) -> (K, &'a Key),
) -> HashMap<usize, usize> {
    let hash = |one| BuildHasherDefault::<DefaultHasher>::default().hash_one(claim(one).0);
    let mut sorted: Vec<(u64, u32)> = (0..).zip(all).map(|(at, one)| (hash(one), at)).collect();
    sorted.sort_unstable();
    let mut twins = HashMap::new();
    for alike in sorted.chunk_by(|one, other| one.0 == other.0) {
        if alike.len() == 1 {
            continue;
        }
        let mut alike: Vec<usize> = alike.iter().map(|(_, at)| *at as usize).collect();
        alike.sort_unstable_by_key(|at| claim(&all[*at]));
        for same in alike.chunk_by(|one, other| claim(&all[*one]).0 == claim(&all[*other]).0) {
            for one in same.iter().filter(|_| same.len() > 1) {
                twins.insert(*one, if *one == same[0] { same[1] } else { same[0] });
            }
        }
    }
    twins
}

fn other(twins: &HashMap<usize, usize>, index: usize) -> Option<usize> {
    twins.get(&index).copied()
}

fn twin(what: &str, claim: impl std::fmt::Display, other: &Key) -> String {
    let other = shown(&other.to_string());
    format!("its {what} {claim} is also that of the entry {other}")
}

#[cfg(test)]
mod tests {
    use super::super::refresh::Update;
    use super::super::samples::{group, of_group, of_person, person};
    use super::*;
    use elevate_protocol::directory::Change;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        admin:x:1000:1000::/home/admin:/bin/bash\n\
        svc:x:5100:5100::/srv:/bin/sh\n";
    const GROUP: &str = "root:x:0:\nsudo:x:27:admin\ndocker:x:2000:\ndisk:x:6:\nadmin:x:1000:\n";

    fn believed(changes: Vec<Change>) -> Believed {
        let mut directory = Directory::default();
        directory.begin("x");
        let update = Update {
            changes,
            ..Update::default()
        };
        directory.apply(update).unwrap();
        directory.believed(&LocalAccounts::parse(PASSWD, GROUP))
    }

    fn names(believed: &Believed) -> Vec<&str> {
        let mut names: Vec<&str> = believed.people.iter().map(|p| p.name()).collect();
        names.extend(believed.groups.iter().map(|g| &*g.name));
        names.sort_unstable();
        names
    }

    fn with_gid(name: &str, uid: i64, gid: i64) -> Change {
        let mut record = person(name, uid);
        record.gid = gid;
        of_person(record)
    }

    /// Attack 24.
    #[test]
    fn hostile_records_are_refused_one_by_one_and_the_rest_applies() {
        let believed = believed(vec![
            of_person(person("root", 5050)),
            of_person(person("toor", 0)),
            of_person(person("daemon2", 1)),
            of_person(person("ghost", 5100)),
            of_person(person("admin", 5051)),
            of_person(person("docker", 5052)),
            with_gid("insudo", 5053, 27),
            with_gid("indocker", 5054, 2000),
            with_gid("inadmin", 5055, 1000),
            with_gid("insvc", 5056, 5100),
            of_group(group("sudo", 6027, &["alice"])),
            of_group(group("lxd", 6028, &["alice"])),
            of_group(group("wheel2", 27, &["alice"])),
            of_group(group("docker2", 2000, &["alice"])),
            of_group(group("disk", 6, &["alice"])),
            of_group(group("svc", 6050, &["alice"])),
            of_person(person("alice", 5001)),
            of_group(group("dba", 6001, &["alice"])),
        ]);
        assert_eq!(names(&believed), ["alice", "dba"]);
        let refused: Vec<&str> = believed.refused.iter().map(|r| r.name.as_str()).collect();
        let expected = [
            "admin", "daemon2", "disk", "docker", "docker2", "ghost", "inadmin", "indocker",
            "insudo", "insvc", "lxd", "root", "sudo", "svc", "toor", "wheel2",
        ];
        assert_eq!(refused, expected);
        let why = |name: &str| {
            &believed
                .refused
                .iter()
                .find(|r| r.name == name)
                .unwrap()
                .why
        };
        assert!(
            why("ghost").contains("local account svc"),
            "{}",
            why("ghost")
        );
        assert!(why("indocker").contains("local group docker"));
    }

    #[test]
    fn an_id_that_a_local_user_can_become_is_nobody_elses() {
        let mut directory = Directory::default();
        directory.begin("x");
        let update = Update {
            changes: vec![
                of_person(person("alice", 100_500)),
                with_gid("bob", 5002, 200_000),
                of_person(person("carol", 99_999)),
            ],
            ..Update::default()
        };
        directory.apply(update).unwrap();
        let local = LocalAccounts::parse(PASSWD, GROUP)
            .with_subordinates("admin:100000:65536\n", "admin:200000:1\n");
        let believed = directory.believed(&local);
        assert_eq!(names(&believed), ["carol"]);
        assert!(
            believed.refused[0]
                .why
                .contains("processes of admin have its uid 100500")
        );
    }

    #[test]
    fn of_twins_none_is_believed() {
        let mut twin = person("alice", 5002);
        twin.id = "other".into();
        let believed = believed(vec![
            of_person(person("alice", 5001)),
            of_person(twin),
            of_person(person("bob", 5002)),
            of_person(person("carol", 5003)),
            of_group(group("one", 6001, &[])),
            of_group(group("two", 6001, &[])),
        ]);
        assert_eq!(names(&believed), ["carol"]);
        let bob = believed.refused.iter().find(|r| r.name == "bob").unwrap();
        assert_eq!(bob.why, "its uid 5002 is also that of the entry other");
        assert_eq!(believed.refused.len(), 5);
    }

    #[test]
    fn a_record_that_is_refused_for_itself_is_nobodys_twin() {
        let believed = believed(vec![
            of_person(person("alice", 5001)),
            of_person(person("alice", 0)),
        ]);
        assert_eq!(names(&believed), ["alice"]);
    }

    #[test]
    fn a_key_that_is_left_out_is_told_and_the_person_believed() {
        let mut record = person("alice", 5001);
        record.ssh_keys = vec!["command=\"x\" ssh-ed25519 AAAA".into()];
        let believed = believed(vec![of_person(record)]);
        assert_eq!(
            (names(&believed), believed.refused.len()),
            (vec!["alice"], 1)
        );
    }

    #[test]
    fn names_are_shown_so_that_they_steer_nothing() {
        let believed = believed(vec![of_person(person("a\x1b[2J\n", 5001))]);
        assert_eq!(believed.refused[0].name, "a\\x1b[2J\\n");
    }

    fn records() -> impl Strategy<Value = Vec<Change>> {
        let record = (0..6u8, 0..6i64, any::<bool>()).prop_map(|(name, number, is_person)| {
            let name = ["alice", "bob", "admin", "root", "dba", "x y"][usize::from(name)];
            let number = [5001, 5002, 5100, 0, 27, 6001][number as usize];
            match is_person {
                true => of_person(person(name, number)),
                false => of_group(group(name, number, &["alice"])),
            }
        });
        proptest::collection::vec(record, 0..12).prop_map(|mut records| {
            // An id is one record's.
            for (index, record) in records.iter_mut().enumerate() {
                let id = format!("id{index:02}");
                match (&mut record.person, &mut record.group) {
                    (Some(person), _) => person.id = id,
                    (_, Some(group)) => group.id = id,
                    _ => {}
                }
            }
            records
        })
    }

    proptest! {
        #[test]
        fn the_order_of_records_decides_nothing(
            (records, shuffled) in records()
                .prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle()))
        ) {
            let (one, other) = (believed(records), believed(shuffled));
            prop_assert_eq!(names(&one), names(&other));
            prop_assert_eq!(one.refused, other.refused);
        }

        #[test]
        fn no_two_that_are_believed_claim_the_same(records in records()) {
            let count = records.len();
            let believed = believed(records);
            let names = names(&believed);
            let unique: BTreeSet<u32> = believed.people.iter().map(|p| p.uid).collect();
            prop_assert_eq!(unique.len(), believed.people.len());
            prop_assert!(!names.contains(&"root") && !names.contains(&"admin"));
            prop_assert_eq!(believed.refused.len() + names.len(), count);
        }
    }
}
