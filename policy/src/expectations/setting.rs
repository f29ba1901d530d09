//! Lines that say who is who, where and when.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZoneDatabase;

use super::words::Token;
use super::world::{From, World};
use crate::limits::MAX_ID;
use crate::load::{Problems, Word};
use crate::suggest::nearest;

/// What is left of a line.
pub(super) struct Reading<'a> {
    pub(super) tokens: &'a [Token],
    pub(super) zones: &'a TimeZoneDatabase,
    pub(super) problems: &'a Problems,
}

impl<'a> Reading<'a> {
    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// The next word, which there has to be; `what` says which.
    pub(super) fn need(&mut self, before: &Token, what: &str) -> Option<&'a Word> {
        let next = self.next();
        if next.is_none() {
            let message = format!("after {} {what} is missing", before.word.quoted());
            self.problems.add(&before.word, message);
        }
        next.map(|token| &token.word)
    }

    pub(super) fn wrong(&self, word: &Word, what: &str) {
        let message = format!("{}: {what}", word.quoted());
        self.problems.add(word, message);
    }

    /// Complains of a word where one of these is wanted.
    pub(super) fn unknown(&self, token: &Token, what: &str, known: &[&str]) {
        let word = &token.word;
        let message = format!(
            "unknown {what} {}; it is one of {}",
            word.quoted(),
            known.join(", ")
        );
        let near = nearest(&word.text, known.iter().copied());
        self.problems.suggest(word, message, near);
    }

    fn rest(&mut self, before: &Token, what: &str) -> Vec<String> {
        if self.tokens.is_empty() {
            self.need(before, what);
        }
        let tokens = std::mem::take(&mut self.tokens);
        tokens.iter().map(|token| token.word.text.clone()).collect()
    }

    fn end(&self) {
        if let Some(token) = self.tokens.first() {
            self.wrong(&token.word, "nothing stands here any more");
        }
    }
}

pub(super) const SETTINGS: [&str; 11] = [
    "group",
    "attribute",
    "uid",
    "gid",
    "link",
    "sha256",
    "host",
    "at",
    "service",
    "from",
    "terminal",
];

/// Whether a line that begins so is a setting. A user of such a name stands in quotes.
pub(super) fn is_one(first: &Token) -> bool {
    SETTINGS.iter().any(|setting| first.is(setting))
}

pub(super) fn read(first: &Token, line: &mut Reading<'_>, world: &mut World) {
    // A value that is wrong has been told of.
    let _ = match first.word.text.as_str() {
        "group" => group(first, line, world),
        "attribute" => attribute(first, line, world),
        "uid" | "gid" => number(first, line, world),
        "link" => link(first, line, world),
        "sha256" => hash(first, line, world),
        "host" => {
            world.hosts = line.rest(first, "a host's name");
            Some(())
        }
        "at" => at(first, line).map(|at| world.at = at),
        "service" => line
            .need(first, "a PAM service")
            .map(|word| world.service = Some(word.text.clone())),
        "from" => from(first, line).map(|from| world.from = Some(from)),
        _ => terminal(first, line).map(|terminal| world.terminal = terminal),
    };
    line.end();
}

/// The word that others belong to: `ops:` of `group ops: alice`.
fn named<'a>(first: &Token, line: &mut Reading<'a>, what: &str) -> Option<(&'a Word, String)> {
    let word = line.need(first, what)?;
    let colon = line.tokens.first().is_some_and(|token| token.is(":"));
    let name = match word.text.strip_suffix(':') {
        Some(name) => name,
        None if colon => {
            line.next();
            &word.text
        }
        None => {
            line.wrong(word, "a `:` is missing behind it");
            return None;
        }
    };
    Some((word, name.to_owned()))
}

fn group(first: &Token, line: &mut Reading<'_>, world: &mut World) -> Option<()> {
    let (_, name) = named(first, line, "the name of a group")?;
    let name = name.trim_start_matches('%');
    let members = std::mem::take(&mut line.tokens).iter();
    let pairs = members.map(|token| (token.word.text.clone(), name.to_owned()));
    world.groups.extend(pairs);
    Some(())
}

