//! From an entry of the server to a record for `elevated`. What is wrong in it is handed on as far
//! as it can be: `elevated` refuses and lists it. What can't be decided counts against the person.

use std::collections::BTreeMap;

use elevate_protocol::directory::{Change, Group, Person};
use elevate_protocol::limits;

use crate::dn::{self, Dn};
use crate::ldap::reply::Entry;
use crate::settings::{DISABLED, LOCKED, Settings};

/// No uid and no gid: what is written is not one number.
const NO_NUMBER: i64 = -1;

/// A group whose members are partly known by their DNs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawGroup {
    /// The group, with the members that are known by name.
    pub group: Group,
    /// The others.
    pub dns: Vec<Dn>,
}

/// The person that an entry is; `None` without a name, as `elevated` could not even list them.
pub fn person(id: String, entry: &Entry<'_>, settings: &Settings) -> Option<Person> {
    let names = &settings.person;
    let name = name(entry, &names.name)?;
    let mut active = !locked(entry);
    let mut single = |attribute: &str| match filled(entry, attribute).collect::<Vec<_>>()[..] {
        [] => None,
        [value] => Some(cut(value, limits::PATH_BYTES)),
        // Which of them counts can't be known, so nothing of this entry does.
        _ => {
            active = false;
            None
        }
    };
    let (home, shell) = (single(&names.home), single(&names.shell));
    let expires = match single(&names.expires).as_deref().map(end_of_account) {
        None => None,
        Some(Ok(end)) => end,
        Some(Err(())) => {
            active = false;
            None
        }
    };
    Some(Person {
        id,
        name,
        uid: number(entry, &names.uid),
        gid: number(entry, &names.gid),
        full_name: names
            .full_name
            .iter()
            .find_map(|attribute| filled(entry, attribute).next())
            .map(|value| cut(value, limits::NAME_BYTES)),
        home,
        shell,
        ssh_keys: ssh_keys(entry, &names.ssh_keys),
        active,
        expires,
        attributes: attributes(entry, &settings.attributes),
    })
}

/// The group that an entry is; `None` without a name.
pub fn group(id: String, entry: &Entry<'_>, settings: &Settings) -> Option<RawGroup> {
    let names = &settings.group;
    let members = names.members.iter().flat_map(|name| entry.values(name));
    let dns = names.member_dns.iter().flat_map(|name| entry.values(name));
    Some(RawGroup {
        group: Group {
            id,
            name: name(entry, &names.name)?,
            gid: number(entry, &names.gid),
            members: members
                // What is longer, or no text, is nobody's name.
                .filter(|value| (1..=limits::NAME_BYTES).contains(&value.len()))
                .filter_map(|value| std::str::from_utf8(value).ok())
                .map(str::to_owned)
                .collect(),
        },
        dns: dns.filter_map(|value| Dn::parse(value)).collect(),
    })
}

/// What is left of a record that is too large to be handed on: a person that may nothing, a group
/// without members.
pub fn reduced(change: Change) -> Change {
    Change {
        person: change.person.map(|person| Person {
            full_name: None,
            home: None,
            shell: None,
            ssh_keys: Vec::new(),
            active: false,
            attributes: BTreeMap::new(),
            ..person
        }),
        group: change.group.map(|group| Group {
            members: Vec::new(),
            ..group
        }),
        gone: change.gone,
    }
}

/// The values of an attribute that are not empty.
fn filled<'a>(entry: &'a Entry<'_>, attribute: &str) -> impl Iterator<Item = &'a [u8]> {
    entry
        .values(attribute)
        .iter()
        .copied()
        .filter(|value| !value.is_empty())
}

/// As text. Of what is longer than `most` bytes one byte more is kept, so that its length can be
/// seen; other bytes than UTF-8 become U+FFFD, which no name may hold.
fn cut(value: &[u8], most: usize) -> String {
    String::from_utf8_lossy(&value[..value.len().min(most + 1)]).into_owned()
}

/// The name: the only one, or that of several which the entry is called by (RFC 4519 allows any
/// number). Otherwise all of them together, which is no valid name and says what is wrong.
fn name(entry: &Entry<'_>, attribute: &str) -> Option<String> {
    let values: Vec<String> = filled(entry, attribute)
        .take(8)
        .map(|value| cut(value, limits::NAME_BYTES))
        .collect();
    match &values[..] {
        [] => None,
        [value] => Some(value.clone()),
        _ => {
            let called = dn::named_by(entry.dn, attribute);
            called
                .filter(|called| values.contains(called))
                .or(Some(values.join(", ")))
        }
    }
}

