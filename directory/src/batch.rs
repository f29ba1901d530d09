//! What waits to be handed to `elevated`, written as it is read: each record is made into JSON once,
//! and its size is known.

use elevate_protocol::directory::Change;
use elevate_protocol::limits::{DIRECTORY_BATCH, DIRECTORY_BYTES};
use serde::Serialize;

use crate::record;

/// What the rest of a call may take.
const ENVELOPE: usize = 64 * 1024;
/// A record of more bytes is handed on without most of what is in it.
const RECORD_BYTES: usize = DIRECTORY_BYTES / 2;

/// Changes, and ids of entries that are as before.
#[derive(Debug, Default)]
pub struct Batch {
    changes: Vec<u8>,
    unchanged: Vec<u8>,
    count: usize,
    cursor: Option<String>,
    complete: bool,
}

/// A record was too large to be handed on whole.
#[derive(Debug, PartialEq, Eq)]
pub struct Reduced {
    /// Its name.
    pub name: String,
}

impl Batch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.cursor.is_none() && !self.complete
    }

    /// Whether it has to go before anything more is put in.
    pub fn is_full(&self) -> bool {
        let bytes = self.changes.len() + self.unchanged.len();
        self.count >= DIRECTORY_BATCH || bytes + RECORD_BYTES + ENVELOPE > DIRECTORY_BYTES
    }

    /// Puts a change in. Where it is too large, what is left of it, which is then told.
    pub fn change(&mut self, change: Change) -> Option<Reduced> {
        let start = self.changes.len();
        append(&mut self.changes, &change);
        self.count += 1;
        if self.changes.len() - start <= RECORD_BYTES {
            return None;
        }
        self.changes.truncate(start);
        let person = change.person.as_ref().map(|person| &person.name);
        let group = change.group.as_ref().map(|group| &group.name);
        let name = person.or(group).cloned().unwrap_or_default();
        append(&mut self.changes, &record::reduced(change));
        Some(Reduced { name })
    }

    /// Puts the id of an entry in that is as before.
    pub fn unchanged(&mut self, id: &str) {
        append(&mut self.unchanged, &id);
        self.count += 1;
    }

    /// From where to go on after what is in it.
    pub fn cursor(&mut self, cursor: String) {
        self.cursor = Some(cursor);
    }

    /// What was named so far is everything.
    pub fn complete(&mut self) {
        self.complete = true;
    }

    /// The call, with its end, and an empty batch.
    pub fn call(&mut self) -> Vec<u8> {
        let mut call =
            br#"{"method":"org.elevate.Directory.Apply","parameters":{"changes":["#.to_vec();
        call.reserve(self.changes.len() + self.unchanged.len() + ENVELOPE);
        call.append(&mut self.changes);
        call.extend_from_slice(br#"],"unchanged":["#);
        call.append(&mut self.unchanged);
        call.extend_from_slice(br#"],"complete":"#);
        write(&mut call, &self.complete);
        call.extend_from_slice(br#","cursor":"#);
        write(&mut call, &self.cursor);
        call.extend_from_slice(b"}}\0");
        *self = Batch::default();
        call
    }
}

fn append(list: &mut Vec<u8>, value: &impl Serialize) {
    if !list.is_empty() {
        list.push(b',');
    }
    write(list, value);
}

fn write(out: &mut Vec<u8>, value: &impl Serialize) {
    // Writing to memory doesn't fail, nor do our types.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_protocol::directory::{Group, INTERFACE, Method};
    use elevate_protocol::varlink::{Messages, method};

    fn read(call: &[u8]) -> Method {
        let mut messages = Messages::new(DIRECTORY_BYTES);
        messages.push(call);
        let mut call = messages.read().unwrap().expect("one whole message");
        assert!(messages.is_empty());
        method(&mut call, INTERFACE).unwrap()
    }

    fn group(id: &str, members: Vec<String>) -> Change {
        Change {
            group: Some(Group {
                id: id.into(),
                name: "dba".into(),
                gid: 6002,
                members,
            }),
            ..Change::default()
        }
    }

    #[test]
    fn the_call_is_the_one_of_the_interface() {
        let mut batch = Batch::default();
        assert!(batch.is_empty());
        let gone = Change {
            gone: Some("3".into()),
            ..Change::default()
        };
        let changes = vec![group("1", vec!["a\"\u{0}b".into()]), gone];
        for change in changes.clone() {
            assert_eq!(batch.change(change), None);
        }
        batch.unchanged("2");
        batch.unchanged("4");
        batch.cursor("c\"".into());
        batch.complete();
        let expected = Method::Apply {
            changes,
            unchanged: vec!["2".into(), "4".into()],
            complete: true,
            cursor: Some("c\"".into()),
        };
        assert_eq!(read(&batch.call()), expected);
        assert!(batch.is_empty());
        let nothing = Method::Apply {
            changes: Vec::new(),
            unchanged: Vec::new(),
            complete: false,
            cursor: None,
        };
        assert_eq!(read(&batch.call()), nothing);
    }

    #[test]
    fn it_is_full_before_a_message_would_be_too_long() {
        let mut batch = Batch::default();
        let large = || group("1", vec!["x".repeat(1_000_000)]);
        while !batch.is_full() {
            assert_eq!(batch.change(large()), None);
        }
        assert!(batch.call().len() <= DIRECTORY_BYTES);
        for _ in 0..DIRECTORY_BATCH {
            assert!(!batch.is_full());
            batch.unchanged("1");
        }
        assert!(batch.is_full());
    }

    #[test]
    fn of_a_record_that_fits_no_message_its_name_is_handed_on() {
        let mut batch = Batch::default();
        let huge = group("1", vec!["x".repeat(DIRECTORY_BYTES)]);
        let name = "dba".to_owned();
        assert_eq!(batch.change(huge), Some(Reduced { name }));
        let Method::Apply { changes, .. } = read(&batch.call()) else {
            panic!()
        };
        assert_eq!(changes, [group("1", Vec::new())]);
    }
}
