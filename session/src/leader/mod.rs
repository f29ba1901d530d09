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
pub(crate) use self::pam_session::{check_account, preload};

/// Lead session `id` as `body` (a [`Launch`](elevate_protocol::launch::Launch)) says; the exit
/// status of this process.
///
/// `control` leads to `elevated`, `stream` to the client. `go` is readable once the launcher has
/// made sure that this process cannot be lost, and closed if that failed.
pub fn run(id: Id, body: &[u8], control: OwnedFd, stream: OwnedFd, go: OwnedFd) -> i32 {
    let mut control = Control::new(control);
    let mut client = Client::new(stream);
    match start::start(id, body, &go, &mut control, &mut client) {
        Ok(started) => session::run(started, control, client),
        Err(failure) => failure.tell(id, &mut control, &mut client),
    }
}
