//! The commands a rule speaks of.

mod braces;
mod cover;
mod edit;
mod glob;
mod leeway;
mod parse;
mod pattern;
mod pin;
mod spell;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;

use crate::diagnostic::Place;
pub use edit::EditPath;
pub(crate) use leeway::Leeway;
use pattern::Pattern;
use pin::Pin;

/// How wildcards are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As an allow rule must: `..`, a leading `.` and a leading `-` never match a wildcard.
    Strict,
    /// As a deny rule must: whatever a wildcard could mean, it forbids.
    Generous,
}

/// A file as it was asked for and as what it is, both with merged `/usr`.
pub(crate) struct File<'a> {
    pub(crate) asked: Cow<'a, [u8]>,
    pub(crate) real: Cow<'a, [u8]>,
    /// The SHA-256 of its contents, where somebody looked.
    hash: Option<[u8; 32]>,
}

impl<'a> File<'a> {
    pub(crate) fn new(asked: &'a [u8], real: &'a [u8]) -> Self {
        Self {
            asked: usr_merged(asked),
            real: usr_merged(real),
            hash: None,
        }
    }

    pub(crate) fn hashed(self, hash: Option<[u8; 32]>) -> Self {
        Self { hash, ..self }
    }
}

/// One entry of a rule's `commands`.
#[derive(Clone, Debug)]
pub struct Command {
    text: String,
    place: Place,
    /// What the file must be, whatever its name.
    pin: Option<Pin>,
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Shape {
    /// `ALL`: any command and any shell
    Anything,
    /// `SHELL`: what `-s` and `-i` start
    Shell,
    Run(Run),
}

#[derive(Clone, Debug)]
struct Run {
    path: Pattern,
    args: Vec<Pattern>,
    /// `...`: any further arguments
    more: bool,
}

/// A pattern that cannot be understood; `what` goes into a message after the pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandError {
    pub(crate) what: String,
    pub(crate) suggestion: Option<String>,
}

impl CommandError {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            suggestion: None,
        }
    }
}

impl Command {
    /// The pattern as written in the policy.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it is written.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The paths it names without a wildcard, as absolute paths with `/bin`, `/sbin` and
    /// `/lib*` read as their `/usr` namesakes.
    pub fn literal_paths(&self) -> impl Iterator<Item = &[u8]> {
        let run = match &self.shape {
            Shape::Run(run) => Some(run),
            Shape::Anything | Shape::Shell => None,
        };
        run.into_iter().flat_map(|run| run.path.literals())
    }

    /// The folders below which its paths with wildcards lie; `None` where any file can match.
    pub(crate) fn folders(&self) -> Option<impl Iterator<Item = &[u8]>> {
        match &self.shape {
            Shape::Run(run) => Some(run.path.folders()),
            Shape::Anything | Shape::Shell => None,
        }
    }

    /// Whether only the paths of [`Command::literal_paths`] can match.
    pub(crate) fn is_literal(&self) -> bool {
        matches!(&self.shape, Shape::Run(run) if run.path.is_literal())
    }

    /// Whether it is `ALL`: a deny of that forbids edits too, an allow of it speaks of none.
    pub(crate) fn is_anything(&self) -> bool {
        matches!(self.shape, Shape::Anything)
    }

    /// Whether it names one file by the hash of its contents.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.pin.is_some()
    }

    // What nobody looked at is not known to be the file, and not known to be another.
    fn is_the_file(&self, file: &File<'_>, reading: Reading) -> bool {
        match (self.pin, file.hash) {
            (None, _) => true,
            (Some(pin), Some(hash)) => pin.is(hash),
            (Some(_), None) => reading == Reading::Generous,
        }
    }

    /// Whether it can match `file` with some arguments, read either way.
    pub(crate) fn speaks_of(&self, file: &File<'_>, shell: bool) -> bool {
        match &self.shape {
            Shape::Anything => true,
            Shape::Shell => shell,
            // Generous matches whatever strict does.
            Shape::Run(run) => run.names(file, Reading::Generous),
        }
    }

    pub(crate) fn matches(
        &self,
        file: &File<'_>,
        args: &[Vec<u8>],
        shell: bool,
        reading: Reading,
    ) -> bool {
        if !self.is_the_file(file, reading) {
            return false;
        }
        match &self.shape {
            Shape::Anything => true,
            Shape::Shell => shell,
            Shape::Run(run) => run.matches(file, args, reading),
        }
    }
}

impl Run {
    // An allow is for the program by the name it names: what else the file is called, and what it
    // does when called so, it doesn't speak of. A deny holds for the file by any name.
    fn names(&self, file: &File<'_>, reading: Reading) -> bool {
        self.path.matches(&file.asked, reading)
            || (reading == Reading::Generous && self.path.matches(&file.real, reading))
    }

    fn matches(&self, file: &File<'_>, args: &[Vec<u8>], reading: Reading) -> bool {
        let enough = match self.more {
            true => args.len() >= self.args.len(),
            false => args.len() == self.args.len(),
        };
        enough
            && self.names(file, reading)
            && self
                .args
                .iter()
                .zip(args)
                .all(|(pattern, arg)| pattern.matches(arg, reading))
    }
}

// Debian 12 and 13 and every distribution we ship for have merged /usr: both spellings are one
// file, and a deny rule written with the one must meet the other.
const MERGED: &[&[u8]] = &[
    b"/bin/",
    b"/sbin/",
    b"/lib/",
    b"/lib32/",
    b"/lib64/",
    b"/libx32/",
];

/// A path with `/bin`, `/sbin` and `/lib*` read as links into `/usr`, which they are.
pub(crate) fn usr_merged(path: &[u8]) -> Cow<'_, [u8]> {
    if MERGED.iter().any(|folder| path.starts_with(folder)) {
        [b"/usr", path].concat().into()
    } else {
        path.into()
    }
}
