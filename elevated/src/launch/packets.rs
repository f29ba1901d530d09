//! Sequenced packets, waited for by tokio.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::seqpacket::{self, Packet, Wait};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// One end of a sequenced-packet socket.
#[derive(Debug)]
pub struct Packets(AsyncFd<OwnedFd>);

impl Packets {
    /// Wait on `socket` in the current runtime.
    #[expect(
        deprecated,
        reason = "the successor is unsafe for descriptors that nobody owns, and this one is owned"
    )]
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        Ok(Packets(AsyncFd::with_interest(
            socket,
            Interest::READABLE | Interest::WRITABLE,
        )?))
    }

    /// Send one packet.
    pub async fn send(&self, body: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        loop {
            let mut ready = self.0.writable().await?;
            let sent = ready
                .try_io(|socket| seqpacket::send(socket.get_ref(), body, descriptors, Wait::No));
            if let Ok(result) = sent {
                return result;
            }
        }
    }

    /// Receive one packet; `None` when the other end is gone.
    pub async fn receive(&self, limit: usize) -> io::Result<Option<Packet>> {
        loop {
            let mut ready = self.0.readable().await?;
            let got = ready.try_io(|socket| seqpacket::receive(socket.get_ref(), limit, Wait::No));
            if let Ok(result) = got {
                return result;
            }
        }
    }

    /// The socket itself, no longer waited on.
    pub fn into_inner(self) -> OwnedFd {
        self.0.into_inner()
    }
}

impl AsFd for Packets {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
