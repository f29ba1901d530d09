//! `/etc/elevate/directory.toml`.

mod written;

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::ldap::uri::Uri;
use crate::trusted;

/// What to follow, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Servers of the same entries; the first that can be reached is followed.
    pub servers: Vec<Uri>,
    /// Authorities to believe, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Who to log in as; nobody, where it is absent.
    pub bind_dn: Option<String>,
    /// Where the password is, where it is not the credential.
    pub bind_password_file: Option<PathBuf>,
    /// How long to wait for a connection, or an answer; 1 s to 60 s.
    pub timeout: Duration,
    /// How often to read everything where a server can't tell changes; 5 s to 24 h.
    pub poll: Duration,
    /// Where people are.
    pub people: Place,
    /// Where groups are.
    pub groups: Place,
    /// Further attributes of people to hand on, in lower case.
    pub attributes: Vec<String>,
    /// How the attributes of a person are named.
    pub person: PersonNames,
    /// How the attributes of a group are named.
    pub group: GroupNames,
}

/// Where entries of one kind are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// They are at this DN or below it.
    pub base: String,
    /// They fit this filter (RFC 4515).
    pub filter: String,
}

/// Names of attributes, as RFC 2307 has them unless the file says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonNames {
    /// The login name.
    pub name: String,
    /// The uid.
    pub uid: String,
    /// The gid of the primary group.
    pub gid: String,
    /// For people; the first that has a value.
    pub full_name: Vec<String>,
    /// The home folder.
    pub home: String,
    /// The login shell.
    pub shell: String,
    /// ssh keys.
    pub ssh_keys: String,
    /// The day on which the account ends, counted from 1970 (shadow(5)).
    pub expires: String,
}

/// Names of attributes, as RFC 2307 and RFC 2307bis have them unless the file says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupNames {
    /// The name.
    pub name: String,
    /// The gid.
    pub gid: String,
    /// Members by their login names.
    pub members: Vec<String>,
    /// Members by their DNs.
    pub member_dns: Vec<String>,
}

/// Where an account is locked: any value of this attribute (draft-behera-ldap-password-policy).
pub const LOCKED: &str = "pwdAccountLockedTime";
/// Where an account is locked: any value of this attribute but `false` (389 Directory Server).
pub const DISABLED: &str = "nsAccountLock";

/// The settings in `path`.
///
/// # Errors
/// Why they can't be believed: file, line, column and what is wrong.
pub fn load(path: &Path) -> Result<Settings, String> {
    let text = trusted::read(path).map_err(|error| error.to_string())?;
    parse(&path.display().to_string(), &text)
}

/// The settings that `text` says; `name` is the file's name for messages.
///
/// # Errors
/// Where and what is wrong.
pub fn parse(name: &str, text: &str) -> Result<Settings, String> {
    written::parse(name, text)
}

impl Settings {
    /// Where the records come from, in one line: with other settings, what is stored from before
    /// counts for nothing and everything is read again.
    pub fn source(&self) -> String {
        // A record is made in another way when this number changes.
        const MAPPING: u32 = 1;
        let servers: Vec<String> = self.servers.iter().map(Uri::to_string).collect();
        let rest = format!(
            "{MAPPING}\n{}\n{}\n{}\n{}",
            self.people.filter,
            self.groups.filter,
            self.attributes.join(","),
            self.names()
        );
        let digest: String = Sha256::digest(rest)
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (people, groups) = (&self.people.base, &self.groups.base);
        let servers = servers.join(", ");
        format!("{servers} (people in {people}, groups in {groups}, settings {digest})")
    }

    fn names(&self) -> String {
        let person = &self.person;
        let group = &self.group;
        [
            &person.name,
            &person.uid,
            &person.gid,
            &person.full_name.join(","),
            &person.home,
            &person.shell,
            &person.ssh_keys,
            &person.expires,
            &group.name,
            &group.gid,
            &group.members.join(","),
            &group.member_dns.join(","),
        ]
        .map(String::as_str)
        .join(";")
    }

    /// The attributes to ask for of people.
    pub fn person_attributes(&self) -> Vec<String> {
        let person = &self.person;
        let mut names: Vec<String> = [
            &person.name,
            &person.uid,
            &person.gid,
            &person.home,
            &person.shell,
            &person.ssh_keys,
            &person.expires,
        ]
        .into_iter()
        .chain(&person.full_name)
        .chain(&self.attributes)
        .cloned()
        .collect();
        names.extend([LOCKED, DISABLED].map(str::to_owned));
        once_each(names)
    }

