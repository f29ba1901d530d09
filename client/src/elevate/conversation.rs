//! From the stream's first word until the session begins, or doesn't.

use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stdio::{Route, Three};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{Bytes, ErrorName, Id, escape, limits};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::waiting::{self, Waiting};
use super::{ask, prompt};
use crate::failure::Failure;
use crate::signals::{ENDING, Signals};
use crate::terminal::Terminal;

/// Whom we are talking for.
#[derive(Debug)]
pub struct Person<'a> {
    /// Where they can be asked; none where they cannot.
    pub terminal: Option<&'a Terminal>,
    /// Whether standard error is their terminal, where a line can be written over.
    pub status: bool,
}

/// The session that begins.
#[derive(Debug, Clone, Copy)]
pub struct Attach {
    /// Which.
    pub session: Id,
    /// How each standard stream is connected.
    pub routes: Three<Route>,
    /// Whether it has a terminal of its own.
    pub terminal: bool,
}

/// How a conversation ends that isn't refused.
#[derive(Debug)]
pub enum Outcome {
    /// A session begins.
    Attach(Attach),
    /// The person took the request back, by this signal.
    Interrupted(i32),
}

/// Prove who we are, answer what is asked, and wait.
pub fn hold(stream: &OwnedFd, person: &Person<'_>) -> Result<Outcome, Failure> {
    send(stream, &ToServer::Hello)?;
    let mut conversation = Conversation {
        stream,
        person,
        waiting: None,
        signals: None,
        shown: false,
    };
    conversation.run()
}

struct Conversation<'a> {
    stream: &'a OwnedFd,
    person: &'a Person<'a>,
    waiting: Option<Waiting>,
    signals: Option<Signals>,
    shown: bool,
}

