//! A person's record, checked.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

use elevate_protocol::limits::{ATTRIBUTE_BYTES, ATTRIBUTES, PATH_BYTES};
use elevate_protocol::{directory, escape};

use super::{keys, names};
use crate::identity::ids::Ids;

/// Longest full name, in bytes.
const FULL_NAME_BYTES: usize = 256;
/// Longest name of an attribute, in bytes.
const ATTRIBUTE_NAME_BYTES: usize = 64;
/// Folders in which nobody of a directory lives: sshd and shells read files of a home, and in these
/// they would be root's.
const NO_HOMES: [&str; 14] = [
    "/root", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/boot", "/dev", "/proc",
    "/sys", "/run", "/tmp",
];

/// A person whose record is sound in itself. There may be a hundred thousand: all text is in one
/// allocation, its parts parted by NUL, which no part may hold.
#[derive(Debug)]
pub struct Person {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) active: bool,
    /// In seconds since 1970.
    pub(crate) expires: Option<i64>,
    text: Box<str>,
    verdict: Verdict,
}

/// What a policy last said of somebody. It is kept with them, as a table beside a hundred thousand
/// would be longer than they are; two people are the same whatever it says.
#[derive(Debug, Default)]
struct Verdict(AtomicU32);

impl PartialEq for Person {
    fn eq(&self, other: &Self) -> bool {
        let facts = |one: &Self| (one.uid, one.gid, one.active, one.expires);
        facts(self) == facts(other) && self.text == other.text
    }
}

impl Eq for Person {}

impl Person {
    /// Whether they are admitted, by a verdict of this `epoch`, if there is one.
    pub(crate) fn verdict_of(&self, epoch: u32) -> Option<bool> {
        let kept = self.verdict.0.load(Ordering::Relaxed);
        (kept >> 1 == epoch).then_some(kept & 1 == 1)
    }

    /// Keep a verdict.
    pub(crate) fn set_verdict(&self, epoch: u32, admitted: bool) {
        let kept = epoch << 1 | u32::from(admitted);
        self.verdict.0.store(kept, Ordering::Relaxed);
    }

    /// The login name.
    pub(crate) fn name(&self) -> &str {
        self.part(0)
    }

    /// For people; empty without one.
    pub(crate) fn full_name(&self) -> &str {
        self.part(1)
    }

    pub(crate) fn home(&self) -> Cow<'_, str> {
        match self.part(2) {
            "" => format!("/home/{}", self.name()).into(),
            home => home.into(),
        }
    }

    pub(crate) fn shell(&self) -> &str {
        self.part(3)
    }

    /// Lines for `authorized_keys`.
    pub(crate) fn ssh_keys(&self) -> impl Iterator<Item = &str> {
        self.part(4).lines()
    }

    /// Whether the attribute called `name` has `value` among its values.
    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        let mut pairs = self.part(5).lines().filter_map(|line| line.split_once('='));
        pairs.any(|pair| pair == (name, value))
    }

    /// Whether the directory lets them in, at `wall` milliseconds since 1970.
    pub(crate) fn counts_at(&self, wall: u64) -> bool {
        self.active && self.expires_at().is_none_or(|end| wall < end)
    }

    /// The end, in milliseconds since 1970.
    pub(crate) fn expires_at(&self) -> Option<u64> {
        let seconds = self.expires?;
        Some(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000))
    }

    fn part(&self, index: usize) -> &str {
        self.text.split('\0').nth(index).unwrap_or_default()
    }
}

/// The person that `record` describes, and what of it is left out; else why it is not believed.
pub(super) fn check(
    record: &directory::Person,
    ids: &Ids,
    default_shell: &str,
) -> Result<(Person, Vec<String>), String> {
    names::check(&record.name)?;
    let uid = ids.check("uid", record.uid)?;
    let gid = ids.check("gid", record.gid)?;
    // The usual one is not kept for each.
    let home = record.home.as_deref();
    home.map_or(Ok(()), check_home)?;
    let unusual = |home: &&str| home.strip_prefix("/home/") != Some(&record.name);
    let home = home.filter(unusual).unwrap_or_default();
    let shell = record.shell.as_deref().unwrap_or(default_shell);
    check_path(shell).map_err(|why| format!("its shell {why}"))?;
    let full_name = full_name(record.full_name.as_deref().unwrap_or_default());
    let (keys, left_out) = keys::check(&record.ssh_keys)?;
    let attributes = attributes(record)?;
    let keys = keys.join("\n");
    let text = [&record.name, &full_name, home, shell, &keys, &attributes].join("\0");
    let person = Person {
        uid,
        gid,
        active: record.active,
        expires: record.expires,
        text: text.into_boxed_str(),
        verdict: Verdict::default(),
    };
    Ok((person, left_out))
}

fn check_home(home: &str) -> Result<(), String> {
    check_path(home).map_err(|why| format!("its home {why}"))?;
    let within = |folder: &&&str| {
        let rest = home.strip_prefix(**folder);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match NO_HOMES.iter().find(within) {
        Some(folder) => Err(format!("its home lies in {folder}, where nobody lives")),
        None => Ok(()),
    }
}

/// A path as passwd(5) and systemd take one: absolute, and each part of it a name.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    let Some(parts) = path.strip_prefix('/') else {
        return Err("is no absolute path".into());
    };
    if path.len() > PATH_BYTES {
        return Err(format!("is longer than {PATH_BYTES} bytes"));
    }
    if path.contains(':') || path != escape::line(path.as_bytes()) {
        return Err("holds a colon, a backslash or what shows as no character".into());
    }
    if parts.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("is no plain path to something".into());
    }
    Ok(())
}

