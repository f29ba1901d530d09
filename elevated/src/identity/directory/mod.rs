//! The records of the directory as this host has them, believed or not. Pure: what is to be stored
//! comes out as a change, and what time it is goes in.

mod claims;
mod group;
mod key;
mod keys;
mod names;
mod person;
mod refresh;
#[cfg(test)]
pub(crate) mod samples;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use elevate_protocol::directory::Change;
use elevate_protocol::escape;
use elevate_protocol::limits::{
    DIRECTORY_RECORD_BYTES, DIRECTORY_TOTAL_BYTES, GROUPS, NAME_BYTES, PEOPLE,
};
use serde::{Deserialize, Serialize};

use self::key::Key;
use super::ids::Ids;
use crate::store::IdentityChange;

pub use claims::{Believed, Refused};
pub use group::Group;
pub(crate) use names::check_group;
pub use person::Person;
pub(crate) use person::check_path;
pub use refresh::{Update, Withheld};

/// The name of the note that keeps [`Mark`].
const MARK: &str = "directory";

/// What every record is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Numbers that records may have.
    pub ids: Ids,
    /// The shell of people whose record names none.
    pub default_shell: String,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            ids: Ids::default(),
            default_shell: "/bin/bash".into(),
        }
    }
}

/// Where the records come from, and up to where they are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    source: Option<String>,
    cursor: Option<String>,
}

/// One record, as far as it is sound in itself.
#[derive(Debug)]
enum Record {
    Person(Arc<Person>),
    Group(Arc<Group>),
    /// Its name, whether it is a person's, and why it is not believed.
    Refused(Box<(String, bool, String)>),
}

/// Why something of a record that is believed is left out: nearly nobody's.
#[derive(Debug, PartialEq, Eq)]
struct LeftOut(Vec<String>);

#[derive(Debug)]
struct Slot {
    record: Record,
    /// What of it is left out.
    left_out: Option<Box<LeftOut>>,
    /// The refresh that named it last.
    named: u32,
    bytes: u32,
}

/// Every record.
#[derive(Debug, Default)]
pub struct Directory {
    rules: Rules,
    records: HashMap<Key, Slot>,
    mark: Mark,
    /// Counts refreshes.
    refresh: u32,
    people: usize,
    groups: usize,
    bytes: usize,
    /// Changes whenever a record does.
    version: u64,
    /// Changes whenever a group's record does.
    groups_version: u64,
    /// What could not be written, by id; it goes with the next change.
    unsaved: BTreeMap<String, Option<String>>,
    withheld: Option<Withheld>,
    /// What of it root said is right.
    confirmed: Option<Withheld>,
    /// The cursor that is on disk.
    saved_cursor: Option<String>,
    /// Records of this refresh that there was no place for.
    left_over: usize,
}

impl Directory {
    /// No records yet, and those to come checked by `rules`.
    pub fn new(rules: Rules) -> Self {
        Directory {
            rules,
            ..Directory::default()
        }
    }

    /// Take up a record from the store, after the note. What can't be read there is left out, and
    /// comes again when all is synchronised from nothing, which follows: the cursor is void then.
    pub fn restore(&mut self, id: &str, stored: &str) {
        match serde_json::from_str(stored) {
            Ok(change) => {
                self.put(id, &change, stored.len());
            }
            Err(_) => self.mark.cursor = None,
        }
    }

    /// Take up the note of the store.
    pub fn restore_mark(&mut self, note: Option<&str>) {
        let mark = note.and_then(|note| serde_json::from_str(note).ok());
        self.mark = mark.unwrap_or_default();
        self.saved_cursor.clone_from(&self.mark.cursor);
    }

    /// The name of the store's note, and how it is to be.
    pub fn note(&self) -> (String, Option<String>) {
        (MARK.into(), serde_json::to_string(&self.mark).ok())
    }

    /// The name of the store's note.
    pub const NOTE: &str = MARK;

    /// Where the records come from.
    pub fn source(&self) -> Option<&str> {
        self.mark.source.as_deref()
    }

    /// How many people and groups have a record, believed or not.
    pub fn counts(&self) -> (usize, usize) {
        (self.people, self.groups)
    }

    /// People whose records are sound in themselves, be they believed or not.
    pub(super) fn people(&self) -> impl Iterator<Item = &Person> {
        self.records.values().filter_map(|slot| match &slot.record {
            Record::Person(person) => Some(&**person),
            _ => None,
        })
    }

    /// What is not believed although a refresh said it was all.
    pub fn withheld(&self) -> Option<Withheld> {
        self.withheld
    }

    /// How many records the last refresh had that there was no place for.
    pub fn left_over(&self) -> usize {
        self.left_over
    }

    /// Changes whenever a record does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Changes whenever a group's record does.
    pub fn groups_version(&self) -> u64 {
        self.groups_version
    }

