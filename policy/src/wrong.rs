//! Why a word of the policy cannot be understood.

/// What is wrong with a word; goes into a message after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) what: String,
    /// The word that was probably meant.
    pub(crate) suggestion: Option<String>,
}

impl Wrong {
    pub(crate) fn suggesting(what: impl Into<String>, suggestion: Option<String>) -> Self {
        let what = what.into();
        Self { what, suggestion }
    }
}

impl From<String> for Wrong {
    fn from(what: String) -> Self {
        Self::suggesting(what, None)
    }
}

impl From<&str> for Wrong {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
}