/// What of a full name a line of passwd(5) and a terminal can bear.
fn full_name(text: &str) -> String {
    let shows = |c: &char| escape::line(c.to_string().as_bytes()).starts_with(*c);
    let mut name = String::new();
    for c in text.chars().map(|c| if c == ':' { ' ' } else { c }) {
        if c != '\\' && shows(&c) && name.len() + c.len_utf8() <= FULL_NAME_BYTES {
            name.push(c);
        }
    }
    name.trim().to_owned()
}

fn attributes(record: &directory::Person) -> Result<String, String> {
    if record.attributes.len() > ATTRIBUTES {
        return Err(format!("it has more than {ATTRIBUTES} attributes"));
    }
    let mut lines = Vec::new();
    for (name, values) in &record.attributes {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= ATTRIBUTE_NAME_BYTES
            && name.bytes().all(plain);
        if !sound {
            let name = escape::line(name.as_bytes());
            return Err(format!("`{name}` is no name of an attribute"));
        }
        if values.len() > ATTRIBUTES {
            return Err(format!("its {name} has more than {ATTRIBUTES} values"));
        }
        for value in values {
            if value.len() > ATTRIBUTE_BYTES {
                return Err(format!("its {name} is longer than {ATTRIBUTE_BYTES} bytes"));
            }
            // A value that were left out could be the one that a deny asks for.
            if value.chars().any(char::is_control) {
                return Err(format!("its {name} is not one line of text"));
            }
            lines.push(format!("{name}={value}"));
        }
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::directory::samples;
    use proptest::prelude::*;

    fn checked(change: impl FnOnce(&mut directory::Person)) -> Result<Person, String> {
        let mut record = samples::person("alice", 5001);
        change(&mut record);
        check(&record, &Ids::default(), "/bin/bash").map(|(person, _)| person)
    }

    #[test]
    fn a_sound_record_keeps_what_it_says() {
        let record = |record: &mut directory::Person| {
            record.full_name = Some("Alice: Archer\n\u{202e}".into());
            record.attributes = [("department".into(), vec!["dba".into(), "a=b".into()])].into();
            record.shell = Some("/bin/zsh".into());
            record.expires = Some(10);
        };
        let alice = checked(record).unwrap();
        assert_eq!((alice.name(), alice.uid, alice.gid), ("alice", 5001, 6000));
        assert_eq!(alice.full_name(), "Alice  Archer");
        assert_eq!((&*alice.home(), alice.shell()), ("/home/alice", "/bin/zsh"));
        assert!(alice.has("department", "dba") && alice.has("department", "a=b"));
        assert!(!alice.has("department", "db") && !alice.has("department=a", "b"));
        assert!(alice.counts_at(9_999) && !alice.counts_at(10_000));
        let long = checked(|record| record.full_name = Some("é".repeat(1000))).unwrap();
        assert_eq!(long.full_name(), "é".repeat(FULL_NAME_BYTES / 2));
    }

    #[test]
    fn what_claims_to_be_of_the_system_is_refused() {
        let hostile: [fn(&mut directory::Person); 6] = [
            |r| r.name = "root".into(),
            |r| r.uid = 0,
            |r| r.uid = 33,
            |r| r.gid = 0,
            |r| r.uid = -1,
            |r| r.uid = 4_294_967_295,
        ];
        for change in hostile {
            assert!(checked(change).is_err());
        }
    }

    #[test]
    fn a_home_or_shell_that_leads_elsewhere_is_refused() {
        let homes = [
            "",
            "home/alice",
            "/",
            "/root",
            "/root/x",
            "/etc/cron.d",
            "/home/../root",
            "/home/./a",
            "/home//a",
            "/home/a/",
            "/home/a:/bin/sh",
            "/home/a\n",
            "/home/\u{202e}a",
            "/run",
        ];
        for home in homes {
            let refused = checked(|record| record.home = Some(home.into()));
            assert!(refused.is_err(), "{home:?}");
        }
        for shell in ["bash", "/bin/../x", "/bin/sh:", "/bin/sh\0"] {
            assert!(checked(|record| record.shell = Some(shell.into())).is_err());
        }
        assert!(checked(|record| record.home = Some("/rooted/alice".into())).is_ok());
    }

    #[test]
    fn attributes_that_no_role_could_name_refuse_the_record() {
        let with = |name: &str, value: &str| {
            let pair = (name.to_owned(), vec![value.to_owned()]);
            checked(|record| record.attributes = [pair].into())
        };
        assert!(with("department", "Öffentlichkeit & Co").is_ok());
        for (name, value) in [
            ("Department", "x"),
            ("", "x"),
            ("a b", "x"),
            ("1a", "x"),
            ("department", "a\nmay=administer"),
            ("department", "a\0"),
            ("department", &"x".repeat(ATTRIBUTE_BYTES + 1)),
        ] {
            assert!(with(name, value).is_err(), "{name} {value}");
        }
    }

    proptest! {
        #[test]
        fn no_field_spills_into_another(
            full_name in "\\PC{0,20}|[\\x00-\\x7f]{0,20}",
            home in "/[\\x00-\\x7f]{0,20}",
            value in "[\\x00-\\x7f]{0,20}",
        ) {
            let person = checked(|record| {
                record.full_name = Some(full_name.clone());
                record.home = Some(home.clone());
                record.attributes = [("a".to_owned(), vec![value.clone()])].into();
            });
            if let Ok(person) = person {
                prop_assert_eq!(person.home(), home);
                prop_assert!(person.has("a", &value));
                prop_assert!(!person.full_name().contains([':', '\n', '\0']));
            }
        }
    }
}
