//! Who may log in: from a login to a verdict.

mod host;
mod hours;
mod network;
mod verdict;

use serde::Serialize;

use crate::mfa::Mfa;
pub use host::HostPattern;
pub use hours::Hours;
pub use network::Network;
pub use verdict::{LoginQuestion, LoginVerdict};

/// The `login` of a role: where and when its members come in, and what they owe at the door.
#[derive(Clone, Debug, Serialize)]
pub struct LoginTerms {
    /// Where, by what, when and from where.
    pub when: LoginWhen,
    /// What second factor is owed.
    pub mfa: Option<Mfa>,
    /// Whether the whole login is recorded, as everything its terminal shows.
    pub record: bool,
}

/// Anywhere, at any time, with a code each time, not recorded: what a role says that doesn't speak of logins.
impl Default for LoginTerms {
    fn default() -> Self {
        Self {
            when: LoginWhen::default(),
            mfa: Some(Mfa::Always),
            record: false,
        }
    }
}

/// The `login.when` of a role: all of its lists must fit. A list that isn't written is `None` and
/// fits everything; an empty one, as an alias may be, fits nothing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LoginWhen {
    /// To which hosts; aliases resolved, sorted.
    pub hosts: Option<Vec<HostPattern>>,
    /// By which PAM services; sorted.
    pub services: Option<Vec<String>>,
    /// When; sorted as written.
    pub hours: Option<Vec<Hours>>,
    /// From which networks; sorted.
    pub from: Option<Vec<Network>>,
}
