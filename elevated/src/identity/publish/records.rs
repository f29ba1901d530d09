//! Which files say who counts here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::File;
use crate::identity::People;
use crate::identity::directory::{Group, Person};

/// Who made a record; nobody else's is touched.
pub(super) const SERVICE: &str = "org.elevate";
pub(super) const USER: &str = ".user";
pub(super) const USER_PRIVILEGED: &str = ".user-privileged";
pub(super) const GROUP: &str = ".group";
pub(super) const MEMBERSHIP: &str = ".membership";

/// The files that publish these people, by name. Groups without anybody who counts here are not
/// published: each costs everybody's lookups time.
pub fn wanted(people: &People) -> BTreeMap<String, File> {
    let mut files = BTreeMap::new();
    let mut groups = BTreeSet::new();
    for entry in people.iter() {
        let person = &entry.person;
        add_person(person, &mut files);
        for group in people.groups_of(entry) {
            if groups.insert(&group.name) {
                add_group(group, &mut files);
            }
            if group.gid != person.gid {
                let name = format!("{}:{}{MEMBERSHIP}", person.name(), group.name);
                // Not an empty file: those are taken for masked ones.
                files.insert(name, File::Public("{}".into()));
            }
        }
    }
    files
}

/// Whether a file is the one that says whose it and its companions are.
pub(super) fn is_main(name: &str) -> bool {
    let bare = name.strip_suffix(USER).or_else(|| name.strip_suffix(GROUP));
    bare.is_some_and(|bare| !is_number(bare))
}

/// No name of ours is one.
pub(super) fn is_number(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_digit())
}

fn add_person(person: &Person, files: &mut BTreeMap<String, File>) {
    let (name, uid) = (person.name(), person.uid);
    let mut record = json!({
        "userName": name,
        "uid": uid,
        "gid": person.gid,
        "homeDirectory": person.home(),
        "shell": person.shell(),
        "disposition": "regular",
        "service": SERVICE,
    });
    if !person.full_name().is_empty() {
        record["realName"] = person.full_name().into();
    }
    let main = format!("{name}{USER}");
    files.insert(format!("{uid}{USER}"), File::Link(main.clone()));
    files.insert(main, File::Public(record.to_string()));
    let keys: Vec<&str> = person.ssh_keys().collect();
    if !keys.is_empty() {
        let record = json!({ "privileged": { "sshAuthorizedKeys": keys } });
        let private = format!("{name}{USER_PRIVILEGED}");
        files.insert(
            format!("{uid}{USER_PRIVILEGED}"),
            File::Link(private.clone()),
        );
        files.insert(private, File::Private(record.to_string()));
    }
}

fn add_group(group: &Group, files: &mut BTreeMap<String, File>) {
    let record = json!({
        "groupName": group.name,
        "gid": group.gid,
        "disposition": "regular",
        "service": SERVICE,
    });
    let main = format!("{}{GROUP}", group.name);
    files.insert(format!("{}{GROUP}", group.gid), File::Link(main.clone()));
    files.insert(main, File::Public(record.to_string()));
}
