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

use crate::leader::client::Client;
use crate::leader::control::Control;

/// Lead the edit `id` as `body` (an [`Edit`](elevate_protocol::launch::Edit)) says; the exit status
/// of this process. The rest is as for [`leader::run`](crate::leader::run).
pub fn run(id: Id, body: &[u8], control: OwnedFd, stream: OwnedFd, go: OwnedFd) -> i32 {
    let mut control = Control::new(control);
    let mut client = Client::new(stream);
    match start::start(body, &go) {
        Ok(started) => session::run(id, started, control, client),
        Err(failure) => failure.tell(id, &mut control, &mut client),
    }
}
