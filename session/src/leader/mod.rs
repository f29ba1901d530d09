//! The session leader: one process for each session, outside the session's tree. It opens the
//! session, lets the command begin, carries and records what it shows, and ends it on time.

pub(crate) mod client;
mod command;
mod confinement;
pub(crate) mod control;
mod descriptors;
mod environment;
mod execs;
pub(crate) mod failure;
mod hygiene;
mod limits;
mod pam_session;
mod recording;
pub(crate) mod schedule;
mod sealed;
mod session;
mod sftp_log;
pub(crate) mod start;
mod terminal;
pub(crate) mod timer;

use std::os::fd::OwnedFd;

use elevate_protocol::Id;

use self::client::Client;
use self::control::Control;
pub(crate) use self::pam_session::{SERVICE, failure as pam_failure, preload};

/// What a leader speaks with others by.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// To `elevated`.
    pub(crate) control: OwnedFd,
    /// To the client.
    pub(crate) stream: OwnedFd,
    /// From whoever asks PAM about the caller's account.
    pub(crate) account: OwnedFd,
}

/// Lead session `id` as `body` (a [`Launch`](elevate_protocol::launch::Launch)) says; the exit
/// status of this process.
///
/// `go` is readable once the launcher has made sure that this process cannot be lost, and closed if
/// that failed.
pub(crate) fn run(id: Id, body: &[u8], sockets: Sockets, go: OwnedFd) -> i32 {
    let mut control = Control::new(sockets.control);
    let mut client = Client::new(sockets.stream);
    match start::start(id, body, (go, sockets.account), &mut control, &mut client) {
        Ok(started) => session::run(started, control, client),
        Err(failure) => failure.tell(id, &mut control, &mut client),
    }
}
