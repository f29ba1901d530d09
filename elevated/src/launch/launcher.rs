//! The one connection to the launcher.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::launch::{EndUser, Header, Order, Resolve};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::{Id, paths};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::sync::Mutex;

/// The launcher, connected to when it is first needed, and again when it was restarted.
#[derive(Debug, Default)]
pub struct Launcher(Mutex<Option<OwnedFd>>);

impl Launcher {
    /// Have it fork a resolver, which answers on `reply`.
    pub async fn resolve(&self, id: Id, resolve: &Resolve, reply: OwnedFd) -> io::Result<()> {
        let header = Header {
            order: Order::Resolve,
            id,
        };
        self.send(&header.packet(resolve), &[reply.as_fd()]).await
    }

    /// Have it fork a leader, by this order, with these two sockets.
    pub async fn lead(&self, order: &[u8], control: OwnedFd, stream: OwnedFd) -> io::Result<()> {
        self.send(order, &[control.as_fd(), stream.as_fd()]).await
    }

    /// Have it fork somebody who ends every process of a leaver, and answers on `reply`.
    pub async fn end_user(&self, id: Id, order: EndUser, reply: OwnedFd) -> io::Result<()> {
        let header = Header {
            order: Order::EndUser,
            id,
        };
        self.send(&header.packet(&order), &[reply.as_fd()]).await
    }

    /// Whether it can be reached.
    pub async fn is_there(&self) -> bool {
        let mut connection = self.0.lock().await;
        connection.as_ref().is_some_and(is_open)
            || connect().map(|new| *connection = Some(new)).is_ok()
    }

    async fn send(&self, packet: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut connection = self.0.lock().await;
        if let Some(open) = connection.as_ref() {
            match seqpacket::send(open, packet, descriptors, Wait::No) {
                Ok(()) => return Ok(()),
                // The launcher was restarted; its socket takes us at once.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let new = connect()?;
        seqpacket::send(&new, packet, descriptors, Wait::No)?;
        *connection = Some(new);
        Ok(())
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected
    )
}

fn is_open(connection: &OwnedFd) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut polled = [PollFd::new(connection, PollFlags::OUT)];
    let now = rustix::time::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut polled, Some(&now)).is_ok() && !polled[0].revents().contains(PollFlags::HUP)
}

fn connect() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(paths::LAUNCHER_SOCKET)?)?;
    Ok(socket)
}
