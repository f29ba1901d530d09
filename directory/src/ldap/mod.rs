//! An LDAP client of what synchronising needs, and no more: simple bind, StartTLS, "Who am I?",
//! searches with the controls of RFC 4533 and RFC 2696.
//!
//! Its parsers keep no stack of what a server nests and take no more memory than one message may
//! have: a hostile reply is an error here. (A general client that parses such a reply by recursion
//! ends the whole process; no task contains that.)

pub mod ber;
pub mod connection;
pub mod control;
pub mod filter;
pub mod reply;
pub mod request;
pub mod tls;
pub mod uri;

/// What went wrong between us and a server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or not any more.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Nothing came in time.
    #[error("no answer to {0} within {seconds} s", seconds = .1.as_secs_f32())]
    Timeout(&'static str, std::time::Duration),
    /// What came is no LDAP.
    #[error("a malformed reply: {0}")]
    Malformed(&'static str),
    /// The server said no.
    #[error("{0}: {1}")]
    Refused(&'static str, reply::Outcome),
    /// The server ended the connection (RFC 4511 section 4.4.1), or said so much before TLS that it
    /// can't be believed.
    #[error("{0}")]
    Ended(&'static str),
}
