//! The settings as they are written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use elevate_protocol::limits::DIRECTORY_CURSOR_BYTES;
use serde::Deserialize;
use toml::Spanned;

use super::{GroupNames, PersonNames, Place, Settings};
use crate::dn::Dn;
use crate::ldap::filter;
use crate::ldap::uri::Uri;

type Text = Option<Spanned<String>>;
type Texts = Option<Vec<Spanned<String>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    uri: Option<Spanned<OneOrMore>>,
    ca_file: Text,
    bind_dn: Text,
    bind_password_file: Text,
    timeout: Text,
    poll: Text,
    people: Option<WrittenPlace>,
    groups: Option<WrittenPlace>,
    attributes: Texts,
    #[serde(default)]
    person: WrittenPerson,
    #[serde(default)]
    group: WrittenGroup,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPlace {
    base: Text,
    filter: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenPerson {
    name: Text,
    uid: Text,
    gid: Text,
    full_name: Texts,
    home: Text,
    shell: Text,
    ssh_keys: Text,
    expires: Text,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenGroup {
    name: Text,
    gid: Text,
    members: Texts,
    member_dns: Texts,
}

/// For suggestions.
const KEYS: [&str; 23] = [
    "uri",
    "ca_file",
    "bind_dn",
    "bind_password_file",
    "timeout",
    "poll",
    "people",
    "groups",
    "attributes",
    "person",
    "group",
    "base",
    "filter",
    "name",
    "uid",
    "gid",
    "full_name",
    "home",
    "shell",
    "ssh_keys",
    "expires",
    "members",
    "member_dns",
];

/// Attributes that hold secrets: what is handed on is shown to admins, and stored.
const SECRETS: [&str; 4] = [
    "userpassword",
    "authpassword",
    "sambantpassword",
    "krbprincipalkey",
];

/// Where in a file something is wrong.
struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl File<'_> {
    fn wrong(&self, span: Range<usize>, what: impl std::fmt::Display) -> String {
        let before = &self.text[..span.start.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("{}:{line}:{column}: {what}", self.name)
    }

    fn missing(&self, key: &str, what: &str) -> String {
        format!("{}: `{key}` is missing: {what}", self.name)
    }

    fn checked<T>(
        &self,
        value: Spanned<String>,
        check: impl FnOnce(String) -> Result<T, String>,
    ) -> Result<T, String> {
        let span = value.span();
        check(value.into_inner()).map_err(|what| self.wrong(span, what))
    }

    fn duration(&self, value: Text, default: u64, range: [u64; 2]) -> Result<Duration, String> {
        let Some(value) = value else {
            return Ok(Duration::from_secs(default));
        };
        let [least, most] = range;
        self.checked(value, |text| {
            let parsed = text.parse::<jiff::SignedDuration>().ok();
            parsed
                .and_then(|parsed| Duration::try_from(parsed).ok())
                .filter(|parsed| (least..=most).contains(&parsed.as_secs()))
                .filter(|parsed| parsed.as_secs() < most || parsed.subsec_nanos() == 0)
                .ok_or(format!(
                    "\"{text}\" is no duration from {least}s to {most}s"
                ))
        })
    }

    fn path(&self, value: Text) -> Result<Option<PathBuf>, String> {
        let absolute = |text: String| match text.starts_with('/') {
            true => Ok(PathBuf::from(text)),
            false => Err(format!("\"{text}\" is no absolute path")),
        };
        value.map(|value| self.checked(value, absolute)).transpose()
    }

    fn place(&self, key: &str, place: Option<WrittenPlace>, class: &str) -> Result<Place, String> {
        let lacks = || {
            let what = "name the DN below which they are, such as \"ou=people,dc=example,dc=org\"";
            self.missing(&format!("{key}.base"), what)
        };
        let place = place.ok_or_else(lacks)?;
        let base = self.checked(place.base.ok_or_else(lacks)?, |base| {
            match Dn::parse(base.as_bytes()) {
                Some(_) => Ok(base),
                None => Err(format!("\"{base}\" is no DN")),
            }
        })?;
        let filter = match place.filter {
            None => format!("(objectClass={class})"),
            Some(text) => self.checked(text, |text| filter::encode(&text).map(|_| text))?,
        };
        Ok(Place { base, filter })
    }

    fn attribute(&self, value: Text, default: &str) -> Result<String, String> {
        match value {
            None => Ok(default.to_owned()),
            Some(value) => self.checked(value, attribute),
        }
    }

    fn attributes(&self, values: Texts, default: &[&str]) -> Result<Vec<String>, String> {
        match values {
            None => Ok(default.iter().map(|name| (*name).to_owned()).collect()),
            Some(values) => values
                .into_iter()
                .map(|value| self.checked(value, attribute))
                .collect(),
        }
    }

    fn servers(&self, uri: Option<Spanned<OneOrMore>>) -> Result<Vec<Uri>, String> {
        let uri = uri.ok_or_else(|| {
            self.missing(
                "uri",
                "name the server, such as \"ldap://ldap.example.org\"",
            )
        })?;
        let span = uri.span();
        let texts = match uri.into_inner() {
            OneOrMore::One(text) => vec![text],
            OneOrMore::More(texts) => texts,
        };
        if texts.is_empty() {
            return Err(self.wrong(span, "`uri` names no server"));
        }
        texts
            .iter()
            .map(|text| {
                text.parse()
                    .map_err(|what: String| self.wrong(span.clone(), what))
            })
            .collect()
    }
}

/// RFC 4512 section 2.5, without options.
fn attribute(name: String) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!("\"{name}\" is no attribute's name"));
    }
    if SECRETS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!("\"{name}\" holds a secret and is never handed on"));
    }
    Ok(name)
}

