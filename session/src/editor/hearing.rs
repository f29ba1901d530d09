//! What others tell an edit: `elevated`, the clock, the client.

use std::os::fd::AsFd;
use std::time::Duration;

use elevate_protocol::launch::ToLeader;
use elevate_protocol::message::{self, Channel, Frame};
use elevate_protocol::stream::{EndReason, ToServer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::incoming::{Incoming, Wrong};
use super::session::{End, Session, Stage};
use crate::leader::control::Heard;
use crate::leader::failure::{Doing, Failure};
use crate::sys::signals;

/// Packets of the client before others get their turn.
const TURN: usize = 16;

impl Session {
    /// Wait for something to happen, and deal with it; whoever may end the edit comes first.
    pub(super) fn turn(&mut self) -> Result<Option<End>, Failure> {
        let [control, time, warned, signalled, client] = self.wait()?;
        if control && let Some(end) = self.hear_control()? {
            return Ok(Some(end));
        }
        if time {
            return Ok(Some(End::without_change(EndReason::Deadline)));
        }
        if warned {
            self.warn()?;
        }
        if signalled && let Some(end) = self.hear_signals() {
            return Ok(Some(end));
        }
        if self.is_whole() {
            return Ok(Some(self.commit()));
        }
        if client {
            self.hear_client();
        }
        self.send_copies()?;
        let gone = self.client.is_gone() && !self.is_whole();
        Ok(gone.then(|| End::without_change(EndReason::ClientGone)))
    }

    /// What happened: a word of `elevated`'s, the deadline, a warning, a signal, the client.
    fn wait(&self) -> Result<[bool; 5], Failure> {
        // Always ready: stands for who isn't there.
        let nobody = (self.deadline.as_fd(), PollFlags::empty());
        let events = |waiting: bool| match waiting {
            true => PollFlags::IN | PollFlags::OUT,
            false => PollFlags::IN,
        };
        let control = self.control.socket();
        let stream = self.client.stream();
        let polled = [
            control.map_or(nobody, |socket| {
                (socket, events(self.control.has_waiting()))
            }),
            (self.deadline.as_fd(), PollFlags::IN),
            self.warning
                .as_ref()
                .map_or(nobody, |(timer, _)| (timer.as_fd(), PollFlags::IN)),
            (self.signals.as_fd(), PollFlags::IN),
            stream.map_or(nobody, |stream| (stream, events(self.client.has_waiting()))),
        ];
        let mut polled = polled.map(|(fd, events)| PollFd::from_borrowed_fd(fd, events));
        let at_once = Timespec::try_from(Duration::ZERO).ok();
        let timeout = at_once.as_ref().filter(|_| self.is_whole());
        match poll(&mut polled, timeout) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error).doing("wait"),
        }
        Ok(polled.map(|polled| !polled.revents().is_empty()))
    }

    fn is_whole(&self) -> bool {
        matches!(&self.stage, Stage::Receiving(incoming) if incoming.is_whole())
    }

    fn hear_control(&mut self) -> Result<Option<End>, Failure> {
        self.control.flush();
        match self.control.receive() {
            Heard::Message(ToLeader::End { reason }) => Ok(Some(End::without_change(reason))),
            Heard::Message(ToLeader::Extend { deadline }) => {
                self.extend(deadline)?;
                Ok(None)
            }
            Heard::Message(_) | Heard::Nothing => Ok(None),
            Heard::Closed => Ok(Some(End::without_change(EndReason::DaemonGone))),
        }
    }

    fn hear_signals(&mut self) -> Option<End> {
        while let Some(signal) = signals::next(&self.signals) {
            if signal == rustix::process::Signal::TERM.as_raw() {
                return Some(End::without_change(EndReason::Revoked {
                    by: "a signal to the session's leader".into(),
                }));
            }
        }
        None
    }

    fn hear_client(&mut self) {
        self.client.flush();
        for _ in 0..TURN {
            if self.is_whole() {
                return;
            }
            let Some(packet) = self.client.receive() else {
                return;
            };
            if self.obey(&packet.body).is_err() {
                // Whoever breaks the rules of the conversation is neither spoken with nor obeyed.
                self.stage = Stage::Waiting;
                return self.client.give_up();
            }
        }
    }

    fn obey(&mut self, packet: &[u8]) -> Result<(), Wrong> {
        match (message::decode(packet), &mut self.stage) {
            (Ok(Frame::Message(ToServer::Changed { files })), Stage::Waiting) => {
                let incoming = Incoming::new(files, self.originals.len())?;
                self.stage = Stage::Receiving(incoming);
                Ok(())
            }
            (Ok(Frame::Data(Channel::File, bytes)), Stage::Receiving(incoming)) => {
                incoming.take(bytes)
            }
            _ => Err(Wrong),
        }
    }
}
