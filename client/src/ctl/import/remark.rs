//! What a conversion could not say as sudoers does.

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// It is not taken over.
    LeftOut,
    /// Less is allowed than by sudo, or more is asked for.
    Narrowed,
    /// It allows and forbids nothing; for information.
    Note,
}

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) weight: Weight,
    /// The part of sudoers that it is about, as sudoers writes it.
    pub(crate) about: String,
    pub(crate) what: String,
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let weight = match self.weight {
            Weight::LeftOut => "LEFT OUT",
            Weight::Narrowed => "NARROWER",
            Weight::Note => "note",
        };
        write!(f, "{weight}: {}: {}", self.about, self.what)
    }
}

/// All of them, and which belong to which scope; `None` is to none.
#[derive(Debug, Default)]
pub(super) struct Remarks(Vec<(Option<usize>, Remark)>);

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
        let one = (
            scope,
            Remark {
                weight,
                about,
                what,
            },
        );
        if !self.0.contains(&one) {
            self.0.push(one);
        }
    }

    /// Those of one scope, or of none, in their order.
    pub(super) fn of(&self, scope: Option<usize>) -> impl Iterator<Item = &Remark> {
        let belongs = move |(of, _): &&(Option<usize>, Remark)| *of == scope;
        self.0.iter().filter(belongs).map(|(_, remark)| remark)
    }

    /// All of them.
    pub(super) fn into_list(self) -> Vec<Remark> {
        self.0.into_iter().map(|(_, remark)| remark).collect()
    }
}
