//! The leader's end of the control socket, whose other end is `elevated`'s and is kept by systemd
//! while `elevated` restarts.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use elevate_protocol::launch::{FromLeader, ToLeader};
use elevate_protocol::limits::MESSAGE_BYTES;
use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_send_buffer_size_force;
use zeroize::Zeroizing;

/// What may wait in the socket; the kernel takes it twice. The longest message must fit: a command
/// line of [`EXEC_RECORD_BYTES`](elevate_protocol::limits::EXEC_RECORD_BYTES) has six bytes in JSON
/// for each that is a control character.
const SEND_BUFFER: usize = 512 * 1024;
/// How long the outcome of a session may wait for `elevated` to take it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was received from `elevated`.
pub(crate) enum Heard {
    Message(ToLeader),
    Nothing,
    /// Nobody is at the other end, and systemd doesn't keep it for anybody.
    Closed,
}

/// `elevated`, as a leader sees it.
pub(crate) struct Control {
    socket: OwnedFd,
    closed: bool,
    /// Wiped when it is sent: a code may be among it.
    waiting: VecDeque<Zeroizing<Vec<u8>>>,
}

impl Control {
    pub(crate) fn new(socket: OwnedFd) -> Control {
        // Where it fails, what is longer than usual is never handed over, and nothing goes on.
        let _ = set_socket_send_buffer_size_force(&socket, SEND_BUFFER);
        let waiting = VecDeque::new();
        Control {
            socket,
            waiting,
            closed: false,
        }
    }

    /// The socket, unless it was seen to be closed.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        (!self.closed).then(|| self.socket.as_fd())
    }

    pub(crate) fn say(&mut self, message: &FromLeader) {
        self.waiting.push_back(message::encode(message).into());
        self.flush();
    }

    /// Send what waits, as far as there is room. A closed socket is noticed when it is polled.
    pub(crate) fn flush(&mut self) {
        let _ = drain(&self.socket, &mut self.waiting);
    }

    /// Whether something could not be handed over yet.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(crate) fn receive(&mut self) -> Heard {
        match seqpacket::receive(&self.socket, MESSAGE_BYTES, Wait::No) {
            Ok(Some(packet)) => match message::decode(&packet.body) {
                Ok(Frame::Message(message)) => Heard::Message(message),
                // From a newer `elevated`, perhaps: what isn't understood isn't obeyed.
                _ => {
                    eprintln!("a message that is not known, from elevated");
                    Heard::Nothing
                }
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Heard::Nothing,
            _ => {
                self.closed = true;
                Heard::Closed
            }
        }
    }

    /// The last words: wait for `elevated` to take them; it may be restarting.
    pub(crate) fn flush_for_good(&mut self) {
        wait_and_drain(&self.socket, &mut self.waiting, PATIENCE);
    }
}

/// Send packets of `waiting` while there is room; how many bytes were sent.
pub(crate) fn drain(
    socket: &OwnedFd,
    waiting: &mut VecDeque<impl AsRef<[u8]>>,
) -> io::Result<usize> {
    let mut sent = 0;
    while let Some(packet) = waiting.front() {
        match seqpacket::send(socket, packet.as_ref(), &[], Wait::No) {
            Ok(()) => sent += packet.as_ref().len(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
        waiting.pop_front();
    }
    Ok(sent)
}

/// Send all of `waiting`, for at most `patience` and as long as somebody is there.
pub(crate) fn wait_and_drain(
    socket: &OwnedFd,
    waiting: &mut VecDeque<impl AsRef<[u8]>>,
    patience: Duration,
) {
    let end = Instant::now() + patience;
    while drain(socket, waiting).is_ok() && !waiting.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        let Ok(left) = Timespec::try_from(left) else {
            return;
        };
        if poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&left)) == Ok(0) {
            return;
        }
    }
}
