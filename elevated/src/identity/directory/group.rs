//! A group's record, checked.

use elevate_protocol::directory;

use super::names;
use crate::identity::ids::Ids;

/// A group whose record is sound in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub(crate) name: Box<str>,
    pub(crate) gid: u32,
    /// Login names, a line for each, sorted. Only people of the directory belong to its groups.
    members: Box<str>,
}

impl Group {
    /// A group of one's own, without listed members.
    pub(crate) fn private(name: &str, gid: u32) -> Self {
        Group {
            name: name.into(),
            gid,
            members: Box::default(),
        }
    }

    /// Login names, sorted, each once.
    pub(crate) fn members(&self) -> impl Iterator<Item = &str> {
        self.members.lines()
    }
}

/// The group that `record` describes; else why it is not believed.
pub(super) fn check(record: &directory::Group, ids: &Ids) -> Result<Group, String> {
    names::check_group(&record.name)?;
    let gid = ids.check("gid", record.gid)?;
    // A name that no person can have is nobody's.
    let members = record.members.iter().map(String::as_str);
    let mut members: Vec<&str> = members.filter(|name| names::check(name).is_ok()).collect();
    members.sort_unstable();
    members.dedup();
    Ok(Group {
        name: record.name.as_str().into(),
        gid,
        members: members.join("\n").into_boxed_str(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::directory::samples;

    #[test]
    fn members_are_names_each_once() {
        let members = ["bob", "alice", "bob", "root", "a\nb", "%wheel"];
        let record = samples::group("dba", 6001, &members);
        let group = check(&record, &Ids::default()).unwrap();
        assert_eq!(group.members().collect::<Vec<_>>(), ["alice", "bob"]);
    }

    #[test]
    fn groups_of_the_system_are_refused() {
        for (name, gid) in [("dba", 0), ("dba", 27), ("root", 6001), ("../dba", 6001)] {
            let record = samples::group(name, gid, &[]);
            assert!(check(&record, &Ids::default()).is_err(), "{name} {gid}");
        }
    }
}
