//! The `login` of a role, as written.

use super::language;
use super::problems::Word;
use super::raw::{Kind, twice};
use super::reader::{Reader, Value};
use super::terms;
use crate::mfa::Mfa;

#[derive(Default)]
pub(super) struct RawLogin {
    pub(super) hosts: Option<Vec<Word>>,
    pub(super) services: Option<Vec<Word>>,
    pub(super) hours: Option<Vec<Word>>,
    pub(super) from: Option<Vec<Word>>,
    /// The key `require`, and what it says.
    pub(super) require: Option<(Word, Option<Mfa>)>,
    /// The key `record`, and whether it says that logins are recorded.
    pub(super) record: Option<(Word, bool)>,
}

impl RawLogin {
    /// Adds what another file, or another table, says of the role `name`: lists unite, and what
    /// is owed is said once.
    pub(super) fn unite(&mut self, file: &Reader<'_>, name: &Word, other: Self) {
        for (known, more) in [
            (&mut self.hosts, other.hosts),
            (&mut self.services, other.services),
            (&mut self.hours, other.hours),
            (&mut self.from, other.from),
        ] {
            match known {
                Some(known) => known.extend(more.into_iter().flatten()),
                None => *known = more,
            }
        }
        let twice = |key: &str, first: &Word, second: &Word| {
            let what = format!("`login.{key}` of role `{}`", name.text);
            twice(file, second, &what, first);
        };
        match (&self.require, other.require) {
            (Some((first, _)), Some((second, _))) => twice("require", first, &second),
            (None, second) => self.require = second,
            (Some(_), None) => {}
        }
        match (&self.record, other.record) {
            (Some((first, _)), Some((second, _))) => twice("record", first, &second),
            (None, second) => self.record = second,
            (Some(_), None) => {}
        }
    }
}

pub(super) fn read(file: &Reader<'_>, value: &Value<'_>) -> RawLogin {
    let Some(table) = file.table(value, "login") else {
        return RawLogin::default();
    };
    file.check_keys(table, &language::LOGIN);
    let mut login = table
        .get("when")
        .map(|value| read_when(file, value))
        .unwrap_or_default();
    login.require = table
        .get_key_value("require")
        .map(|(key, value)| (file.key(key), read_require(file, value)));
    login.record = table.get_key_value("record").map(|(key, _)| {
        let recorded = file.choice(table, "record", &[("none", false), ("output", true)]);
        (file.key(key), recorded.unwrap_or(true))
    });
    login
}

fn read_when(file: &Reader<'_>, value: &Value<'_>) -> RawLogin {
    let Some(table) = file.table(value, "login.when") else {
        return RawLogin::default();
    };
    file.check_keys(table, &language::LOGIN_WHEN);
    let list = |key, example| {
        let value = table.get(key)?;
        if value
            .get_ref()
            .as_array()
            .is_some_and(|array| array.is_empty())
        {
            let message = format!("`{key}` is empty, so that the role could let nobody in");
            file.problems.add(&file.raw(value), message);
        }
        Some(match key {
            "hours" => file.one_or_more(value, key, example),
            _ => file.strings(value, key, example),
        })
    };
    RawLogin {
        hosts: list("hosts", Kind::Hosts.example()),
        services: list("services", r#""sshd""#),
        hours: list("hours", r#""Mon..Fri 07:00-20:00 Europe/Berlin""#),
        from: list("from", r#""10.0.0.0/8""#),
        ..RawLogin::default()
    }
}

fn read_require(file: &Reader<'_>, value: &Value<'_>) -> Option<Mfa> {
    let table = file.table(value, "login.require")?;
    file.check_keys(table, &language::LOGIN_REQUIRE);
    terms::read_mfa(file, table.get("mfa")?)
}
