//! Collects what is wrong, so that one look shows all of it.

use std::cell::RefCell;

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::shown::shown;

/// A text of the policy and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) place: Place,
}

impl Word {
    /// The text in backticks, fit for a message.
    pub(crate) fn quoted(&self) -> String {
        format!("`{}`", shown(&self.text))
    }
}

#[derive(Default)]
pub(crate) struct Problems(RefCell<Vec<Diagnostic>>);

impl Problems {
    pub(crate) fn add(&self, word: &Word, message: impl Into<String>) {
        self.suggest(word, message, None);
    }

    pub(crate) fn suggest(
        &self,
        word: &Word,
        message: impl Into<String>,
        suggestion: Option<String>,
    ) {
        self.0.borrow_mut().push(Diagnostic {
            file: word.place.file.as_ref().to_owned(),
            line: word.place.line,
            column: word.place.column,
            word: shown(&word.text),
            message: message.into(),
            suggestion,
        });
    }

    /// All of them in order; a word of an alias that several rules use is reported once.
    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        let mut all = self.0.into_inner();
        all.sort();
        all.dedup();
        Diagnostics(all)
    }
}