/// The only value, if it is a number that isn't negative (RFC 2307 section 2.2).
fn number(entry: &Entry<'_>, attribute: &str) -> i64 {
    let mut values = filled(entry, attribute);
    let (Some(value), None) = (values.next(), values.next()) else {
        return NO_NUMBER;
    };
    digits(value).unwrap_or(NO_NUMBER)
}

fn digits(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

/// Whether the server says that nobody may log in with it.
fn locked(entry: &Entry<'_>) -> bool {
    let disabled = |value: &[u8]| !value.eq_ignore_ascii_case(b"false");
    !entry.values(LOCKED).is_empty() || entry.values(DISABLED).iter().any(|value| disabled(value))
}

/// When an account ends, in seconds since 1970, from the day (shadow(5)); −1 is never. A day 0 is
/// "not to be used" there and over for us.
fn end_of_account(day: &str) -> Result<Option<i64>, ()> {
    const DAY: i64 = 24 * 60 * 60;
    if day == "-1" {
        return Ok(None);
    }
    let day = digits(day.as_bytes()).ok_or(())?;
    Ok(Some(day.saturating_mul(DAY)))
}

/// One key to a line, however many lines a value has. One key more than the most is kept, so that
/// their number can be seen.
fn ssh_keys(entry: &Entry<'_>, attribute: &str) -> Vec<String> {
    filled(entry, attribute)
        .flat_map(|value| value.split(|byte| *byte == b'\n' || *byte == b'\r'))
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .take(limits::SSH_KEYS + 1)
        .map(|line| cut(line, limits::SSH_KEY_BYTES))
        .collect()
}

fn attributes(entry: &Entry<'_>, names: &[String]) -> BTreeMap<String, Vec<String>> {
    let values = |name: &String| -> Vec<String> {
        filled(entry, name)
            // No role can name what is no text.
            .filter(|value| std::str::from_utf8(value).is_ok())
            .take(limits::ATTRIBUTES + 1)
            .map(|value| cut(value, limits::ATTRIBUTE_BYTES))
            .collect()
    };
    names
        .iter()
        .map(|name| (name.clone(), values(name)))
        .filter(|(_, values)| !values.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::parse;
    use proptest::prelude::*;

    fn settings() -> Settings {
        parse(
            "f",
            "uri = \"ldap://localhost\"\nattributes = [\"Department\"]\n\
             people.base = \"o=x\"\ngroups.base = \"o=x\"",
        )
        .unwrap()
    }

    fn entry<'a>(attributes: &[(&'a str, &'a [u8])]) -> Entry<'a> {
        let mut entry = Entry {
            dn: b"uid=alice,o=x",
            attributes: Vec::new(),
        };
        for (name, value) in attributes {
            let name = name.as_bytes();
            match entry
                .attributes
                .iter_mut()
                .find(|(found, _)| *found == name)
            {
                Some((_, values)) => values.push(value),
                None => entry.attributes.push((name, vec![value])),
            }
        }
        entry
    }

    const ALICE: [(&str, &[u8]); 8] = [
        ("uid", b"alice"),
        ("uidNumber", b"5001"),
        ("gidNumber", b"6000"),
        ("cn", "Alice Ärcher".as_bytes()),
        ("homeDirectory", b"/home/alice"),
        ("loginShell", b"/bin/bash"),
        ("sshPublicKey", b"ssh-ed25519 AAAA a\nssh-ed25519 BBBB b\n"),
        ("department", b"dba"),
    ];

    fn alice(also: &[(&'static str, &'static [u8])]) -> Person {
        let all: Vec<_> = ALICE.iter().chain(also).copied().collect();
        person("1".into(), &entry(&all), &settings()).unwrap()
    }

    #[test]
    fn an_entry_becomes_a_person() {
        let expected = Person {
            id: "1".into(),
            name: "alice".into(),
            uid: 5001,
            gid: 6000,
            full_name: Some("Alice Ärcher".into()),
            home: Some("/home/alice".into()),
            shell: Some("/bin/bash".into()),
            ssh_keys: vec!["ssh-ed25519 AAAA a".into(), "ssh-ed25519 BBBB b".into()],
            active: true,
            expires: None,
            attributes: [("department".into(), vec!["dba".into()])].into(),
        };
        assert_eq!(alice(&[]), expected);
    }

    #[test]
    fn an_account_that_is_locked_is_not_active() {
        assert!(!alice(&[("pwdAccountLockedTime", b"000001010000Z")]).active);
        assert!(!alice(&[("nsAccountLock", b"TRUE")]).active);
        assert!(!alice(&[("nsaccountlock", b"maybe")]).active);
        assert!(alice(&[("nsAccountLock", b"false")]).active);
    }

    #[test]
    fn an_account_ends_on_its_day_and_where_that_is_none_at_once() {
        assert_eq!(alice(&[("shadowExpire", b"1")]).expires, Some(86_400));
        assert_eq!(alice(&[("shadowExpire", b"0")]).expires, Some(0));
        assert_eq!(alice(&[("shadowExpire", b"-1")]).expires, None);
        let far = alice(&[("shadowExpire", b"9223372036854775807")]);
        assert_eq!((far.expires, far.active), (Some(i64::MAX), true));
        for odd in [&b"soon"[..], b"-2", b"99999999999999999999", b"\xff"] {
            assert!(!alice(&[("shadowExpire", odd)]).active, "{odd:?}");
        }
        assert!(!alice(&[("shadowExpire", b"1"), ("shadowExpire", b"40000")]).active);
    }

    #[test]
    fn numbers_that_are_none_are_refused_later_by_being_negative() {
        for odd in [&b"x"[..], b"-5", b"+5", b"0x5", b"", b"5 ", b"\xd9\xa5"] {
            let found = number(&entry(&[("uidNumber", odd)]), "uidNumber");
            assert_eq!(found, NO_NUMBER, "{odd:?}");
        }
        let twice = entry(&[("uidNumber", b"5"), ("uidNumber", b"6")]);
        assert_eq!(number(&twice, "uidNumber"), NO_NUMBER);
        assert_eq!(alice(&[("uidNumber", b"0")]).uid, NO_NUMBER);
    }

    #[test]
    fn of_two_names_the_one_that_the_entry_is_called_by_counts() {
        let two = entry(&[("uid", b"root"), ("uid", b"alice")]);
        assert_eq!(name(&two, "uid").as_deref(), Some("alice"));
        let neither = entry(&[("uid", b"root"), ("uid", b"bob")]);
        assert_eq!(name(&neither, "uid").as_deref(), Some("root, bob"));
        assert_eq!(name(&entry(&[("uid", b"")]), "uid"), None);
    }

    #[test]
    fn what_is_too_long_stays_recognisable_as_such() {
        let long = vec![b'a'; 5000];
        let found = name(&entry(&[("uid", &long)]), "uid").unwrap();
        assert_eq!(found.len(), limits::NAME_BYTES + 1);
        let wide = "é".repeat(3000);
        let found = cut(wide.as_bytes(), limits::NAME_BYTES);
        assert!(found.len() > limits::NAME_BYTES);
    }

    #[test]
    fn a_group_has_members_by_name_and_by_dn() {
        let entry = entry(&[
            ("cn", b"dba"),
            ("gidNumber", b"6002"),
            ("memberUid", b"bob"),
            ("memberUid", b"\xff"),
            ("member", b"UID=Alice,O=x"),
            ("uniqueMember", b"not a name"),
        ]);
        let found = group("2".into(), &entry, &settings()).unwrap();
        assert_eq!((found.group.name.as_str(), found.group.gid), ("dba", 6002));
        assert_eq!(found.group.members, ["bob"]);
        assert_eq!(found.dns, [Dn::parse(b"uid=alice,o=x").unwrap()]);
    }

    proptest! {
        #[test]
        fn hostile_values_make_a_record_or_none_and_no_more(
            values in prop::collection::vec(
                (
                    prop::sample::select(vec![
                        "uid", "uidNumber", "gidNumber", "cn", "gecos", "homeDirectory",
                        "loginShell", "sshPublicKey", "shadowExpire", "nsAccountLock",
                        "department", "memberUid", "member",
                    ]),
                    prop::collection::vec(any::<u8>(), 0..200),
                ),
                0..40,
            ),
            dn: Vec<u8>,
        ) {
            let values: Vec<_> = values.iter().map(|(name, v)| (*name, v.as_slice())).collect();
            let mut entry = entry(&values);
            entry.dn = &dn;
            let settings = settings();
            if let Some(person) = person("1".into(), &entry, &settings) {
                prop_assert!(!person.name.is_empty());
                prop_assert!(person.ssh_keys.iter().all(|key| !key.contains('\n')));
                prop_assert!(person.uid >= -1 && person.gid >= -1);
            }
            let _ = group("1".into(), &entry, &settings);
        }
    }
}
