//! Records for tests.

use elevate_protocol::directory::{Change, Group, Person};
use elevate_protocol::escape;

pub(crate) fn person(name: &str, uid: i64) -> Person {
    Person {
        id: id(name, uid),
        name: name.into(),
        uid,
        gid: 6000,
        full_name: None,
        home: None,
        shell: None,
        ssh_keys: Vec::new(),
        active: true,
        expires: None,
        attributes: Default::default(),
    }
}

pub(crate) fn group(name: &str, gid: i64, members: &[&str]) -> Group {
    Group {
        id: id(name, gid),
        name: name.into(),
        gid,
        members: members.iter().map(|&name| name.to_owned()).collect(),
    }
}

pub(crate) fn of_person(person: Person) -> Change {
    Change {
        person: Some(person),
        ..Change::default()
    }
}

pub(crate) fn of_group(group: Group) -> Change {
    Change {
        group: Some(group),
        ..Change::default()
    }
}

pub(crate) fn gone(id: &str) -> Change {
    Change {
        gone: Some(id.into()),
        ..Change::default()
    }
}

fn id(name: &str, number: i64) -> String {
    format!("id-{}-{number}", escape::line(name.as_bytes()))
}