    /// Take in a record, of `bytes` bytes in the store; says whether it is to be stored.
    fn put(&mut self, id: &str, change: &Change, bytes: usize) -> bool {
        let (name, is_person) = match (&change.person, &change.group) {
            (Some(person), _) => (person.name.as_str(), true),
            (None, group) => (group.as_ref().map_or(id, |group| &group.name), false),
        };
        if !self.has_place(id, is_person) {
            self.drop_record(id);
            self.left_over += 1;
            return false;
        }
        if let Err(why) = self.has_room(id, is_person, bytes) {
            self.insert(id, refused(name, is_person, why), Vec::new(), 0);
            return false;
        }
        let (record, left_out) = match self.check(change) {
            Ok(checked) => checked,
            Err(why) => (refused(name, is_person, why), Vec::new()),
        };
        self.insert(id, record, left_out, bytes);
        true
    }

    fn insert(&mut self, id: &str, record: Record, left_out: Vec<String>, bytes: usize) {
        let before = self.remove(id);
        let is_person = record.is_person();
        let slot = Slot {
            record,
            left_out: (!left_out.is_empty()).then(|| Box::new(LeftOut(left_out))),
            named: self.refresh,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        };
        if before.is_none_or(|before| !before.says_as_much_as(&slot)) {
            self.version += 1;
            self.groups_version += u64::from(!is_person);
        }
        self.count(&slot, true);
        self.records.insert(Key::from(id), slot);
    }

    fn remove(&mut self, id: &str) -> Option<Slot> {
        let slot = self.records.remove(&Key::from(id))?;
        self.count(&slot, false);
        Some(slot)
    }

    fn drop_record(&mut self, id: &str) {
        if let Some(slot) = self.remove(id) {
            self.version += 1;
            self.groups_version += u64::from(!slot.record.is_person());
        }
    }

    fn count(&mut self, slot: &Slot, more: bool) {
        let step = |count: &mut usize, by: usize| match more {
            true => *count += by,
            false => *count -= by,
        };
        step(&mut self.bytes, slot.bytes as usize);
        match slot.record.is_person() {
            true => step(&mut self.people, 1),
            false => step(&mut self.groups, 1),
        }
    }

    fn check(&self, change: &Change) -> Result<(Record, Vec<String>), String> {
        let rules = &self.rules;
        if let Some(record) = &change.person {
            let checked = person::check(record, &rules.ids, &rules.default_shell);
            return checked.map(|(person, left_out)| (Record::Person(person.into()), left_out));
        }
        let group = change
            .group
            .as_ref()
            .ok_or("it is neither a person nor a group")?;
        let group = group::check(group, &rules.ids)?;
        Ok((Record::Group(group.into()), Vec::new()))
    }

    /// A directory can't make us hold more records than the limits say.
    fn has_place(&self, id: &str, is_person: bool) -> bool {
        let same_kind = |slot: &&Slot| slot.record.is_person() == is_person;
        let known = self.records.get(&Key::from(id)).filter(same_kind).is_some();
        let (count, limit) = match is_person {
            true => (self.people, PEOPLE),
            false => (self.groups, GROUPS),
        };
        known || count < limit
    }

    /// Nor longer ones.
    fn has_room(&self, id: &str, is_person: bool, bytes: usize) -> Result<(), String> {
        let before = self.records.get(&Key::from(id));
        if is_person && bytes > DIRECTORY_RECORD_BYTES {
            return Err(format!("it is longer than {DIRECTORY_RECORD_BYTES} bytes"));
        }
        let freed = before.map_or(0, |slot| slot.bytes as usize);
        if self.bytes - freed + bytes > DIRECTORY_TOTAL_BYTES {
            let why = format!("all records together are longer than {DIRECTORY_TOTAL_BYTES} bytes");
            return Err(why);
        }
        Ok(())
    }
}

impl Record {
    fn is_person(&self) -> bool {
        match self {
            Record::Person(_) => true,
            Record::Group(_) => false,
            Record::Refused(refused) => refused.1,
        }
    }
}

impl Slot {
    fn left_out(&self) -> &[String] {
        self.left_out.as_ref().map_or(&[], |left_out| &left_out.0)
    }

    fn says_as_much_as(&self, other: &Slot) -> bool {
        let same = match (&self.record, &other.record) {
            (Record::Person(one), Record::Person(other)) => one == other,
            (Record::Group(one), Record::Group(other)) => one == other,
            (Record::Refused(one), Record::Refused(other)) => one == other,
            _ => false,
        };
        same && self.left_out == other.left_out
    }
}

/// A name is shown escaped, and cut where it is too long to be one.
fn refused(name: &str, is_person: bool, why: String) -> Record {
    let mut shown = escape::line(name.as_bytes());
    if shown.len() > NAME_BYTES {
        shown = shown.chars().take(NAME_BYTES / 4).chain(['…']).collect();
    }
    Record::Refused(Box::new((shown, is_person, why)))
}

/// A change of the store that keeps `unsaved` and the mark.
fn stored(
    unsaved: &BTreeMap<String, Option<String>>,
    note: (String, Option<String>),
) -> IdentityChange {
    let mut change = IdentityChange {
        notes: vec![note],
        ..IdentityChange::default()
    };
    for (id, record) in unsaved {
        match record {
            Some(record) => change.put.push((id.clone(), record.clone())),
            None => change.drop.push(id.clone()),
        }
    }
    change
}
