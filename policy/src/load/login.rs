//! The `login` of a role, as written.

use super::language;
use super::problems::Word;
use super::raw::twice;
use super::reader::{Reader, Value};
use super::terms;
use super::when::{self, RawWhen};
use crate::mfa::Mfa;

const WHEN: when::Of = when::Of {
    name: "login.when",
    keys: &language::LOGIN_WHEN,
    empty: "the role could let nobody in",
};

#[derive(Default)]
pub(super) struct RawLogin {
    pub(super) when: RawWhen,
    /// The key `require`, and what it says.
    pub(super) require: Option<(Word, Option<Mfa>)>,
    /// The key `record`, and whether it says that logins are recorded.
    pub(super) record: Option<(Word, bool)>,
}

impl RawLogin {
    /// Adds what another file, or another table, says of the role `name`: lists unite, and what
    /// is owed is said once.
    pub(super) fn unite(&mut self, file: &Reader<'_>, name: &Word, other: Self) {
        self.when.unite(other.when);
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
    let mut login = RawLogin::default();
    if let Some(value) = table.get("when") {
        login.when = when::read(file, value, &WHEN);
    }
    login.require = table
        .get_key_value("require")
        .map(|(key, value)| (file.key(key), read_require(file, value)));
    login.record = table.get_key_value("record").map(|(key, _)| {
        let recorded = file.choice(table, "record", &[("none", false), ("output", true)]);
        (file.key(key), recorded.unwrap_or(true))
    });
    login
}

fn read_require(file: &Reader<'_>, value: &Value<'_>) -> Option<Mfa> {
    let table = file.table(value, "login.require")?;
    file.check_keys(table, &language::LOGIN_REQUIRE);
    terms::read_mfa(file, table.get("mfa")?)
}