/// The settings that `text` says.
pub(super) fn parse(name: &str, text: &str) -> Result<Settings, String> {
    let file = File { name, text };
    let written: Written = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let what = format!("{}{}", error.message(), suggestion(text, error.span()));
        file.wrong(span, what)
    })?;
    let bind_dn = |dn: String| match Dn::parse(dn.as_bytes()) {
        Some(_) => Ok(dn),
        None => Err(format!("`bind_dn` \"{dn}\" is no DN")),
    };
    let mut attributes = file.attributes(written.attributes, &[])?;
    attributes
        .iter_mut()
        .for_each(|name| name.make_ascii_lowercase());
    if let (None, Some(path)) = (&written.bind_dn, &written.bind_password_file) {
        let what = "a password without a `bind_dn` to log in as";
        return Err(file.wrong(path.span(), what));
    }
    let settings = Settings {
        servers: file.servers(written.uri)?,
        ca_file: file.path(written.ca_file)?,
        bind_dn: written
            .bind_dn
            .map(|dn| file.checked(dn, bind_dn))
            .transpose()?,
        bind_password_file: file.path(written.bind_password_file)?,
        timeout: file.duration(written.timeout, 5, [1, 60])?,
        poll: file.duration(written.poll, 30, [5, 24 * 60 * 60])?,
        people: file.place("people", written.people, "posixAccount")?,
        groups: file.place("groups", written.groups, "posixGroup")?,
        attributes,
        person: person(&file, written.person)?,
        group: group(&file, written.group)?,
    };
    if settings.source().len() > DIRECTORY_CURSOR_BYTES {
        return Err(format!(
            "{name}: servers and bases are longer than {DIRECTORY_CURSOR_BYTES} bytes together"
        ));
    }
    Ok(settings)
}

fn person(file: &File<'_>, written: WrittenPerson) -> Result<PersonNames, String> {
    Ok(PersonNames {
        name: file.attribute(written.name, "uid")?,
        uid: file.attribute(written.uid, "uidNumber")?,
        gid: file.attribute(written.gid, "gidNumber")?,
        full_name: file.attributes(written.full_name, &["gecos", "cn"])?,
        home: file.attribute(written.home, "homeDirectory")?,
        shell: file.attribute(written.shell, "loginShell")?,
        ssh_keys: file.attribute(written.ssh_keys, "sshPublicKey")?,
        expires: file.attribute(written.expires, "shadowExpire")?,
    })
}

fn group(file: &File<'_>, written: WrittenGroup) -> Result<GroupNames, String> {
    Ok(GroupNames {
        name: file.attribute(written.name, "cn")?,
        gid: file.attribute(written.gid, "gidNumber")?,
        members: file.attributes(written.members, &["memberUid"])?,
        member_dns: file.attributes(written.member_dns, &["member", "uniqueMember"])?,
    })
}

/// The key that was probably meant by an unknown one.
fn suggestion(text: &str, span: Option<Range<usize>>) -> String {
    let Some(word) = span.and_then(|span| text.get(span)) else {
        return String::new();
    };
    let likely: BTreeMap<usize, &str> = KEYS
        .into_iter()
        .map(|key| (strsim::damerau_levenshtein(key, word), key, key.len() / 2))
        .filter(|(distance, _, most)| (1..=*most).contains(distance))
        .map(|(distance, key, _)| (distance, key))
        .collect();
    likely
        .first_key_value()
        .map_or_else(String::new, |(_, key)| format!(" (did you mean `{key}`?)"))
}
