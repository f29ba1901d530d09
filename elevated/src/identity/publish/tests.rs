//! Publishing into a real folder.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use elevate_policy::Membership;
use elevate_protocol::directory::{Change, Person};
use tempfile::TempDir;

use super::{Outcome, Publisher};
use crate::identity::directory::samples::{group, of_group, of_person, person};
use crate::identity::directory::{Directory, Update};
use crate::identity::{LocalAccounts, People};

const KEY: &str = "ssh-ed25519 \
    AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

fn people(changes: Vec<Change>) -> People {
    let mut directory = Directory::default();
    directory.begin("x");
    for changes in changes.chunks(500) {
        let update = Update {
            changes: changes.to_vec(),
            ..Update::default()
        };
        directory.apply(update).unwrap();
    }
    let local = LocalAccounts::default();
    People::new(&directory.believed(&local), &local, 0, &|_, _| {
        Membership::Yes
    })
}

fn alice() -> Person {
    let mut alice = person("alice", 5001);
    alice.full_name = Some("Alice Archer".into());
    alice.ssh_keys = vec![KEY.into()];
    alice
}

fn both() -> People {
    people(vec![
        of_person(alice()),
        of_person(person("bob", 5002)),
        of_group(group("dba", 6001, &["alice"])),
        of_group(group("staff", 6000, &["bob"])),
        of_group(group("nobody-here", 6009, &["carol"])),
    ])
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn people_groups_and_memberships_are_records() {
    let folder = folder();
    let path = folder.path();
    Publisher::new(path).publish(&both()).unwrap();
    let expected = [
        "5001.user",
        "5001.user-privileged",
        "5002.user",
        "6000.group",
        "6001.group",
        "alice.user",
        "alice.user-privileged",
        "alice:dba.membership",
        "bob.user",
        "dba.group",
        "staff.group",
    ];
    assert_eq!(names(path), expected);
    let alice = json(&path.join("5001.user"));
    assert_eq!(
        alice,
        serde_json::json!({
            "userName": "alice", "uid": 5001, "gid": 6000, "realName": "Alice Archer",
            "homeDirectory": "/home/alice", "shell": "/bin/bash",
            "disposition": "regular", "service": "org.elevate",
        })
    );
    let keys = &json(&path.join("5001.user-privileged"))["privileged"]["sshAuthorizedKeys"];
    assert_eq!(keys, &serde_json::json!([KEY]));
    let membership = fs::read_to_string(path.join("alice:dba.membership")).unwrap();
    assert_eq!(membership, "{}");
}

#[test]
fn keys_are_roots_alone_and_all_else_is_for_everybody() {
    let folder = folder();
    Publisher::new(folder.path()).publish(&both()).unwrap();
    for name in names(folder.path()) {
        let mode = fs::metadata(folder.path().join(&name)).unwrap().mode() & 0o7777;
        let private = name.ends_with(".user-privileged");
        assert_eq!(mode, if private { 0o600 } else { 0o644 }, "{name}");
    }
}

#[test]
fn only_what_differs_is_written_and_who_left_is_gone() {
    let folder = folder();
    let mut publisher = Publisher::new(folder.path());
    let first = publisher.publish(&both()).unwrap();
    assert_eq!(first.changed, 11);
    assert_eq!(publisher.publish(&both()).unwrap(), Outcome::default());
    let inode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().ino();
    let before = inode("bob.user");
    let rest = people(vec![
        of_person(person("bob", 5002)),
        of_group(group("staff", 6000, &[])),
    ]);
    // Alice's four files, her group's two, her membership.
    assert_eq!(publisher.publish(&rest).unwrap().changed, 7);
    assert_eq!(
        names(folder.path()),
        ["5002.user", "6000.group", "bob.user", "staff.group"]
    );
    assert_eq!(inode("bob.user"), before);
    publisher.publish(&People::default()).unwrap();
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_later_daemon_goes_on_where_an_earlier_one_stopped() {
    let folder = folder();
    Publisher::new(folder.path()).publish(&both()).unwrap();
    let mut later = Publisher::new(folder.path());
    let published = BTreeMap::from([("alice".to_owned(), 5001), ("bob".to_owned(), 5002)]);
    assert_eq!(later.published().unwrap(), published);
    assert_eq!(later.publish(&both()).unwrap(), Outcome::default());
    let mut last = Publisher::new(folder.path());
    last.publish(&People::default()).unwrap();
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn what_a_crash_left_half_done_is_brought_in_step() {
    let folder = folder();
    let path = folder.path();
    Publisher::new(path).publish(&both()).unwrap();
    for lost in ["5001.user", "alice:dba.membership", "bob.user"] {
        fs::remove_file(path.join(lost)).unwrap();
    }
    fs::write(path.join(".elevate-unfinished"), "{\"userNa").unwrap();
    fs::write(
        path.join("staff.group"),
        "{\"service\":\"org.elevate\",\"gid\":0}",
    )
    .unwrap();
    let mut publisher = Publisher::new(path);
    let outcome = publisher.publish(&both()).unwrap();
    assert_eq!(
        outcome,
        Outcome {
            changed: 4,
            taken: Vec::new()
        }
    );
    assert_eq!(json(&path.join("staff.group"))["gid"], 6000);
    assert_eq!(json(&path.join("5002.user"))["userName"], "bob");
    assert!(!path.join(".elevate-unfinished").exists());
    publisher.publish(&People::default()).unwrap();
    assert_eq!(names(path), [""; 0]);
}

#[test]
fn files_of_others_are_neither_touched_nor_followed() {
    let folder = folder();
    let path = folder.path();
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), "keep").unwrap();
    let others = "{\"userName\":\"alice\",\"uid\":7000}";
    fs::write(path.join("alice.user"), others).unwrap();
    fs::write(path.join("zoe.user"), others).unwrap();
    fs::write(path.join("zoe:dba.membership"), "{}").unwrap();
    fs::write(path.join("broken.user"), "{").unwrap();
    symlink(outside.path(), path.join("dba.group")).unwrap();
    symlink(outside.path(), path.join(".elevate-unfinished")).unwrap();
    let mut publisher = Publisher::new(path);
    let outcome = publisher.publish(&both()).unwrap();
    assert_eq!(outcome.taken, ["alice.user", "dba.group"]);
    publisher.publish(&People::default()).unwrap();
    let left = [
        "alice.user",
        "broken.user",
        "dba.group",
        "zoe.user",
        "zoe:dba.membership",
    ];
    assert_eq!(names(path), left);
    assert_eq!(fs::read_to_string(path.join("alice.user")).unwrap(), others);
    assert_eq!(fs::read_to_string(outside.path()).unwrap(), "keep");
}

#[test]
fn a_folder_that_others_can_write_is_not_written() {
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Publisher::new(folder.path()).publish(&both()).is_err());
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("userdb");
    symlink(folder.path(), &link).unwrap();
    assert!(Publisher::new(&link).publish(&both()).is_err());
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_missing_folder_matters_where_there_is_somebody_to_publish() {
    let folder = folder();
    let mut publisher = Publisher::new(&folder.path().join("missing"));
    assert_eq!(publisher.published().unwrap(), BTreeMap::new());
    assert_eq!(
        publisher.publish(&People::default()).unwrap(),
        Outcome::default()
    );
    let error = publisher.publish(&both()).unwrap_err().to_string();
    assert!(error.contains("systemd-tmpfiles"), "{error}");
}

#[test]
fn a_thousand_memberships_are_a_file_each() {
    let folder = folder();
    let names: Vec<String> = (0..250).map(|n| format!("person{n}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut changes: Vec<Change> = (0..250)
        .map(|n| of_person(person(&names[n as usize], 10_000 + n)))
        .collect();
    changes.extend((0..4).map(|n| of_group(group(&format!("group{n}"), 7000 + n, &members))));
    let people = people(changes);
    let mut publisher = Publisher::new(folder.path());
    let outcome = publisher.publish(&people).unwrap();
    assert_eq!(outcome.changed, 250 * 2 + 1000 + 4 * 2);
    assert_eq!(publisher.publish(&people).unwrap(), Outcome::default());
}
