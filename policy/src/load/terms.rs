//! The `require`, `limit` and `session` of a rule, as written.

use std::time::Duration;

use jiff::SignedDuration;
use toml::de::DeTable;

use super::limit::RawLimit;
use super::problems::Word;
use super::raw::Kind;
use super::reader::{Reader, Value};
use super::session::RawSession;
use super::{language, limit, session};
use crate::limits::{MAX_APPROVALS, MAX_TIME, MIN_TIME};
use crate::mfa::Mfa;
use crate::rule::Owed;
use crate::suggest::nearest;
use crate::ticket::Ticket;

/// How many approvals are owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Approvals {
    Number(u32),
    /// One of each approver.
    Each,
}

pub(super) struct RawTerms {
    pub(super) owed: Owed,
    /// The word that says how many approvals, and what it says if that was understood.
    pub(super) approvals: Option<(Word, Option<Approvals>)>,
    pub(super) approvers: Option<(Word, Vec<Word>)>,
    pub(super) ticket: Option<Ticket>,
    pub(super) limit: RawLimit,
    pub(super) session: RawSession,
}

/// Reads what an allow rule owes and how it runs; a deny rule has none of it.
pub(super) fn read(
    file: &Reader<'_>,
    rule: &Word,
    table: &DeTable<'_>,
    denies: bool,
) -> Option<RawTerms> {
    if denies {
        refuse_terms(file, table);
        return None;
    }
    if table.contains_key("edit") {
        refuse_for_edits(file, table);
    }
    let Some(require) = table.get("require") else {
        let message = format!(
            "rule {} has no `require`; write `require = {{}}` for a standing grant",
            rule.quoted()
        );
        file.problems.add(rule, message);
        return None;
    };
    let mut terms = read_require(file, require)?;
    terms.limit = table
        .get("limit")
        .map(|value| limit::read(file, value))
        .unwrap_or_default();
    terms.session = table
        .get("session")
        .map(|value| session::read(file, value))
        .unwrap_or_default();
    Some(terms)
}

fn refuse_terms(file: &Reader<'_>, table: &DeTable<'_>) {
    for (key, _) in table {
        let word = file.key(key);
        if matches!(word.text.as_str(), "require" | "limit" | "session") {
            let message = format!(
                "{} means nothing in a rule that denies; remove it",
                word.quoted()
            );
            file.problems.add(&word, message);
        }
    }
}

/// Complains of what no edit would obey: it runs no command, and the editor runs as the caller.
fn refuse_for_edits(file: &Reader<'_>, table: &DeTable<'_>) {
    let commands = table.contains_key("commands");
    let keys = |key| {
        let inner = table.get(key).and_then(|value| value.get_ref().as_table());
        inner.into_iter().flatten().map(|(key, _)| file.key(key))
    };
    if let Some((session, _)) = table.get_key_value("session").filter(|_| !commands) {
        let word = file.key(session);
        let message = "`session` is of commands, and this rule has none; remove it";
        file.problems.add(&word, message);
    } else {
        for word in keys("session") {
            if matches!(word.text.as_str(), "contain" | "capabilities" | "watched") {
                let message = format!(
                    "{} binds no edit; give `edit` a rule of its own",
                    word.quoted()
                );
                file.problems.add(&word, message);
            }
        }
    }
    for word in keys("limit").filter(|_| !commands) {
        if !matches!(word.text.as_str(), "default" | "max") {
            let message = format!(
                "{} is of commands, and this rule has none; remove it",
                word.quoted()
            );
            file.problems.add(&word, message);
        }
    }
}

fn read_require(file: &Reader<'_>, value: &Value<'_>) -> Option<RawTerms> {
    let table = file.table(value, "require")?;
    file.check_keys(table, &language::REQUIRE);
    let approvals = table
        .get("approvals")
        .map(|value| (file.raw(value), read_approvals(file, value)));
    let mfa = table.get("mfa").and_then(|value| read_mfa(file, value));
    let ticket = table
        .get("ticket")
        .and_then(|value| read_ticket(file, value));
    let reason = table
        .get("reason")
        .and_then(|value| file.boolean(value, "reason"));
    Some(RawTerms {
        owed: Owed {
            // What it comes to hangs on the approvers.
            approvals: 0,
            each: false,
            mfa,
            ticket: table.contains_key("ticket"),
            reason: reason.unwrap_or(false),
        },
        approvals,
        approvers: table.get_key_value("approvers").map(|(key, value)| {
            (
                file.key(key),
                file.strings(value, "approvers", Kind::Approvers.example()),
            )
        }),
        ticket,
        limit: RawLimit::default(),
        session: RawSession::default(),
    })
}

fn read_ticket(file: &Reader<'_>, value: &Value<'_>) -> Option<Ticket> {
    let word = file.string(value, "ticket")?;
    match Ticket::parse(&word.text) {
        Ok(ticket) => Some(ticket),
        Err(wrong) => {
            let message = format!("{}: {}", word.quoted(), wrong.what);
            file.problems.add(&word, message);
            None
        }
    }
}

fn read_approvals(file: &Reader<'_>, value: &Value<'_>) -> Option<Approvals> {
    match value.get_ref().as_str() {
        Some("each") => Some(Approvals::Each),
        Some(text) => {
            let word = file.word(text, value.span());
            let message = format!(
                "{} is no number of approvals; write it without quotes, or \"each\" for one of each \
                 approver",
                word.quoted()
            );
            file.problems
                .suggest(&word, message, nearest(text, ["each"]));
            None
        }
        None => file
            .number(value, "approvals", (0, MAX_APPROVALS))
            .map(Approvals::Number),
    }
}

/// How fresh a second factor must be.
pub(super) fn read_mfa(file: &Reader<'_>, value: &Value<'_>) -> Option<Mfa> {
    match value.get_ref().as_str() {
        Some("always") => return Some(Mfa::Always),
        Some(text) if !text.starts_with(|c: char| c.is_ascii_digit()) => {
            let word = file.word(text, value.span());
            let message = format!("{} is not how `mfa` is written; {MFA}", word.quoted());
            let near = nearest(text, ["always"]);
            file.problems.suggest(&word, message, near);
        }
        Some(_) => return read_time(file, value, "mfa").map(|(_, time)| Mfa::Within(time)),
        None => file.wrong_type(
            value,
            "mfa",
            "\"always\" or a time in quotes, as in \"15m\"",
        ),
    }
    None
}

const MFA: &str =
    "it is \"always\", or how old a code may be, as in \"15m\"; without it none is owed";

pub(super) fn read_time(
    file: &Reader<'_>,
    value: &Value<'_>,
    key: &str,
) -> Option<(Word, Duration)> {
    let word = file.string(value, key)?;
    let parsed = word.text.parse::<SignedDuration>().ok();
    let Some(time) = parsed.and_then(|time| Duration::try_from(time).ok()) else {
        let message = format!(
            "{} is no length of time; write it as in \"15m\", \"1h 30m\" or \"48h\"",
            word.quoted()
        );
        file.problems.add(&word, message);
        return None;
    };
    if time.subsec_nanos() != 0 || !(MIN_TIME..=MAX_TIME).contains(&time) {
        let message = format!("`{key}` is whole seconds, from 1s to 168h (seven days)");
        file.problems.add(&word, message);
        return None;
    }
    Some((word, time))
}
