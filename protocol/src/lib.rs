//! What crosses a process boundary of Elevate: D-Bus names, stream and launch messages, the
//! recording format, logins and identities as Varlink, ids, limits and error names.
//!
//! Nothing here decides anything, and the only I/O is the framing of sequenced packets in
//! [`seqpacket`].
#![warn(missing_docs)]

pub mod account;
pub mod bus;
pub mod bytes;
pub mod directory;
pub mod error;
pub mod escape;
pub mod id;
pub mod launch;
pub mod limits;
pub mod login;
pub mod message;
pub mod paths;
pub mod recording;
pub mod secret;
pub mod seqpacket;
pub mod stdio;
pub mod stream;
pub mod terminal;
pub mod transfer;
pub mod varlink;

pub use bytes::Bytes;
pub use error::ErrorName;
pub use id::Id;
pub use secret::Secret;
