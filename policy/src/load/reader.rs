//! Walks a parsed TOML file by hand, because only that keeps the place of every word.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::language::{self, Keys};
use super::problems::{Problems, Word};
use crate::diagnostic::{Place, Source};
use crate::suggest::nearest;

pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// One file, and where its problems go.
pub(super) struct Reader<'a> {
    name: Arc<str>,
    text: &'a str,
    line_starts: Vec<usize>,
    pub(super) problems: &'a Problems,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source, problems: &'a Problems) -> Self {
        let newlines = source.text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            name: source.name.as_str().into(),
            text: &source.text,
            line_starts: std::iter::once(0).chain(newlines).collect(),
            problems,
        }
    }

    /// The whole file, or nothing when its syntax is broken.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let span = error.span().unwrap_or(0..0);
            let text = self.text.get(span.clone()).unwrap_or_default();
            let word = self.word(text.lines().next().unwrap_or_default(), span);
            self.problems
                .add(&word, error.message().replace('\n', "; "));
        }
        errors.is_empty().then_some(table)
    }

    pub(super) fn word(&self, text: &str, span: Range<usize>) -> Word {
        Word {
            text: text.to_owned(),
            place: self.place(span.start),
        }
    }

    pub(super) fn key(&self, key: &Spanned<DeString<'_>>) -> Word {
        self.word(key.get_ref(), key.span())
    }

    fn place(&self, offset: usize) -> Place {
        let line = self
            .line_starts
            .partition_point(|start| *start <= offset)
            .max(1);
        let start = self.line_starts[line - 1];
        let before = self.text.get(start..offset).unwrap_or_default();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Place {
            file: Arc::clone(&self.name),
            line: number(line),
            column: number(before.chars().count() + 1),
        }
    }

    /// Complains of every key that the language doesn't know or this version doesn't enforce.
    pub(super) fn check_keys(&self, table: &DeTable<'_>, keys: &Keys) {
        for key in table.keys() {
            self.check_word(&self.key(key), keys, "key");
        }
    }

    /// Complains of a word that the language doesn't know or this version doesn't enforce; `what`
    /// is the word for such words.
    pub(super) fn check_word(&self, word: &Word, keys: &Keys, what: &str) {
        let name = word.text.as_str();
        if keys.enforces(name) {
            return;
        }
        if keys.later.contains(&name) {
            return self.not_yet(word);
        }
        let message = format!("unknown {what} {}", word.quoted());
        match keys.home_of(name) {
            Some(home) => {
                let message = format!("{message} here; it stands in `{home}`");
                self.problems.add(word, message);
            }
            None => {
                let near = nearest(name, keys.names());
                self.problems.suggest(word, message, near);
            }
        }
    }

    pub(super) fn not_yet(&self, word: &Word) {
        let message = format!(
            "{} isn't enforced yet by this version of Elevate; remove it",
            word.quoted()
        );
        self.problems.add(word, message);
    }

    pub(super) fn table<'v, 'i>(&self, value: &'v Value<'i>, key: &str) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(value, key, "a table");
        }
        table
    }

    pub(super) fn string(&self, value: &Value<'_>, key: &str) -> Option<Word> {
        match value.get_ref().as_str() {
            Some(text) => Some(self.word(text, value.span())),
            None => {
                self.wrong_type(value, key, "a string in quotes");
                None
            }
        }
    }

    /// The strings of a list. `example` shows how one is written.
    pub(super) fn strings(&self, value: &Value<'_>, key: &str, example: &str) -> Vec<Word> {
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(value, key, &format!("a list, as in `{key} = [{example}]`"));
            return Vec::new();
        };
        array
            .iter()
            .filter_map(|item| self.item(item, key))
            .collect()
    }

    /// One string, or the strings of a list.
    pub(super) fn one_or_more(&self, value: &Value<'_>, key: &str, example: &str) -> Vec<Word> {
        match value.get_ref().as_str() {
            Some(text) => vec![self.word(text, value.span())],
            None => self.strings(value, key, example),
        }
    }

    fn item(&self, item: &Value<'_>, key: &str) -> Option<Word> {
        let pinned = item.get_ref().as_table().filter(|_| key == "commands");
        let Some(pinned) = pinned else {
            return self.string(item, key);
        };
        self.pinned(item, pinned)
    }

    /// `{ run = "COMMAND", sha256 = "HASH" }`, as one word.
    fn pinned(&self, item: &Value<'_>, table: &DeTable<'_>) -> Option<Word> {
        self.check_keys(table, &language::PINNED);
        let part = |key| {
            let value = table.get(key);
            if value.is_none() {
                let message = format!(
                    "there is no `{key}`; write it as in `{{ run = \"/usr/bin/id\", sha256 = \"…\" }}`"
                );
                self.problems.add(&self.raw(item), message);
            }
            self.string(value?, key)
        };
        let (run, hash) = (part("run"), part("sha256"));
        let (run, hash) = (run?, hash?);
        Some(Word {
            text: format!("sha256:{} {}", hash.text, run.text),
            place: run.place,
        })
    }

    pub(super) fn boolean(&self, value: &Value<'_>, key: &str) -> Option<bool> {
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.wrong_type(value, key, "true or false");
        }
        boolean
    }

    /// A whole number between the two, both included.
    pub(super) fn number(
        &self,
        value: &Value<'_>,
        key: &str,
        (least, most): (u32, u32),
    ) -> Option<u32> {
        let wanted = format!("a whole number from {least} to {most}");
        let Some(integer) = value.get_ref().as_integer() else {
            self.wrong_type(value, key, &wanted);
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.problems
                .add(&self.raw(value), format!("`{key}` is {wanted}"));
        }
        number
    }

    /// The value as it stands in the file, its first line.
    pub(super) fn raw(&self, value: &Value<'_>) -> Word {
        let text = self.text.get(value.span()).unwrap_or_default();
        self.word(text.lines().next().unwrap_or_default(), value.span())
    }

    pub(super) fn wrong_type(&self, value: &Value<'_>, key: &str, wanted: &str) {
        let found = value.get_ref().type_str();
        let message = format!("`{key}` takes {wanted}, and this is of type {found}");
        self.problems.add(&self.raw(value), message);
    }

    /// What the word under `key` stands for, if it is there and one of `choices`.
    pub(super) fn choice<T: Copy>(
        &self,
        table: &DeTable<'_>,
        key: &str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let word = self.string(table.get(key)?, key)?;
        let found = choices.iter().find(|(name, _)| *name == word.text);
        if found.is_none() {
            let names = || choices.iter().map(|(name, _)| *name);
            let quoted: Vec<_> = names().map(|name| format!("\"{name}\"")).collect();
            let (last, others) = quoted.split_last()?;
            let message = format!(
                "unknown {key} {}; it is {} or {last}",
                word.quoted(),
                others.join(", ")
            );
            let near = nearest(&word.text, names());
            self.problems.suggest(&word, message, near);
        }
        found.map(|(_, value)| *value)
    }
}
