//! The leader of an edit. It hands copies to the client, whose editor runs as the caller, and writes
//! what comes back with the target's rights: `elevate -e`, as sudoedit(8).
//!
//! No program runs for the target, so that there is neither a scope nor a PAM session to open; the
//! caller's account is checked all the same.

mod attributes;
mod commit;
mod diff;
mod hearing;
mod incoming;
mod original;
mod session;
mod start;
mod warnings;
mod write;

use std::os::fd::OwnedFd;

use elevate_protocol::Id;

use crate::leader::Sockets;
use crate::leader::client::Client;
use crate::leader::control::Control;

/// Lead the edit `id` as `body` (an [`Edit`](elevate_protocol::launch::Edit)) says; the exit status
/// of this process. The rest is as for [`leader::run`](crate::leader::run).
pub(crate) fn run(id: Id, body: &[u8], sockets: Sockets, go: OwnedFd) -> i32 {
    let mut control = Control::new(sockets.control);
    let mut client = Client::new(sockets.stream);
    match start::start(body, &go, &sockets.account) {
        Ok(started) => session::run(id, started, control, client),
        Err(failure) => failure.tell(id, &mut control, &mut client),
    }
}