    /// The attributes to ask for of groups.
    pub fn group_attributes(&self) -> Vec<String> {
        let group = &self.group;
        let names = [&group.name, &group.gid].into_iter();
        once_each(
            names
                .chain(&group.members)
                .chain(&group.member_dns)
                .cloned()
                .collect(),
        )
    }
}

/// RFC 4511 section 4.5.1.8: a name must not be asked for twice.
fn once_each(mut names: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.to_ascii_lowercase()));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "
        uri = \"ldap://localhost\"
        people.base = \"ou=people,dc=example,dc=org\"
        groups.base = \"ou=groups,dc=example,dc=org\"
    ";

    #[test]
    fn what_is_left_out_is_as_in_rfc_2307() {
        let settings = parse("f", LEAST).unwrap();
        assert_eq!(settings.people.filter, "(objectClass=posixAccount)");
        assert_eq!(settings.person.uid, "uidNumber");
        assert_eq!(settings.group.member_dns, ["member", "uniqueMember"]);
        assert_eq!(settings.timeout, Duration::from_secs(5));
        assert!(settings.person_attributes().contains(&"cn".to_owned()));
        assert_eq!(
            settings.group_attributes(),
            ["cn", "gidNumber", "memberUid", "member", "uniqueMember"]
        );
    }

    #[test]
    fn the_shipped_file_lacks_nothing_but_what_only_the_admin_knows() {
        let shipped = include_str!("../../../packaging/config/directory.toml");
        let missing = parse("directory.toml", shipped).unwrap_err();
        assert!(missing.contains("`uri`"), "{missing}");
        let spoken: String = shipped
            .lines()
            .map(|line| match line.contains(" = ") {
                true => line.trim_start_matches('#'),
                false => line,
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let spoken = parse("directory.toml", &spoken).unwrap();
        let least = parse("f", LEAST).unwrap();
        assert_eq!(spoken.person, least.person);
        assert_eq!(spoken.group, least.group);
        assert_eq!(spoken.people.filter, least.people.filter);
        assert_eq!(spoken.groups.filter, least.groups.filter);
        assert_eq!((spoken.timeout, spoken.poll), (least.timeout, least.poll));
    }

    #[test]
    fn a_wrong_word_is_named_with_its_line_and_the_likely_right_one() {
        let error = parse("d.toml", &format!("\ncafile = \"/x\"\n{LEAST}")).unwrap_err();
        assert!(error.starts_with("d.toml:2:1: unknown field"), "{error}");
        assert!(error.ends_with("(did you mean `ca_file`?)"), "{error}");
    }

    #[test]
    fn each_wrong_value_is_named_with_its_place() {
        for (wrong, said) in [
            ("timeout = \"61s\"", "no duration"),
            ("poll = \"1s\"", "no duration"),
            ("people.filter = \"objectClass=x\"", "filter"),
            ("ca_file = \"ca.pem\"", "absolute"),
            ("attributes = [\"userPassword\"]", "secret"),
            ("attributes = [\"a b\"]", "attribute"),
            ("bind_dn = \"elevate\"", "bind_dn"),
            ("bind_password_file = \"/x\"", "bind_dn"),
            ("person.uid = \"uid Number\"", "attribute"),
        ] {
            let error = parse("f", &format!("{wrong}\n{LEAST}")).unwrap_err();
            assert!(error.starts_with("f:1:"), "{wrong}: {error}");
            assert!(error.contains(said), "{wrong}: {error}");
        }
        for wrong in ["uri = []", "uri = \"localhost\"", "uri = [\"ldap://a\", 1]"] {
            let text = LEAST.replace("uri = \"ldap://localhost\"", wrong);
            assert!(
                parse("f", &text).unwrap_err().starts_with("f:2:"),
                "{wrong}"
            );
        }
        let text = LEAST.replace("dc=example", "dc example");
        assert!(parse("f", &text).unwrap_err().contains("DN"));
    }

    #[test]
    fn more_than_elevated_would_take_is_refused() {
        let text = LEAST.replace("ou=people", &format!("ou={}", "x".repeat(20_000)));
        let error = parse("f", &text).unwrap_err();
        assert!(error.contains("longer"), "{error}");
    }

    #[test]
    fn another_filter_is_another_source() {
        let one = parse("f", LEAST).unwrap();
        let other = parse("f", &format!("people.filter = \"(a=b)\"\n{LEAST}")).unwrap();
        let third = parse("f", &format!("person.name = \"cn\"\n{LEAST}")).unwrap();
        assert_ne!(one.source(), other.source());
        assert_ne!(one.source(), third.source());
    }
}
