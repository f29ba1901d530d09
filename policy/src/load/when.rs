//! The `when` of a rule and of a role's `login`, as written.

use super::language::Keys;
use super::problems::Word;
use super::raw::Kind;
use super::reader::{Reader, Value};

#[derive(Default)]
pub(super) struct RawWhen {
    pub(super) hosts: Option<Vec<Word>>,
    pub(super) services: Option<Vec<Word>>,
    pub(super) hours: Option<Vec<Word>>,
    pub(super) from: Option<Vec<Word>>,
    pub(super) valid: Option<Word>,
    pub(super) terminal: Option<bool>,
}

/// Where a `when` stands.
pub(super) struct Of {
    pub(super) name: &'static str,
    pub(super) keys: &'static Keys,
    /// What an empty list in it comes to.
    pub(super) empty: &'static str,
}

pub(super) fn read(file: &Reader<'_>, value: &Value<'_>, of: &Of) -> RawWhen {
    let Some(table) = file.table(value, of.name) else {
        return RawWhen::default();
    };
    file.check_keys(table, of.keys);
    let list = |key, example| {
        let value = table.get(key)?;
        if value
            .get_ref()
            .as_array()
            .is_some_and(|array| array.is_empty())
        {
            let message = format!("`{key}` is empty, so that {}", of.empty);
            file.problems.add(&file.raw(value), message);
        }
        Some(match key {
            "hours" => file.one_or_more(value, key, example),
            _ => file.strings(value, key, example),
        })
    };
    // What this table may not hold has been told.
    let known = |key| table.get(key).filter(|_| of.keys.enforces(key));
    RawWhen {
        hosts: list("hosts", Kind::Hosts.example()),
        services: list("services", r#""sshd""#),
        hours: list("hours", r#""Mon..Fri 07:00-20:00 Europe/Berlin""#),
        from: list("from", r#""10.0.0.0/8""#),
        valid: known("valid").and_then(|value| file.string(value, "valid")),
        terminal: known("terminal").and_then(|value| file.boolean(value, "terminal")),
    }
}

impl RawWhen {
    /// Adds what another file says of the same role: lists unite.
    pub(super) fn unite(&mut self, other: Self) {
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
    }
}
