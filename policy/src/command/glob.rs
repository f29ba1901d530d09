//! One word with wildcards against one argument.
//!
//! The pattern runs as a set of states over the bytes, so that no pattern and no argument can
//! make it slow: the time is at most the product of their lengths.

use std::collections::HashMap;

use super::Reading;
use super::words::Unit;

/// One step of a compiled pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// Any bytes but `/`
    Star,
    /// Any bytes
    Any,
    /// `**/`: no folder, or folders each with its `/`; always followed by [`Token::InDir`]
    Dirs,
    /// Inside the name of a folder that `**/` is taking
    InDir,
}

/// A compiled word with at least one wildcard.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    tokens: Vec<Token>,
    prefix: Vec<u8>,
}

impl Glob {
    pub(super) fn new(units: &[Unit]) -> Self {
        let tokens = tokens(units);
        let prefix = tokens.iter().map_while(|token| match token {
            Token::Byte(b) => Some(*b),
            _ => None,
        });
        Self {
            prefix: prefix.collect(),
            tokens,
        }
    }

    /// The folder below which everything lies that a path of it can match, with its `/`.
    pub(super) fn folder(&self) -> &[u8] {
        let end = self.prefix.iter().rposition(|byte| *byte == b'/');
        &self.prefix[..end.map_or(0, |end| end + 1)]
    }

    pub(super) fn matches(&self, text: &[u8], reading: Reading) -> bool {
        let strict = reading == Reading::Strict;
        if strict && (text.is_empty() || has_dots(text)) {
            return false;
        }
        if !text.starts_with(&self.prefix) {
            return false;
        }
        let mut states = States::new(self.tokens.len() + 1);
        self.enter(self.prefix.len(), &mut states);
        for (at, &byte) in text.iter().enumerate().skip(self.prefix.len()) {
            let leading = at == 0 || text[at - 1] == b'/';
            let guarded = strict && leading && matches!(byte, b'.' | b'-');
            states = self.step(&states, byte, guarded);
            if states.is_empty() {
                return false;
            }
        }
        states.contains(self.tokens.len())
    }

    /// Whether it can be written: of two stars beside each other braces alone keep the meaning.
    pub(super) fn is_plain(&self) -> bool {
        let star = |token: &Token| matches!(token, Token::Star | Token::Any);
        let pairs = self.tokens.windows(2);
        !pairs.into_iter().any(|pair| pair.iter().all(star))
    }

    /// Its wildcards as written, and between them bytes that stand for themselves.
    pub(super) fn parts(&self) -> Vec<Result<String, Vec<u8>>> {
        let mut parts: Vec<Result<String, Vec<u8>>> = Vec::new();
        for token in &self.tokens {
            let wildcard = match token {
                Token::Byte(byte) => match parts.last_mut() {
                    Some(Err(bytes)) => {
                        bytes.push(*byte);
                        continue;
                    }
                    _ => Err(vec![*byte]),
                },
                Token::Star => Ok("*".to_owned()),
                Token::Any => Ok("**".to_owned()),
                Token::Dirs => Ok("**/".to_owned()),
                Token::InDir => continue,
            };
            parts.push(wildcard);
        }
        parts
    }

    /// Whether it certainly matches whatever `other` matches when that is read strictly. A no may
    /// also mean that nobody looked closely enough.
    pub(super) fn covers(&self, other: &Self, reading: Reading) -> bool {
        Cover {
            wide: &self.tokens,
            narrow: &other.tokens,
            strict: reading == Reading::Strict,
            seen: HashMap::new(),
        }
        .from(0, 0)
    }

    fn step(&self, states: &States, byte: u8, guarded: bool) -> States {
        let mut next = States::new(self.tokens.len() + 1);
        for state in states.iter() {
            if let Some(to) = self.follow(state, byte, guarded) {
                self.enter(to, &mut next);
            }
        }
        next
    }

    // `guarded`: the byte is a leading `.` or `-`, which only a literal at the beginning of a
    // name in the pattern may match; not even the `.` of `*.conf`.
    fn follow(&self, state: usize, byte: u8, guarded: bool) -> Option<usize> {
        match *self.tokens.get(state)? {
            Token::Byte(b) => {
                (b == byte && (!guarded || self.begins_name(state))).then_some(state + 1)
            }
            Token::Star => (byte != b'/' && !guarded).then_some(state),
            Token::Any => (!guarded).then_some(state),
            Token::Dirs => (byte != b'/' && !guarded).then_some(state + 1),
            Token::InDir if byte == b'/' => Some(state - 1),
            Token::InDir => Some(state),
        }
    }

