//! The link to a session's leader, from this side of its control socket.

use std::io;
use std::os::fd::OwnedFd;

use elevate_protocol::launch::{FromLeader, ToLeader};
use elevate_protocol::limits::LAUNCH_BYTES;
use elevate_protocol::message;

use super::Packets;

/// A leader.
#[derive(Debug)]
pub struct Link(Packets);

impl Link {
    /// The leader at the other end of `control`.
    pub fn new(control: OwnedFd) -> io::Result<Self> {
        Ok(Link(Packets::new(control)?))
    }

    /// Say something to it.
    pub async fn send(&self, message: &ToLeader) -> io::Result<()> {
        self.0.send(&message::encode(message), &[]).await
    }

    /// What it says next; `None` when it is gone.
    pub async fn receive(&self) -> io::Result<Option<FromLeader>> {
        match self.0.receive(LAUNCH_BYTES).await? {
            Some(packet) => Ok(Some(serde_json::from_slice(&packet.body)?)),
            None => Ok(None),
        }
    }
}

impl std::os::fd::AsFd for Link {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
