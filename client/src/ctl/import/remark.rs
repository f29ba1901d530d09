//! What a conversion could not say as sudoers does.

use std::fmt;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It is not taken over.
    LeftOut,
    /// Less is allowed than by sudo, or more is asked for.
    Narrowed,
    /// It allows and forbids nothing; for information.
    Note,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) weight: Weight,
    /// The scope that it belongs to; `None` is to none.
    pub(super) scope: Option<usize>,
    /// The part of sudoers that it is about, as sudoers writes it; empty is the whole scope.
    pub(super) about: String,
    pub(super) what: String,
}

impl Remark {
    /// For the place where its scope stands.
    pub(super) fn at_its_place(&self) -> String {
        match self.about.as_str() {
            "" => format!("{}: {}", self.weight, self.what),
            about => format!("{}: {about}: {}", self.weight, self.what),
        }
    }

    /// For elsewhere; `scope` is what sudoers says there.
    pub(super) fn elsewhere(&self, scope: &str) -> String {
        match self.about.as_str() {
            "" => format!("{}: `{scope}`: {}", self.weight, self.what),
            about => format!("{}: {about} of `{scope}`: {}", self.weight, self.what),
        }
    }
}

/// The word that people look for.
impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LeftOut => "LEFT OUT",
            Self::Narrowed => "NARROWER",
            Self::Note => "note",
        })
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Remarks(Vec<Remark>);

impl Remarks {
    /// Adds one, once.
    pub(super) fn add(
        &mut self,
        scope: Option<usize>,
        weight: Weight,
        about: impl ToString,
        what: impl ToString,
    ) {
        let (about, what) = (about.to_string(), what.to_string());
        let remark = Remark {
            weight,
            scope,
            about,
            what,
        };
        if !self.0.contains(&remark) {
            self.0.push(remark);
        }
    }

    /// Those of one scope, or of none, in their order.
    pub(super) fn of(&self, scope: Option<usize>) -> impl Iterator<Item = &Remark> {
        self.0.iter().filter(move |remark| remark.scope == scope)
    }

    /// All of them, in the order of their scopes.
    pub(super) fn into_list(mut self) -> Vec<Remark> {
        self.0.sort_by_key(|remark| remark.scope);
        self.0
    }
}
