//! Follows `@users.x` and its kin.

use std::collections::HashSet;

use super::problems::{Problems, Word};
use super::raw::{Kind, Raw};
use crate::suggest::nearest;

pub(super) struct Aliases<'a> {
    raw: &'a Raw,
    problems: &'a Problems,
}

impl<'a> Aliases<'a> {
    pub(super) fn new(raw: &'a Raw, problems: &'a Problems) -> Self {
        Self { raw, problems }
    }

    /// The words with every alias replaced by what it stands for; each word once.
    pub(super) fn expand(&self, kind: Kind, words: &'a [Word]) -> Vec<&'a Word> {
        let mut walk = Walk {
            aliases: self,
            kind,
            path: Vec::new(),
            done: HashSet::new(),
            seen: HashSet::new(),
            out: Vec::new(),
        };
        walk.words(words);
        walk.out
    }

    /// The name of the alias that a word refers to, if it is one of `kind` and exists.
    fn lookup(&self, kind: Kind, word: &Word, reference: &str) -> Option<&'a (Word, Vec<Word>)> {
        let Some((written, name)) = reference.split_once('.') else {
            let message = format!(
                "{} is no alias; write `@{}.NAME`",
                word.quoted(),
                kind.key()
            );
            self.problems.add(word, message);
            return None;
        };
        if written != kind.key() {
            self.wrong_kind(kind, word, written);
            return None;
        }
        let found = self.raw.aliases.get(&(kind, name.to_owned()));
        if found.is_none() {
            let names = self.raw.aliases.keys().filter(|(of, _)| *of == kind);
            let near = nearest(name, names.map(|(_, name)| name.as_str()));
            let near = near.map(|name| format!("@{}.{name}", kind.key()));
            self.problems
                .suggest(word, format!("unknown alias {}", word.quoted()), near);
        }
        found
    }

    fn wrong_kind(&self, kind: Kind, word: &Word, written: &str) {
        let known = Kind::ALL.map(Kind::key);
        if known.contains(&written) {
            let message = format!(
                "{} cannot stand here; only `@{}.…` can",
                word.quoted(),
                kind.key()
            );
            self.problems.add(word, message);
        } else {
            let message = format!("unknown kind of alias in {}", word.quoted());
            self.problems
                .suggest(word, message, nearest(written, known));
        }
    }
}

struct Walk<'s, 'a> {
    aliases: &'s Aliases<'a>,
    kind: Kind,
    path: Vec<&'a str>,
    done: HashSet<&'a str>,
    seen: HashSet<&'a str>,
    out: Vec<&'a Word>,
}

impl<'a> Walk<'_, 'a> {
    fn words(&mut self, words: &'a [Word]) {
        for word in words {
            match word.text.strip_prefix('@') {
                Some(reference) => self.alias(word, reference),
                None if self.seen.insert(&word.text) => self.out.push(word),
                None => {}
            }
        }
    }

    fn alias(&mut self, word: &'a Word, reference: &str) {
        let Some((name, words)) = self.aliases.lookup(self.kind, word, reference) else {
            return;
        };
        let name = name.text.as_str();
        if self.path.contains(&name) {
            let message = format!("alias {} goes round in a circle", word.quoted());
            self.aliases.problems.add(word, message);
        } else if !self.done.contains(name) {
            self.path.push(name);
            self.words(words);
            self.path.pop();
            self.done.insert(name);
        }
    }
}
