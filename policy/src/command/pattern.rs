//! One word of a command, with its alternatives.

use super::glob::{Glob, has_dots};
use super::words::{Unit, Word};
use super::{CommandError, Reading, braces, usr_merged};

/// A word: what any of its alternatives matches, it matches.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Alternative>);

#[derive(Clone, Debug)]
pub(super) enum Alternative {
    Literal(Vec<u8>),
    Glob(Glob),
}

impl Pattern {
    /// An argument.
    pub(super) fn argument(word: &Word) -> Result<Self, CommandError> {
        let words = braces::expand(&word.units)?;
        words
            .iter()
            .map(|units| alternative(units))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The command itself, or a file: an absolute path, with merged `/usr`. `how` says how one is
    /// written.
    pub(super) fn path(word: &Word, how: &str) -> Result<Self, CommandError> {
        let words = braces::expand(&word.units)?;
        let alternatives = words.into_iter().map(|units| {
            check_path(&units, how)?;
            alternative(&merged(units))
        });
        alternatives.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn matches(&self, text: &[u8], reading: Reading) -> bool {
        self.0.iter().any(|alternative| match alternative {
            Alternative::Literal(literal) => literal == text,
            Alternative::Glob(glob) => glob.matches(text, reading),
        })
    }

    /// Whether it certainly matches whatever `other` matches when that is read strictly.
    pub(super) fn covers(&self, other: &Self, reading: Reading) -> bool {
        other.0.iter().all(|narrow| match narrow {
            Alternative::Literal(text) => self.matches(text, reading),
            Alternative::Glob(narrow) => self.0.iter().any(|wide| match wide {
                Alternative::Literal(_) => false,
                Alternative::Glob(wide) => wide.covers(narrow, reading),
            }),
        })
    }

    pub(super) fn alternatives(&self) -> &[Alternative] {
        &self.0
    }

    /// How many alternatives there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// One pattern for each alternative.
    pub(super) fn each(&self) -> impl Iterator<Item = Self> {
        self.0.iter().map(|one| Self(vec![one.clone()]))
    }

    pub(super) fn is_literal(&self) -> bool {
        self.0
            .iter()
            .all(|alternative| matches!(alternative, Alternative::Literal(_)))
    }

    /// Of each alternative with a wildcard, the folder that it stays below.
    pub(super) fn folders(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter_map(|alternative| match alternative {
            Alternative::Literal(_) => None,
            Alternative::Glob(glob) => Some(glob.folder()),
        })
    }

    pub(super) fn literals(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter_map(|alternative| match alternative {
            Alternative::Literal(literal) => Some(literal.as_slice()),
            Alternative::Glob(_) => None,
        })
    }
}

fn alternative(units: &[Unit]) -> Result<Alternative, CommandError> {
    let literal = literal(units);
    let wild = units
        .iter()
        .any(|unit| matches!(unit, Unit::Star | Unit::DoubleStar));
    let steps_up = literal.split(|b| *b == b'/').any(|part| part == b"..");
    // Beside a wildcard no `..` at all: it would make a pattern that can never match.
    if steps_up || (wild && has_dots(&literal)) {
        return Err(CommandError::new(
            "`..` never matches; write the path it leads to",
        ));
    }
    Ok(if wild {
        Alternative::Glob(Glob::new(units))
    } else {
        Alternative::Literal(literal)
    })
}

// The bytes of a word, a wildcard as `*`.
fn literal(units: &[Unit]) -> Vec<u8> {
    let chars = units.iter().map(|unit| match unit {
        Unit::Char(c) => *c,
        _ => '*',
    });
    chars.collect::<String>().into_bytes()
}

fn check_path(units: &[Unit], how: &str) -> Result<(), CommandError> {
    let text = literal(units);
    let Some(path) = text.strip_prefix(b"/") else {
        return Err(CommandError::new(how));
    };
    let mut parts = path.split(|b| *b == b'/');
    if parts.any(|part| part.is_empty() || part == b".") {
        return Err(CommandError::new(
            "a path has no empty part, no `.` and no `/` at its end; it could never match",
        ));
    }
    Ok(())
}

fn merged(units: Vec<Unit>) -> Vec<Unit> {
    let text = literal(&units);
    let grown = usr_merged(&text).len() - text.len();
    let prefix = "/usr".chars().map(Unit::Char).take(grown);
    prefix.chain(units).collect()
}
