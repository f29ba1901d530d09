//! What is wrong with a policy, where, and what was probably meant.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A file of the policy: its name for messages, and its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's name as messages shall show it.
    pub name: String,
    /// The file's whole text, TOML.
    pub text: String,
}

/// A place in a file of the policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "PlaceParts", into = "PlaceParts")]
pub struct Place {
    /// The file's name, as in [`Source::name`].
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[derive(Serialize, Deserialize)]
struct PlaceParts {
    file: String,
    line: u32,
    column: u32,
}

impl From<PlaceParts> for Place {
    fn from(parts: PlaceParts) -> Self {
        Self {
            file: parts.file.into(),
            line: parts.line,
            column: parts.column,
        }
    }
}

impl From<Place> for PlaceParts {
    fn from(place: Place) -> Self {
        Self {
            file: place.file.as_ref().to_owned(),
            line: place.line,
            column: place.column,
        }
    }
}

/// One thing that is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// The file's name, as in [`Source::name`].
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1, in characters.
    pub column: u32,
    /// The word that is wrong, as written, escaped for showing.
    pub word: String,
    /// What is wrong with it, and what to do.
    pub message: String,
    /// The word that was probably meant.
    pub suggestion: Option<String>,
}

/// `file:line:column: message, did you mean …?`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )?;
        match &self.suggestion {
            Some(word) => write!(f, ", did you mean `{word}`?"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a policy, in the order of files and lines; never empty
/// when it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// The diagnostics one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One diagnostic a line.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            let newline = if i == 0 { "" } else { "\n" };
            write!(f, "{newline}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
