//! Who is who on this host. Directory users come with the directory; these are the local ones.

mod files;
mod local;

pub use local::{Accounts, Local, UnknownAccount};
