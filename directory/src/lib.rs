//! `elevate-directory`: follows a directory server and hands the people and groups in it to
//! `elevated`, which checks each again.
#![warn(missing_docs)]

pub mod backoff;
pub mod batch;
pub mod cursor;
pub mod cycle;
pub mod dn;
pub mod ldap;
pub mod link;
pub mod members;
pub mod orders;
pub mod password;
pub mod record;
pub mod run;
pub mod server;
pub mod settings;
pub mod source;
pub mod status;
pub mod trusted;
