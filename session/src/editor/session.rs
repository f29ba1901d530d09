//! An edit from its first word to its last: copies out, waiting for the editor, new contents in.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use elevate_protocol::Id;
use elevate_protocol::launch::{Edit, FromLeader, ToLeader};
use elevate_protocol::message::{self, Channel, Frame, encode_data};
use elevate_protocol::stdio::Route;
use elevate_protocol::stream::{CopyOf, EndReason, Status, ToClient, ToServer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::incoming::{Incoming, Wrong};
use super::original::Original;
use super::start::Started;
use super::{commit, warnings};
use crate::leader::client::Client;
use crate::leader::control::{Control, Heard};
use crate::leader::failure::{Doing, Failure};
use crate::leader::timer::Timer;
use crate::sys::signals;

/// Bytes of a copy in one packet.
const PACKET: usize = 32 * 1024;
/// Packets of the client before others get their turn.
const TURN: usize = 16;

/// How far it is.
enum Stage {
    /// This copy is next, from this byte on.
    Copying {
        copy: usize,
        from: usize,
        contents: Vec<u8>,
    },
    /// The editor runs.
    Waiting,
    /// It is done, and new contents arrive.
    Receiving(Incoming),
}

/// How an edit ended.
pub(super) struct End {
    status: Status,
    reason: EndReason,
}

impl End {
    /// It went as far as it could.
    pub(super) fn finished(well: bool) -> End {
        End {
            status: Status::Exited(u8::from(!well)),
            reason: EndReason::Finished,
        }
    }

    /// Nothing was written, because of this.
    fn without_change(reason: EndReason) -> End {
        End {
            status: Status::Exited(1),
            reason,
        }
    }
}

pub(super) struct Session {
    pub(super) id: Id,
    pub(super) order: Edit,
    pub(super) originals: Vec<Original>,
    pub(super) control: Control,
    pub(super) client: Client,
    signals: OwnedFd,
    deadline: Timer,
    /// The timer of the next warning, and how long before the end that is.
    warning: Option<(Timer, u64)>,
    stage: Stage,
}

/// Lead the edit to its end; the exit status of this process.
pub(super) fn run(id: Id, started: Started, control: Control, client: Client) -> i32 {
    let mut session = Session {
        id,
        order: started.order,
        originals: started.originals,
        control,
        client,
        signals: started.signals,
        deadline: started.deadline,
        warning: None,
        stage: Stage::Waiting,
    };
    let end = session.begin().and_then(|()| {
        loop {
            if let Some(end) = session.turn()? {
                return Ok(end);
            }
        }
    });
    let end = end.unwrap_or_else(|failure| session.fail(&failure));
    session.tell(end)
}

impl Session {
    fn begin(&mut self) -> Result<(), Failure> {
        self.client.say(&ToClient::Attach {
            session: self.id,
            routes: [Route::Null; 3],
            terminal: false,
        });
        self.control.say(&FromLeader::Running);
        let copy = |original: &Original| CopyOf {
            path: original.place.file.path.clone(),
            size: original.size(),
            new: original.file.is_none(),
        };
        let files = self.originals.iter().map(copy).collect();
        self.client.say(&ToClient::Copies { files });
        self.open_copy(0)?;
        self.send_copies()?;
        self.set_warning()
    }

    /// Wait for something to happen, and deal with it; whoever may end the edit comes first.
    fn turn(&mut self) -> Result<Option<End>, Failure> {
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
            Heard::Message(ToLeader::Extend { deadline: later }) => {
                self.order.deadline = self.order.deadline.max(later);
                self.deadline = Timer::until(self.order.deadline).doing("set the deadline")?;
                self.set_warning()?;
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

    fn set_warning(&mut self) -> Result<(), Failure> {
        let now = warnings::now();
        let next = warnings::next(now, self.order.deadline, &self.order.warnings);
        let timer = |(at, before)| Ok((Timer::until(at)?, before));
        self.warning = next
            .map(timer)
            .transpose()
            .map_err(|error: Errno| error)
            .doing("set a timer")?;
        Ok(())
    }

    fn warn(&mut self) -> Result<(), Failure> {
        if let Some((_, left)) = self.warning.take() {
            let text = warnings::text(left);
            self.client.say(&ToClient::Notice { text });
        }
        self.set_warning()
    }

    fn open_copy(&mut self, copy: usize) -> Result<(), Failure> {
        self.stage = match self.originals.get(copy) {
            None => Stage::Waiting,
            Some(original) => Stage::Copying {
                copy,
                from: 0,
                contents: original
                    .contents()
                    .map_err(|error| original.changed(&error))?,
            },
        };
        Ok(())
    }

    /// Send what the client has room for.
    fn send_copies(&mut self) -> Result<(), Failure> {
        while let Stage::Copying {
            copy,
            from,
            contents,
        } = &mut self.stage
        {
            if self.client.is_full() || self.client.is_gone() {
                return Ok(());
            }
            let rest = &contents[*from..];
            if rest.is_empty() {
                let next = *copy + 1;
                self.open_copy(next)?;
                continue;
            }
            let now = &rest[..rest.len().min(PACKET)];
            self.client.pass(&encode_data(Channel::File, now));
            *from += now.len();
        }
        Ok(())
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

    fn commit(&mut self) -> End {
        match std::mem::replace(&mut self.stage, Stage::Waiting) {
            Stage::Receiving(incoming) => commit::commit(self, incoming),
            _ => End::finished(true),
        }
    }

    /// It cannot go on. What it was about is told, and that nothing was written follows from the end.
    fn fail(&mut self, failure: &Failure) -> End {
        eprintln!("session {}: {failure}", self.id);
        let text = failure.message.clone();
        self.client.say(&ToClient::Notice { text });
        End::finished(false)
    }

    /// The last words: first to who keeps the books, and only then to the person.
    fn tell(mut self, end: End) -> i32 {
        let End { status, reason } = end;
        self.control.say(&FromLeader::Ended {
            status,
            reason: reason.clone(),
            recorded: 0,
            execs: 0,
        });
        self.control.flush_for_good();
        self.client.say(&ToClient::Ended { status, reason });
        self.client.flush_for_good();
        0
    }
}