fn attribute(first: &Token, line: &mut Reading<'_>, world: &mut World) -> Option<()> {
    let (word, text) = named(first, line, "`NAME=VALUE`")?;
    let Some((name, value)) = text.split_once('=') else {
        line.wrong(word, "an attribute is written as in `department=dba:`");
        return None;
    };
    let name = name.to_ascii_lowercase();
    for user in line.rest(first, "a user") {
        world
            .attributes
            .insert((user, name.clone(), value.to_owned()));
    }
    Some(())
}

fn number(first: &Token, line: &mut Reading<'_>, world: &mut World) -> Option<()> {
    let (_, name) = named(first, line, "a name")?;
    let word = line.need(first, "a number")?;
    let Some(number) = parsed::<u32>(word).filter(|number| *number <= MAX_ID) else {
        line.wrong(word, &format!("a number is from 0 to {MAX_ID}"));
        return None;
    };
    let known = match first.is("uid") {
        true => &mut world.uids,
        false => &mut world.gids,
    };
    known.insert(name, number);
    Some(())
}

fn link(first: &Token, line: &mut Reading<'_>, world: &mut World) -> Option<()> {
    let (word, path) = named(first, line, "the path of a link")?;
    let real = line.need(first, "what it leads to")?;
    if !path.starts_with('/') || !real.text.starts_with('/') {
        line.wrong(
            word,
            "a link is written as in `link /usr/bin/vi: /usr/bin/vim.basic`",
        );
        return None;
    }
    world.links.insert(path, real.text.clone());
    Some(())
}

fn hash(first: &Token, line: &mut Reading<'_>, world: &mut World) -> Option<()> {
    let (_, path) = named(first, line, "the path of a file")?;
    let word = line.need(first, "the hash of a file")?;
    let byte = |at: usize| word.text.get(2 * at..2 * at + 2);
    let hex = |at| byte(at).and_then(|hex| u8::from_str_radix(hex, 16).ok());
    let hash: Option<Vec<u8>> = (0..32).map(hex).collect();
    let Some(hash) = hash.filter(|_| word.text.len() == 64) else {
        line.wrong(word, "a SHA-256 has 64 digits, as sha256sum prints it");
        return None;
    };
    world.hashes.insert(path, hash.try_into().ok()?);
    Some(())
}

const MOMENT: &str = "a moment is written as in 2026-03-16 10:00 Europe/Berlin";

/// `2026-03-16 10:00 Europe/Berlin`, in one word or in three.
pub(super) fn at(first: &Token, line: &mut Reading<'_>) -> Option<Timestamp> {
    let word = line.need(first, "a moment")?;
    let mut text = word.text.clone();
    if !text.contains(' ') {
        for _ in 0..2 {
            text = format!("{text} {}", line.need(first, "the rest of a moment")?.text);
        }
    }
    let parts: Vec<_> = text.split_ascii_whitespace().collect();
    let [date, time, zone] = parts[..] else {
        line.wrong(word, MOMENT);
        return None;
    };
    let zone = match crate::when::zone(zone, line.zones) {
        Ok(zone) => zone,
        Err(wrong) => {
            line.problems.suggest(word, wrong.what, wrong.suggestion);
            return None;
        }
    };
    let clock = date.parse::<Date>().ok().zip(time.parse::<Time>().ok());
    let moment = clock.and_then(|(date, time)| {
        let shown = zone.to_ambiguous_timestamp(date.to_datetime(time));
        shown.unambiguous().ok()
    });
    if moment.is_none() {
        line.wrong(word, MOMENT);
    }
    moment
}

pub(super) fn from(first: &Token, line: &mut Reading<'_>) -> Option<From> {
    let word = line.need(first, "an address, or `console`")?;
    match word.text.as_str() {
        "console" => Some(From::Console),
        text => {
            let address = text.parse().ok().map(From::Address);
            if address.is_none() {
                line.wrong(word, "it is no address; write one, or `console`");
            }
            address
        }
    }
}

fn terminal(first: &Token, line: &mut Reading<'_>) -> Option<bool> {
    let word = line.need(first, "yes or no")?;
    match word.text.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => {
            line.wrong(word, "it is yes or no");
            None
        }
    }
}

pub(super) fn parsed<T: FromStr>(word: &Word) -> Option<T> {
    word.text.parse().ok()
}
