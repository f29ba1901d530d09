//! What somebody is expected to owe.

use std::time::Duration;

use jiff::SignedDuration;

use super::setting::Reading;
use super::told;
use super::words::Token;
use crate::mfa::Mfa;
use crate::rule::Owed;

/// What follows `needs`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    /// That and nothing else.
    only: bool,
    what: Demands,
}

/// What is or isn't needed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Demands {
    pub(super) approvals: u32,
    pub(super) mfa: Option<Mfa>,
    pub(super) ticket: bool,
    pub(super) reason: bool,
}

impl From<&Owed> for Demands {
    fn from(owed: &Owed) -> Self {
        Self {
            approvals: owed.approvals,
            mfa: owed.mfa,
            ticket: owed.ticket,
            reason: owed.reason,
        }
    }
}

const KNOWN: [&str; 8] = [
    "nothing",
    "only",
    "approval",
    "approvals",
    "mfa",
    "ticket",
    "reason",
    "N approvals",
];

pub(super) fn read(first: &Token, line: &mut Reading<'_>) -> Option<Needs> {
    let mut needs = Needs::default();
    let mut any = false;
    while let Some(token) = line.tokens.first().filter(|token| is_need(token)) {
        line.next();
        any = true;
        match token.word.text.as_str() {
            "nothing" | "only" => needs.only = true,
            "approval" | "approvals" => needs.what.approvals = 1,
            "mfa" => needs.what.mfa = Some(mfa(line)),
            "ticket" => needs.what.ticket = true,
            "reason" => needs.what.reason = true,
            number => {
                needs.what.approvals = number.parse().unwrap_or(1);
                match line.next() {
                    Some(next) if next.is("approvals") || next.is("approval") => {}
                    _ => line.wrong(&token.word, "write what it counts, as in `2 approvals`"),
                }
            }
        }
    }
    if !any {
        match line.tokens.first() {
            Some(token) => line.unknown(token, "need", &KNOWN),
            None => drop(line.need(first, "what is needed")),
        }
        return None;
    }
    Some(needs)
}

fn is_need(token: &Token) -> bool {
    let number = token.word.text.parse::<u32>().is_ok();
    number || KNOWN.iter().any(|known| token.is(known))
}

/// `mfa` alone is any code, `mfa always` one each time, `mfa 15m` one at most so old.
fn mfa(line: &mut Reading<'_>) -> Mfa {
    let age = line.tokens.first().and_then(|token| {
        let text = &token.word.text;
        match text.as_str() {
            "always" => Some(Mfa::Always),
            text => time(text).map(Mfa::Within),
        }
    });
    match age {
        Some(age) => {
            line.next();
            age
        }
        None => Mfa::Within(Duration::MAX),
    }
}

/// `15m`, `"1h 30m"`.
pub(super) fn time(text: &str) -> Option<Duration> {
    let begins = text.starts_with(|c: char| c.is_ascii_digit());
    let parsed: Option<SignedDuration> = text.parse().ok().filter(|_| begins);
    parsed.and_then(|time| Duration::try_from(time).ok())
}

impl Needs {
    /// What is wrong with what is owed.
    pub(super) fn objection(&self, owed: &Demands) -> Option<String> {
        let wanted = &self.what;
        let less = wanted.approvals > owed.approvals
            || wanted.mfa > owed.mfa
            || (wanted.ticket && !owed.ticket)
            || (wanted.reason && !owed.reason);
        let more = owed.approvals > wanted.approvals
            || (owed.mfa.is_some() && wanted.mfa.is_none())
            || (owed.ticket && !wanted.ticket)
            || (owed.reason && !wanted.reason);
        match (less, self.only && more) {
            (true, _) => Some(format!("it needs less: {}", told::owed(owed))),
            (false, true) => Some(format!("it needs more: {}", told::owed(owed))),
            (false, false) => None,
        }
    }
}
