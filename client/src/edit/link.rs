//! What passes between us and the leader of an edit.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;

use elevate_protocol::escape;
use elevate_protocol::limits::{EDIT_BYTES, EDIT_FILES, EDIT_TOTAL_BYTES, MESSAGE_BYTES};
use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stream::{ChangedFile, CopyOf, EndReason, Status, ToClient, ToServer};
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::copies::Original;
use super::signals::Caught;
use super::{Undone, tell};
use crate::conversation::unexpected;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::explanation;

/// Bytes of a file in one packet.
const PACKET: usize = 32 * 1024;

/// The leader, and the signals that take their turn with it.
pub(super) struct Link<'a> {
    stream: &'a OwnedFd,
    signals: Caught,
    heard: VecDeque<Heard>,
    /// Why nothing will be written any more, once that is known.
    over: Option<Failure>,
    /// Whether the leader has said its last word.
    done: bool,
}

enum Heard {
    Copies(Vec<CopyOf>),
    Bytes(Vec<u8>),
}

impl<'a> Link<'a> {
    pub(super) fn new(stream: &'a OwnedFd) -> io::Result<Link<'a>> {
        Ok(Link {
            stream,
            signals: Caught::install()?,
            heard: VecDeque::new(),
            over: None,
            done: false,
        })
    }

    /// Wait for the leader or for a signal; those that came.
    pub(super) fn wait(&mut self) -> Result<Vec<Signal>, Failure> {
        let mut polled = vec![PollFd::new(&self.signals, PollFlags::IN)];
        // One that has hung up would be ready for ever.
        if !self.done {
            polled.push(PollFd::new(self.stream, PollFlags::IN));
        }
        match poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let said = polled
            .get(1)
            .is_some_and(|stream| !stream.revents().is_empty());
        if said {
            self.hear()?;
        }
        Ok(self.signals.arrived())
    }

    fn hear(&mut self) -> Result<(), Failure> {
        let packet = match seqpacket::receive(self.stream, MESSAGE_BYTES, Wait::No) {
            Ok(Some(packet)) => packet,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
            Ok(None) => {
                self.end(Some("the edit's supervisor went away".into()));
                return Ok(());
            }
        };
        match message::decode(&packet.body).map_err(|_| unexpected())? {
            Frame::Data(Channel::File, bytes) => self.heard.push_back(Heard::Bytes(bytes.to_vec())),
            Frame::Message(ToClient::Copies { files }) => {
                self.heard.push_back(Heard::Copies(files));
            }
            Frame::Message(ToClient::Notice { text }) => tell(&escape::line(text.as_bytes())),
            Frame::Message(ToClient::Ended { status, reason }) => self.end(why(status, &reason)),
            _ => return Err(unexpected()),
        }
        Ok(())
    }

    fn end(&mut self, why: Option<String>) {
        self.done = true;
        self.over = why.map(Failure::new);
    }

    /// Why nothing will be written any more, where that is so.
    pub(super) fn over(&self) -> Option<&Failure> {
        self.over.as_ref()
    }

    /// The files to be edited.
    pub(super) fn copies(&mut self) -> Result<Vec<Original>, Undone> {
        let Heard::Copies(files) = self.next()? else {
            return Err(unexpected().into());
        };
        let all = files
            .iter()
            .try_fold(0u64, |all, file| all.checked_add(file.size));
        let fits = files.iter().all(|file| file.size <= EDIT_BYTES)
            && all.is_some_and(|all| all <= EDIT_TOTAL_BYTES)
            && files.len() <= EDIT_FILES;
        if !fits {
            return Err(unexpected().into());
        }
        files.into_iter().map(|file| self.copy(file)).collect()
    }

    fn copy(&mut self, file: CopyOf) -> Result<Original, Undone> {
        let mut contents = Vec::with_capacity(file.size as usize);
        while (contents.len() as u64) < file.size {
            let Heard::Bytes(bytes) = self.next()? else {
                return Err(unexpected().into());
            };
            contents.extend_from_slice(&bytes);
        }
        if contents.len() as u64 != file.size {
            return Err(unexpected().into());
        }
        Ok(Original {
            path: file.path,
            contents: (!file.new).then_some(contents),
        })
    }

    fn next(&mut self) -> Result<Heard, Undone> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Ok(heard);
            }
            if self.done {
                return Err(self.over.clone().unwrap_or_else(unexpected).into());
            }
            let fatal = |signal: &Signal| !matches!(signal, Signal::SIGCHLD | Signal::SIGCONT);
            if let Some(signal) = self.wait()?.into_iter().find(fatal) {
                return Err(interrupted(signal));
            }
        }
    }

    /// Give back what changed, and wait until it is written.
    pub(super) fn give(&mut self, files: Vec<(u32, Vec<u8>)>) -> Result<(), Undone> {
        let changed = |(index, contents): &(u32, Vec<u8>)| ChangedFile {
            index: *index,
            size: contents.len() as u64,
        };
        let announced = ToServer::Changed {
            files: files.iter().map(changed).collect(),
        };
        self.send(&message::encode(&announced))?;
        for chunk in files
            .iter()
            .flat_map(|(_, contents)| contents.chunks(PACKET))
        {
            self.send(&message::encode_data(Channel::File, chunk))?;
        }
        // What is half written is no use: signals wait until the leader has said how it went.
        while !self.done {
            self.wait()?;
        }
        self.over.take().map_or(Ok(()), |why| Err(why.into()))
    }

    fn send(&self, packet: &[u8]) -> Result<(), Failure> {
        match seqpacket::send(self.stream, packet, &[], Wait::Yes) {
            // Why it is gone stands in what it sent last, which is still to be read.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }
}

/// Why not all was written; none where it was.
fn why(status: Status, reason: &EndReason) -> Option<String> {
    match (explanation(reason), status) {
        (Some(why), _) => Some(format!("{why}; nothing was written")),
        (None, Status::Exited(0)) => None,
        // The leader has said why before.
        (None, _) => Some("not all that you changed was written".into()),
    }
}

/// A signal ended it.
pub(super) fn interrupted(signal: Signal) -> Undone {
    Undone {
        exit: Exit::Signal(signal as i32),
        why: Failure::new("the edit is given up; nothing was written"),
    }
}
