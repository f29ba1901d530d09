//! The files that a rule lets people edit.

use super::pattern::Pattern;
use super::words::split;
use super::{CommandError, Reading, usr_merged};
use crate::diagnostic::Place;
use crate::limits::MAX_PATTERN;

const HOW: &str = "a file is named by its whole path, as in `/etc/nginx/nginx.conf`";

/// One entry of a rule's `edit`: a path, with wildcards as in a command's.
#[derive(Clone, Debug)]
pub struct EditPath {
    text: String,
    place: Place,
    path: Pattern,
}

impl EditPath {
    /// Reads one entry of `edit`.
    pub(crate) fn parse(text: &str, place: Place) -> Result<Self, CommandError> {
        if text.len() > MAX_PATTERN {
            return Err(CommandError::new(format!(
                "it is longer than {MAX_PATTERN} bytes"
            )));
        }
        let words = split(text)?;
        let [word] = &words[..] else {
            return Err(CommandError::new(match words.is_empty() {
                true => "it is empty; write the path of a file",
                false => "it is one path to an entry; quote a space that is part of it",
            }));
        };
        Ok(Self {
            text: text.to_owned(),
            place,
            path: Pattern::path(word, HOW)?,
        })
    }

    /// The path as written in the policy.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it is written.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The paths it names without a wildcard, with `/bin`, `/sbin` and `/lib*` read as their
    /// `/usr` namesakes.
    pub fn literal_paths(&self) -> impl Iterator<Item = &[u8]> {
        self.path.literals()
    }

    /// The folders below which its paths with wildcards lie.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &[u8]> {
        self.path.folders()
    }

    /// Whether only the paths of [`EditPath::literal_paths`] can match.
    pub(crate) fn is_literal(&self) -> bool {
        self.path.is_literal()
    }

    pub(super) fn path(&self) -> &Pattern {
        &self.path
    }

    /// Another path at the same place.
    pub(super) fn like(&self, text: String, path: Pattern) -> Self {
        let place = self.place.clone();
        Self { text, place, path }
    }

    /// Whether it certainly matches whatever `other` allows.
    pub(crate) fn covers(&self, other: &Self, reading: Reading) -> bool {
        self.path.covers(&other.path, reading)
    }

    pub(crate) fn matches(&self, path: &[u8], reading: Reading) -> bool {
        self.path.matches(&usr_merged(path), reading)
    }
}
