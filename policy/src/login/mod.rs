//! Who may log in: from a login to a verdict.

mod verdict;

use serde::Serialize;

use crate::mfa::Mfa;
use crate::when::When;
pub use verdict::{LoginQuestion, LoginVerdict};

/// The `login` of a role: where and when its members come in, and what they owe at the door.
#[derive(Clone, Debug, Serialize)]
pub struct LoginTerms {
    /// Where, by what, when and from where.
    pub when: When,
    /// What second factor is owed.
    pub mfa: Option<Mfa>,
    /// Whether the whole login is recorded, as everything its terminal shows.
    pub record: bool,
}

/// Anywhere, at any time, with a code each time, not recorded: what a role says that doesn't speak of logins.
impl Default for LoginTerms {
    fn default() -> Self {
        Self {
            when: When::default(),
            mfa: Some(Mfa::Always),
            record: false,
        }
    }
}