    fn begins_name(&self, state: usize) -> bool {
        let Some(before) = state.checked_sub(1) else {
            return true;
        };
        matches!(self.tokens[before], Token::Byte(b'/') | Token::InDir)
    }

    // A wildcard may also stand for nothing: entering it enters what follows.
    fn enter(&self, state: usize, states: &mut States) {
        if !states.insert(state) {
            return;
        }
        match self.tokens.get(state) {
            Some(Token::Star | Token::Any) => self.enter(state + 1, states),
            Some(Token::Dirs) => self.enter(state + 2, states),
            _ => {}
        }
    }
}

/// One pattern read as the texts of another.
struct Cover<'a> {
    wide: &'a [Token],
    narrow: &'a [Token],
    strict: bool,
    seen: HashMap<(usize, usize), bool>,
}

impl Cover<'_> {
    fn from(&mut self, wide: usize, narrow: usize) -> bool {
        if let Some(known) = self.seen.get(&(wide, narrow)) {
            return *known;
        }
        let covers = self.look(wide, narrow);
        self.seen.insert((wide, narrow), covers);
        covers
    }

    fn look(&mut self, wide: usize, narrow: usize) -> bool {
        let next = self.narrow.get(narrow).copied();
        let free = self.is_free(narrow);
        match self.wide.get(wide) {
            None => next.is_none(),
            Some(Token::Byte(byte)) => {
                let same = next == Some(Token::Byte(*byte));
                let begins =
                    || wide == 0 || matches!(self.wide[wide - 1], Token::Byte(b'/') | Token::InDir);
                same && (free || begins()) && self.from(wide + 1, narrow + 1)
            }
            Some(Token::Star) => {
                let one = matches!(next, Some(Token::Star)) || is_name_byte(next);
                self.from(wide + 1, narrow) || (one && free && self.from(wide, narrow + 1))
            }
            Some(Token::Any) => {
                self.from(wide + 1, narrow)
                    || (next.is_some() && free && self.from(wide, narrow + 1))
            }
            Some(Token::Dirs) => match next {
                Some(Token::Dirs) => self.from(wide + 2, narrow + 2),
                _ => {
                    self.from(wide + 2, narrow)
                        || (is_name_byte(next) && free && self.from(wide + 1, narrow + 1))
                }
            },
            Some(Token::InDir) => match next {
                Some(Token::Byte(b'/')) => self.from(wide - 1, narrow + 1),
                Some(Token::Byte(_) | Token::Star) => self.from(wide, narrow + 1),
                _ => false,
            },
        }
    }

    // A `.` or `-` that the narrow pattern names at the beginning of a name no wildcard takes
    // where it is read strictly.
    fn is_free(&self, at: usize) -> bool {
        let begins = || at == 0 || matches!(self.narrow[at - 1], Token::Byte(b'/') | Token::InDir);
        let guarded = matches!(self.narrow.get(at), Some(Token::Byte(b'.' | b'-')));
        !(self.strict && guarded && begins())
    }
}

fn is_name_byte(token: Option<Token>) -> bool {
    matches!(token, Some(Token::Byte(byte)) if byte != b'/')
}

/// Whether a text holds `..` anywhere; no wildcard of an allow rule matches such a text.
pub(super) fn has_dots(text: &[u8]) -> bool {
    text.windows(2).any(|pair| pair == b"..")
}

fn tokens(units: &[Unit]) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(units.len());
    let mut rest = units;
    while let Some((unit, after)) = rest.split_first() {
        rest = after;
        match unit {
            Unit::Star => tokens.push(Token::Star),
            Unit::DoubleStar => {
                let begins = matches!(tokens.last(), None | Some(Token::Byte(b'/') | Token::InDir));
                if begins && rest.first() == Some(&Unit::Char('/')) {
                    rest = &rest[1..];
                    tokens.extend([Token::Dirs, Token::InDir]);
                } else {
                    tokens.push(Token::Any);
                }
            }
            Unit::Char(c) => {
                let mut buffer = [0; 4];
                tokens.extend(c.encode_utf8(&mut buffer).bytes().map(Token::Byte));
            }
            // Braces were taken apart before.
            Unit::Open | Unit::Comma | Unit::Close => {}
        }
    }
    tokens
}

/// A set of positions in a pattern.
struct States(Vec<u64>);

impl States {
    fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    fn insert(&mut self, state: usize) -> bool {
        let (word, bit) = (state / 64, 1 << (state % 64));
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    fn contains(&self, state: usize) -> bool {
        self.0[state / 64] & (1 << (state % 64)) != 0
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let bits = |word: u64| (0..64).filter(move |bit| word & (1 << bit) != 0);
        self.0
            .iter()
            .enumerate()
            .flat_map(move |(i, word)| bits(*word).map(move |b| i * 64 + b))
    }
}
