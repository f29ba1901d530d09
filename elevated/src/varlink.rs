//! The server side of Varlink on a Unix socket.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::varlink::{self, Call, Malformed, Messages, Reply};
use rustix::net::sockopt::socket_peercred;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// How long to wait after a connection that could not be accepted.
const REST: Duration = Duration::from_millis(100);

/// Hold a conversation on each connection to the listening socket that systemd passed, at most so
/// many at a time; `name` is the socket's, for what fails. The queue of the socket holds whoever
/// comes while all places are taken.
pub fn listen<C, F>(
    listener: OwnedFd,
    name: &'static str,
    places: usize,
    converse: C,
) -> io::Result<()>
where
    C: Fn(UnixStream) -> F + Send + 'static,
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = StdListener::from(listener);
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(places));
    tokio::spawn(async move {
        // Nobody closes the semaphore.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            match listener.accept().await {
                Ok((socket, _)) => {
                    let conversation = converse(socket);
                    tokio::spawn(async move {
                        if let Err(error) = conversation.await {
                            eprintln!("{name} socket: {error}");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    eprintln!("{name} socket: {error}");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    });
    Ok(())
}

/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;

/// Who is at the other end, as the kernel knows it since they connected (unix(7), `SO_PEERCRED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its uid.
    pub uid: u32,
    /// Its pid, as seen from here; the process may have ended since.
    pub pid: i32,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    socket: UnixStream,
    messages: Messages,
    peer: Peer,
    interface: (&'static str, &'static str),
}

impl Connection {
    /// Serve `interface`, its name and description, on `socket`, in messages of at most `longest`
    /// bytes.
    pub fn new(
        socket: UnixStream,
        interface: (&'static str, &'static str),
        longest: usize,
    ) -> io::Result<Self> {
        let credentials = socket_peercred(&socket)?;
        let peer = Peer {
            uid: credentials.uid.as_raw(),
            pid: credentials.pid.as_raw_nonzero().get(),
        };
        Ok(Connection {
            socket,
            messages: Messages::new(longest),
            peer,
            interface,
        })
    }

    /// Who is at the other end.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// The next call of the interface; questions about the service itself are answered on the way.
    /// `None` when the peer has hung up.
    pub async fn next_call(&mut self) -> io::Result<Option<Call>> {
        loop {
            let Some(call) = self.message().await? else {
                return Ok(None);
            };
            let (name, description) = self.interface;
            match varlink::introspect(&call, name, description) {
                Some(reply) => self.reply(&reply).await?,
                None => return Ok(Some(call)),
            }
        }
    }

    /// Answer the last call.
    pub async fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        self.socket.write_all(&varlink::encode(reply)).await
    }

    async fn message(&mut self) -> io::Result<Option<Call>> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match self.messages.read() {
                Ok(Some(call)) => return Ok(Some(call)),
                Ok(None) => {}
                Err(Malformed::Json(_)) => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "no Varlink call",
                    ));
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
            match self.socket.read(&mut chunk).await? {
                0 => return Ok(None),
                count => self.messages.push(&chunk[..count]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_protocol::login::{DESCRIPTION, INTERFACE};

    fn pair(longest: usize) -> (Connection, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let connection = Connection::new(ours, (INTERFACE, DESCRIPTION), longest).unwrap();
        (connection, theirs)
    }

    #[tokio::test]
    async fn questions_about_the_service_are_answered_on_the_way() {
        let (mut connection, mut client) = pair(1000);
        let ask = b"{\"method\":\"org.varlink.service.GetInfo\"}\0{\"method\":\"a.b\"}\0";
        client.write_all(ask).await.unwrap();
        let call = connection.next_call().await.unwrap().unwrap();
        assert_eq!(call.method, "a.b");
        let mut answer = vec![0; 4096];
        let count = client.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..count]).into_owned();
        assert!(answer.contains("org.elevate.Login"), "{answer}");
    }

    #[tokio::test]
    async fn what_is_no_call_ends_the_connection() {
        let (mut connection, mut client) = pair(100);
        client.write_all(b"root please\0").await.unwrap();
        assert!(connection.next_call().await.is_err());
        let (mut connection, mut client) = pair(100);
        client.write_all(&[b'{'; 101]).await.unwrap();
        assert!(connection.next_call().await.is_err());
        let (mut connection, client) = pair(100);
        drop(client);
        assert!(connection.next_call().await.unwrap().is_none());
    }
}
