//! `when`: where, when and how somebody must come, of a login and of a rule.

mod fit;
mod host;
mod hours;
mod network;
mod valid;

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

pub(crate) use fit::Fit;
pub use fit::Scene;
pub use host::HostPattern;
pub use hours::Hours;
pub(crate) use hours::zone;
pub use network::Network;
pub use valid::Valid;

/// The `when` of a rule or of a role's `login`: all of it must fit. What isn't written is `None` and
/// fits everything; an empty list, as an alias may be, fits nothing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct When {
    /// On which hosts; aliases resolved, sorted.
    pub hosts: Option<Vec<HostPattern>>,
    /// By which PAM services they logged in; sorted.
    pub services: Option<Vec<String>>,
    /// From which networks they logged in; sorted.
    pub from: Option<Vec<Network>>,
    /// At which hours; sorted as written.
    pub hours: Option<Vec<Hours>>,
    /// Between which two moments. Logins have none.
    pub valid: Option<Valid>,
    /// Whether at a terminal. Logins have none.
    pub terminal: Option<bool>,
}

/// How somebody came in, as their login was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door<'a> {
    /// The PAM service, as in pam_start(3).
    pub service: &'a str,
    /// From where.
    pub from: Origin,
}

/// Where a login comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// From this address.
    Address(IpAddr),
    /// From no network: a console.
    Here,
    /// From what is no address, such as a name, which proves none.
    Unknown,
}

impl When {
    /// When what fits at `at` is over: the end of `hours` or `valid`. `None` where that is never.
    pub(crate) fn until(&self, at: Timestamp) -> Option<Timestamp> {
        let hours = self.hours.as_ref().and_then(|all| hours::until(all, at));
        let valid = self.valid.as_ref().map(Valid::end);
        [hours, valid].into_iter().flatten().min()
    }

    /// As written, by key, for telling people.
    pub(crate) fn told(&self) -> BTreeMap<String, Vec<String>> {
        fn words<T: ToString>(all: Option<&[T]>) -> Option<Vec<String>> {
            Some(all?.iter().map(ToString::to_string).collect())
        }
        let keys = [
            ("hosts", words(self.hosts.as_deref())),
            ("services", words(self.services.as_deref())),
            ("from", words(self.from.as_deref())),
            ("hours", words(self.hours.as_deref())),
            (
                "valid",
                words(self.valid.as_ref().map(std::slice::from_ref)),
            ),
            (
                "terminal",
                words(self.terminal.as_ref().map(std::slice::from_ref)),
            ),
        ];
        let written = keys.into_iter();
        written
            .filter_map(|(key, words)| Some((key.to_owned(), words?)))
            .collect()
    }
}
