//! What an entry leaves to whoever asks.

use super::pattern::Pattern;
use super::{Command, Reading, Run, Shape};

/// The words of an entry, as what a caller can put there.
#[derive(Clone, Copy)]
pub(crate) struct Leeway<'a>(&'a Run);

impl Command {
    /// What it leaves to the caller; `None` for `ALL` and `SHELL`, which leave everything.
    pub(crate) fn leeway(&self) -> Option<Leeway<'_>> {
        match &self.shape {
            Shape::Run(run) => Some(Leeway(run)),
            Shape::Anything | Shape::Shell => None,
        }
    }
}

impl<'a> Leeway<'a> {
    /// Whether it can be the program at `path`.
    pub(crate) fn can_run(self, path: &[u8]) -> bool {
        self.0.path.matches(path, Reading::Strict)
    }

    /// Paths that it names without a wildcard.
    pub(crate) fn programs(self) -> impl Iterator<Item = &'a [u8]> {
        self.0.path.literals()
    }

    /// How many arguments are spoken of one by one.
    pub(crate) fn spoken_of(self) -> usize {
        self.0.args.len()
    }

    /// Whether any further arguments may follow.
    pub(crate) fn open(self) -> bool {
        self.0.more
    }

    /// Whether the argument at `at` can be `word`.
    pub(crate) fn can_be(self, at: usize, word: &[u8]) -> bool {
        let named = |pattern: &Pattern| pattern.matches(word, Reading::Strict);
        self.0.args.get(at).map_or(self.0.more, named)
    }

    /// The argument at `at`, where nobody can choose it.
    pub(crate) fn fixed(self, at: usize) -> Option<&'a [u8]> {
        let pattern = self.0.args.get(at)?;
        let mut literals = pattern.literals();
        let only = literals.next().filter(|_| pattern.is_literal())?;
        literals.next().is_none().then_some(only)
    }
}
