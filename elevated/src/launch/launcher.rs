//! The one connection to the launcher.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use elevate_protocol::launch::{CheckAccount, EndUser, Header, Order, Resolve};
use elevate_protocol::{Id, paths};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::Packets;

/// How long an order may wait for those before it. Its socket holds some dozens, and a hundred
/// people may ask at the same moment.
const ROOM_TIME: Duration = Duration::from_secs(10);

/// The launcher, connected to when it is first needed, and again when it was restarted.
#[derive(Debug, Default)]
pub struct Launcher(Mutex<Option<Packets>>);

impl Launcher {
    /// Have it fork a resolver, which answers on `reply`.
    pub async fn resolve(&self, id: Id, resolve: &Resolve, reply: OwnedFd) -> io::Result<()> {
        let header = Header {
            order: Order::Resolve,
            id,
        };
        self.send(&header.packet(resolve), &[reply.as_fd()]).await
    }

    /// Have it fork somebody who asks PAM about an account, and answers on `reply`.
    pub async fn check_account(
        &self,
        id: Id,
        order: &CheckAccount,
        reply: OwnedFd,
    ) -> io::Result<()> {
        let header = Header {
            order: Order::CheckAccount,
            id,
        };
        self.send(&header.packet(order), &[reply.as_fd()]).await
    }

    /// Have it fork a leader, by this order, with its control socket, the client's stream, and the
    /// socket on which the account's check answers.
    pub async fn lead(&self, order: &[u8], sockets: [OwnedFd; 3]) -> io::Result<()> {
        let sockets = sockets.each_ref().map(OwnedFd::as_fd);
        self.send(order, &sockets).await
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
            match deliver(open, packet, descriptors).await {
                Ok(()) => return Ok(()),
                // The launcher was restarted; its socket takes us at once.
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let new = connect()?;
        deliver(&new, packet, descriptors).await?;
        *connection = Some(new);
        Ok(())
    }
}

async fn deliver(
    connection: &Packets,
    packet: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    match timeout(ROOM_TIME, connection.send(packet, descriptors)).await {
        Ok(sent) => sent,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it took no order for {} s", ROOM_TIME.as_secs()),
        )),
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected
    )
}

fn is_open(connection: &Packets) -> bool {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut polled = [PollFd::new(connection, PollFlags::OUT)];
    let now = rustix::time::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut polled, Some(&now)).is_ok() && !polled[0].revents().contains(PollFlags::HUP)
}

fn connect() -> io::Result<Packets> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(paths::LAUNCHER_SOCKET)?)?;
    Packets::new(socket)
}

#[cfg(test)]
mod tests {
    use elevate_protocol::seqpacket::{self, Wait};

    use super::*;

    #[tokio::test]
    async fn an_order_waits_for_those_before_it() {
        let (ours, theirs) = seqpacket::pair().unwrap();
        let connection = Packets::new(ours).unwrap();
        let order = vec![b'x'; 4096];
        let mut before = 0;
        while seqpacket::send(&connection, &order, &[], Wait::No).is_ok() {
            before += 1;
        }
        let launcher = tokio::task::spawn_blocking(move || {
            for _ in 0..=before {
                seqpacket::receive(&theirs, 4096, Wait::Yes)
                    .unwrap()
                    .unwrap();
            }
            theirs
        });
        deliver(&connection, &order, &[]).await.unwrap();
        drop(launcher.await.unwrap());
        let gone = deliver(&connection, &order, &[]).await.unwrap_err();
        assert!(is_gone(&gone), "{gone}");
    }
}