impl Conversation<'_> {
    fn run(&mut self) -> Result<Outcome, Failure> {
        loop {
            if let Some(signal) = self.wait()? {
                self.leave_line();
                Failure::new("the request is withdrawn").report("elevate");
                return Ok(Outcome::Interrupted(signal));
            }
            let packet = match seqpacket::receive(self.stream, limits::MESSAGE_BYTES, Wait::No) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                other => other?,
            };
            let Some(packet) = packet else {
                self.leave_line();
                return Err(Failure::new("elevated went away before it answered")
                    .hint("an admin finds out why with: systemctl status elevated"));
            };
            let Ok(Frame::Message(message)) = message::decode::<ToClient>(&packet.body) else {
                return Err(unexpected());
            };
            if let Some(attach) = self.answer(message)? {
                self.erase_line();
                return Ok(Outcome::Attach(attach));
            }
        }
    }

    fn answer(&mut self, message: ToClient) -> Result<Option<Attach>, Failure> {
        match message {
            ToClient::Challenge { nonce } => send(self.stream, &ToServer::Proof { nonce })?,
            ToClient::AskEnvironment { names } => {
                let variables = variables(&names);
                send(self.stream, &ToServer::Environment { variables })?;
            }
            ToClient::AskReason => self.ask_reason()?,
            ToClient::Waiting {
                request,
                needed,
                approvers,
                expires_in,
            } => self.begin_waiting(Waiting {
                request,
                needed,
                agreed: 0,
                approvers,
                expires: Instant::now() + Duration::from_millis(expires_in),
            })?,
            // The refusal that follows says who denied it, and why.
            ToClient::Voted {
                approved: false, ..
            } => {}
            ToClient::Voted {
                voter,
                agreed,
                needed,
                ..
            } => {
                self.erase_line();
                self.tell(&waiting::approval(&voter, agreed, needed));
                if let Some(waiting) = &mut self.waiting {
                    (waiting.agreed, waiting.needed) = (agreed, needed);
                }
                self.show_line();
            }
            ToClient::Notice { text } => {
                self.erase_line();
                self.tell(&escape::line(text.as_bytes()));
                self.show_line();
            }
            ToClient::Refused {
                error,
                message,
                hint,
            } => {
                self.leave_line();
                return Err(Failure::refused(error, &message, hint.as_deref()));
            }
            ToClient::Attach {
                session,
                routes,
                terminal,
            } => {
                return Ok(Some(Attach {
                    session,
                    routes,
                    terminal,
                }));
            }
            ToClient::Counted { .. } | ToClient::Stopped { .. } | ToClient::Ended { .. } => {
                return Err(unexpected());
            }
        }
        Ok(None)
    }

    fn ask_reason(&self) -> Result<(), Failure> {
        let Some(terminal) = self.person.terminal else {
            let refusal = "a reason is required for this command";
            return Err(
                Failure::refused(ErrorName::InteractionRequired, refusal, None)
                    .hint("give it with: elevate --reason TEXT COMMAND"),
            );
        };
        match prompt::line(terminal, "Reason: ", self.stream.as_fd())? {
            Some(text) => send(self.stream, &ToServer::Reason { text }),
            None => Ok(()),
        }
    }

    fn begin_waiting(&mut self, waiting: Waiting) -> Result<(), Failure> {
        if self.signals.is_none() {
            self.signals = Some(Signals::take(&ENDING)?);
        }
        let again = self.waiting.replace(waiting).is_some();
        if self.person.status || !again {
            self.show_line();
        }
        Ok(())
    }

    /// Wait for the stream, refreshing the status line; the signal that ends the wait, if one does.
    fn wait(&mut self) -> Result<Option<i32>, Failure> {
        loop {
            let timeout = self.refresh_in();
            let timeout = timeout.and_then(|time| Timespec::try_from(time).ok());
            let mut waiting = vec![PollFd::new(self.stream, PollFlags::IN)];
            if let Some(signals) = &self.signals {
                waiting.push(PollFd::new(signals, PollFlags::IN));
            }
            match poll(&mut waiting, timeout.as_ref()) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            if !waiting[0].revents().is_empty() {
                return Ok(None);
            }
            if let Some(signal) = self.signals.as_mut().and_then(Signals::arrived) {
                return Ok(Some(signal as i32));
            }
            self.show_line();
        }
    }

    fn refresh_in(&self) -> Option<Duration> {
        let waiting = self.waiting.as_ref().filter(|_| self.person.status)?;
        Some(waiting.next_change(Instant::now()))
    }

    fn show_line(&mut self) {
        let waiting = self.waiting.as_ref();
        // With all approvals there the session is about to begin.
        let Some(waiting) = waiting.filter(|waiting| waiting.agreed < waiting.needed) else {
            return;
        };
        if !self.person.status {
            self.tell(&waiting.line(Instant::now(), usize::MAX));
            return;
        }
        let window = rustix::termios::tcgetwinsize(rustix::stdio::stderr());
        let columns = window.map_or(80, |size| usize::from(size.ws_col));
        // One column less: a full line would make the terminal go on to the next.
        let columns = if columns < 2 { 79 } else { columns - 1 };
        let line = waiting.line(Instant::now(), columns);
        let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
        self.shown = true;
    }

    fn erase_line(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    /// Keep the line, and go on below it.
    fn leave_line(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = writeln!(std::io::stderr());
        }
    }

    fn tell(&self, line: &str) {
        let _ = writeln!(std::io::stderr(), "elevate: {line}");
    }
}

fn variables(names: &[String]) -> Vec<Bytes> {
    let set = names.iter().filter_map(|name| {
        let value = std::env::var_os(name)?;
        Some(ask::assignment(name.as_bytes(), value.as_bytes()))
    });
    ask::within_limits(set).into_iter().map(Bytes).collect()
}

/// Send one message.
pub(crate) fn send(stream: &OwnedFd, message: &ToServer) -> Result<(), Failure> {
    match seqpacket::send(stream, &message::encode(message), &[], Wait::Yes) {
        // Why it is gone stands in what it sent last, which is still to be read.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn unexpected() -> Failure {
    Failure::new("elevated said something that this version doesn't understand")
        .hint("elevate and elevated must be of the same version: restart elevated after upgrades")
}
