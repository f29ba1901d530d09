//! Who is who on this host: the accounts of its own files, and the people of a directory who are
//! believed and admitted.

mod accounts;
pub mod directory;
mod files;
mod freshness;
mod identities;
mod ids;
mod link;
mod local;
mod news;
mod people;
mod publish;
pub(crate) mod settings;
mod state;
#[cfg(test)]
mod state_tests;
mod status;

pub use accounts::{Accounts, UnknownAccount};
pub use freshness::Freshness;
pub use identities::{Identities, Kept, Passage, Rejected};
pub use ids::Ids;
pub use local::{LocalAccounts, LocalFiles};
pub use news::{Absence, Departure, News};
pub use people::{Entry, People};
pub use publish::{Publisher, wanted};
pub use settings::DirectorySettings;
pub use state::{Place, State};
pub use status::Status;
