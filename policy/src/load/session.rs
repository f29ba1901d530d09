//! The `session` of a rule.

use toml::de::DeTable;

use super::problems::{Problems, Word};
use super::reader::{Reader, Value};
use super::{environment, language, writable};
use crate::capabilities::Capabilities;
use crate::limits::MAX_WRITABLE;
use crate::run_as::{RunAs, TargetUser};
use crate::session::{Contain, Execs, OnFull, Record, SessionSettings};
use crate::wrong::Wrong;

/// As written, and where what hangs on the rest of the rule stands.
#[derive(Default)]
pub(super) struct RawSession {
    pub(super) settings: SessionSettings,
    capabilities: Option<Word>,
    writable: Vec<Word>,
}

pub(super) fn read(file: &Reader<'_>, value: &Value<'_>) -> RawSession {
    let strict = SessionSettings::default();
    let Some(table) = file.table(value, "session") else {
        return RawSession::default();
    };
    file.check_keys(table, &language::SESSION);
    let execs = [
        ("none", Execs::None),
        ("log", Execs::Log),
        ("deny", Execs::Deny),
    ];
    let on_full = [("end", OnFull::End), ("refuse", OnFull::Refuse)];
    let capabilities = table.get_key_value("capabilities");
    let writable = words(file, table, "writable", r#""/srv/www""#);
    let settings = SessionSettings {
        record: file
            .choice(table, "record", &RECORD)
            .unwrap_or(strict.record),
        on_full: file
            .choice(table, "on_full", &on_full)
            .unwrap_or(strict.on_full),
        watched: boolean(file, table, "watched"),
        execs: file.choice(table, "execs", &execs).unwrap_or(strict.execs),
        keep_env: table
            .get("keep_env")
            .map(|value| environment::read(file, value))
            .unwrap_or_default(),
        capabilities: capabilities.map(|(_, value)| read_capabilities(file, value)),
        contain: boolean(file, table, "contain").then(|| Contain {
            writable: texts(&writable),
            network: boolean(file, table, "network"),
        }),
    };
    check(file, table, &settings);
    RawSession {
        settings,
        capabilities: capabilities.map(|(key, _)| file.key(key)),
        writable,
    }
}

/// What `record` of a session can be.
const RECORD: [(&str, Record); 3] = [
    ("none", Record::None),
    ("output", Record::Output),
    ("full", Record::Full),
];

fn boolean(file: &Reader<'_>, table: &DeTable<'_>, key: &str) -> bool {
    let value = table.get(key);
    value
        .and_then(|value| file.boolean(value, key))
        .unwrap_or(false)
}

fn words(file: &Reader<'_>, table: &DeTable<'_>, key: &str, example: &str) -> Vec<Word> {
    let value = table.get(key);
    value
        .map(|value| file.strings(value, key, example))
        .unwrap_or_default()
}

fn texts(words: &[Word]) -> Vec<String> {
    let mut texts: Vec<_> = words.iter().map(|word| word.text.clone()).collect();
    texts.sort();
    texts.dedup();
    texts
}

fn read_capabilities(file: &Reader<'_>, value: &Value<'_>) -> Capabilities {
    let words = file.strings(value, "capabilities", r#""CAP_NET_ADMIN""#);
    let parsed = words.iter().filter_map(|word| {
        let wrong = match Capabilities::parse(&word.text) {
            Ok(one) => return Some(one),
            Err(wrong) => wrong,
        };
        complain(file.problems, word, wrong);
        None
    });
    parsed.collect()
}

/// What one key says that makes nothing of another.
fn check(file: &Reader<'_>, table: &DeTable<'_>, settings: &SessionSettings) {
    for (key, _) in table {
        let word = file.key(key);
        let what = match word.text.as_str() {
            "writable" | "network" if settings.contain.is_none() => {
                "means nothing without `contain`; write `contain = true` beside it"
            }
            "on_full" if settings.record == Record::None => {
                "means nothing where nothing is recorded; remove it, or `record = \"none\"`"
            }
            "watched" if settings.watched && settings.record == Record::None => {
                "needs a recording, which is what is watched; remove `record = \"none\"`"
            }
            _ => continue,
        };
        file.problems
            .add(&word, format!("{} {what}", word.quoted()));
    }
}

fn complain(problems: &Problems, word: &Word, wrong: Wrong) {
    let message = format!("{}: {}", word.quoted(), wrong.what);
    problems.suggest(word, message, wrong.suggestion);
}

/// Looks at what hangs on whom the rule runs as.
pub(super) fn link(raw: &RawSession, run_as: &[RunAs], problems: &Problems) {
    let owner = match run_as {
        [one] => match &one.user {
            TargetUser::Name(name) => Some(name.as_str()),
            _ => None,
        },
        _ => None,
    };
    for word in &raw.writable {
        if let Err(wrong) = writable::check(&word.text, owner) {
            complain(problems, word, wrong);
        }
    }
    if let Some(word) = raw.writable.get(MAX_WRITABLE) {
        problems.add(word, format!("`writable` has at most {MAX_WRITABLE} paths"));
    }
    if let Some(word) = &raw.capabilities {
        check_capabilities(raw, word, run_as, problems);
    }
}

fn check_capabilities(raw: &RawSession, word: &Word, run_as: &[RunAs], problems: &Problems) {
    let lost = raw.settings.capabilities.unwrap_or_default();
    let lost = lost.and(Capabilities::NEVER_CONTAINED);
    match &raw.settings.contain {
        Some(_) if lost != Capabilities::default() => {
            let message = format!("a contained session never has {lost}; remove it, or `contain`");
            problems.add(word, message);
        }
        Some(_) => {}
        None if run_as.iter().any(RunAs::may_be_root) => {
            let message = "root without capabilities is root still, because it owns the files that root's \
                           programs read; write `run_as = \"SELF\"` or a service's user, or \
                           `contain = true` beside it";
            problems.add(word, message);
        }
        None => {}
    }
}
