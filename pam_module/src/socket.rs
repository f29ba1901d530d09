//! One connection to `elevated`: Varlink on a Unix socket, with a deadline for every step.
//!
//! Nothing here blocks without a deadline: not `connect`, which would wait for a place in a full
//! backlog, and not a server that sends its answer byte by byte.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use elevate_protocol::limits::LOGIN_BYTES;
use elevate_protocol::varlink::Messages;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv,
    send, socket_with,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::deadline::Deadline;
use crate::ffi;
use crate::problem::Problem;

/// How long to wait before trying again what can't be done just now.
const MOMENT: Duration = Duration::from_millis(20);
/// How long the socket itself may be missing, as it is for a moment while a package is upgraded.
const MISSING: Duration = Duration::from_secs(1);

/// Where `elevated` listens, and as whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    pub(crate) path: &'a Path,
    /// The uid of whoever made the socket.
    pub(crate) owner: u32,
}

/// A whole reply. Stricter than Varlink asks for: without parameters, or with anything unknown
/// beside them, it is no reply of `elevated`'s.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    pub(crate) error: Option<String>,
    pub(crate) parameters: Map<String, Value>,
}

/// One connection; closed when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    messages: Messages,
}

impl Connection {
    /// Connect, and make sure that it is root who listens.
    pub(crate) fn open(endpoint: Endpoint<'_>, deadline: &Deadline) -> Result<Self, Problem> {
        let address = SocketAddrUnix::new(endpoint.path).map_err(Problem::Unreachable)?;
        let missing = Deadline::after(MISSING);
        let socket = loop {
            let socket = new_socket()?;
            match connect(&socket, &address) {
                Ok(()) => break socket,
                // The backlog is full: there is nothing to poll for, only to try again.
                Err(Errno::AGAIN | Errno::INTR) => deadline.pause(MOMENT)?,
                Err(error @ (Errno::NOENT | Errno::CONNREFUSED)) => {
                    missing
                        .pause(MOMENT)
                        .map_err(|_| Problem::Unreachable(error))?;
                    deadline.left()?;
                }
                Err(error) => return Err(Problem::Unreachable(error)),
            }
        };
        match ffi::socket::peer_uid(socket.as_fd())? {
            uid if uid == endpoint.owner => Ok(Connection {
                socket,
                messages: Messages::new(LOGIN_BYTES),
            }),
            stranger => Err(Problem::Stranger(stranger)),
        }
    }

    /// Send one message and take the one reply to it.
    pub(crate) fn call(&mut self, message: &[u8], deadline: &Deadline) -> Result<Reply, Problem> {
        self.send(message, deadline)?;
        loop {
            let next = self.messages.read::<Reply>();
            match next.map_err(|error| Problem::Nonsense(error.to_string()))? {
                Some(reply) if self.messages.is_empty() => return Ok(reply),
                Some(_) => {
                    let more = "more than one reply to one call";
                    return Err(Problem::Nonsense(more.to_owned()));
                }
                None => self.receive(deadline)?,
            }
        }
    }

    fn send(&self, mut rest: &[u8], deadline: &Deadline) -> Result<(), Problem> {
        // The host program may die of SIGPIPE.
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        while !rest.is_empty() {
            match send(&self.socket, rest, flags) {
                Ok(sent) => rest = &rest[sent..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => deadline.wait(self.socket.as_fd(), PollFlags::OUT)?,
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(Problem::HungUp),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn receive(&mut self, deadline: &Deadline) -> Result<(), Problem> {
        let mut buffer = [0; 4096];
        loop {
            deadline.wait(self.socket.as_fd(), PollFlags::IN)?;
            match recv(&self.socket, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) | Err(Errno::CONNRESET) => return Err(Problem::HungUp),
                Ok((got, _)) => {
                    self.messages.push(&buffer[..got]);
                    return Ok(());
                }
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A socket that nobody inherits and that never waits by itself.
fn new_socket() -> Result<OwnedFd, Problem> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    if socket.as_raw_fd() > 2 {
        return Ok(socket);
    }
    // A program that closed its standard streams must not write its messages to elevated.
    Ok(rustix::io::fcntl_dupfd_cloexec(&socket, 3)?)
}

/// Make a call on a fresh connection. Whoever accepts it and goes before it has answered is being
/// restarted: the call is made again, and the listening socket holds it until then.
pub(crate) fn begin(
    endpoint: Endpoint<'_>,
    message: &[u8],
    timeout: Duration,
) -> Result<(Connection, Reply), Problem> {
    let deadline = Deadline::after(timeout);
    loop {
        let mut connection = Connection::open(endpoint, &deadline)?;
        match connection.call(message, &deadline) {
            Ok(reply) => return Ok((connection, reply)),
            Err(Problem::HungUp) => deadline.pause(MOMENT).map_err(|_| Problem::HungUp)?,
            Err(problem) => return Err(problem),
        }
    }
}
