//! The leader's end of the client's stream. It never waits for the client, which could be stopped.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use elevate_protocol::limits::MESSAGE_BYTES;
use elevate_protocol::message;
use elevate_protocol::seqpacket::{self, Credentials, Packet, Wait};
use elevate_protocol::stream::ToClient;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::control::drain;

/// When this much waits for the client, the command's output is not read any further.
const MOST_WAITING: usize = 256 * 1024;
/// How long a client may take to read why it was refused.
const PATIENCE: Duration = Duration::from_secs(1);

/// The client, until it is gone.
pub(crate) struct Client {
    stream: Option<OwnedFd>,
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    first: Option<First>,
}

/// The process that handed its standard streams over.
struct First {
    credentials: Credentials,
    process: OwnedFd,
}

impl Client {
    pub(crate) fn new(stream: OwnedFd) -> Client {
        Client {
            stream: Some(stream),
            waiting: VecDeque::new(),
            bytes: 0,
            first: None,
        }
    }

    /// A packet of `sender` began the session. The kernel names senders, since `elevated` wanted it
    /// to when the stream was its own.
    pub(super) fn remember_first(&mut self, sender: Option<Credentials>) {
        if self.first.is_some() {
            return;
        }
        self.first = sender.and_then(|credentials| {
            let pid = Pid::from_raw(credentials.pid)?;
            let process = pidfd_open(pid, PidfdFlags::empty()).ok()?;
            Some(First {
                credentials,
                process,
            })
        });
    }

    /// Whether `sender` is the process that began the session, and not one that got its number
    /// after it.
    pub(super) fn is_the_first(&self, sender: Option<Credentials>) -> bool {
        let known = self.first.as_ref();
        known.is_some_and(|first| sender == Some(first.credentials) && is_alive(&first.process))
    }

    /// The stream, unless the client is gone.
    pub(crate) fn stream(&self) -> Option<BorrowedFd<'_>> {
        self.stream.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.stream.is_none()
    }

    /// It went away, or broke the rules of the conversation.
    pub(crate) fn give_up(&mut self) {
        self.stream = None;
        self.waiting.clear();
        self.bytes = 0;
    }

    pub(crate) fn say(&mut self, message: &ToClient) {
        self.pass(&message::encode(message));
    }

    /// Pass on one packet, now or when the client has read what is before it.
    pub(crate) fn pass(&mut self, packet: &[u8]) {
        self.flush();
        let Some(stream) = &self.stream else {
            return;
        };
        if self.waiting.is_empty() {
            match seqpacket::send(stream, packet, &[], Wait::No) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return self.give_up(),
            }
        }
        self.bytes += packet.len();
        self.waiting.push_back(packet.to_vec());
    }

    /// Send what waits, as far as the client has room.
    pub(crate) fn flush(&mut self) {
        let Some(stream) = &self.stream else {
            return;
        };
        match drain(stream, &mut self.waiting) {
            Ok(bytes) => self.bytes -= bytes,
            Err(_) => self.give_up(),
        }
    }

    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= MOST_WAITING
    }

    /// Its next packet; `None` if there is none now, or none ever again.
    pub(crate) fn receive(&mut self) -> Option<Packet> {
        match seqpacket::receive(self.stream.as_ref()?, MESSAGE_BYTES, Wait::No) {
            Ok(Some(packet)) => Some(packet),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            _ => {
                self.give_up();
                None
            }
        }
    }

    /// The last words: wait a little for the client to take them.
    pub(crate) fn flush_for_good(&mut self) {
        if let Some(stream) = &self.stream {
            super::control::wait_and_drain(stream, &mut self.waiting, PATIENCE);
        }
    }
}

/// A pidfd is readable from the end of its process on.
fn is_alive(process: &OwnedFd) -> bool {
    let at_once = Timespec::default();
    poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&at_once)) == Ok(0)
}
