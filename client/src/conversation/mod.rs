//! What every conversation with the daemon shares, whatever it is about: proving who we are, giving
//! codes, and the ways in which it comes to nothing.

mod asking;
mod askpass;
mod input;
mod prompt;
mod question;
mod wording;

use std::io::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{ErrorName, Secret, escape, limits};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::{Zeroize as _, Zeroizing};

pub use self::asking::{Asking, Place};
pub(crate) use self::question::Question;
pub(crate) use self::wording::{Names, wording};
use crate::failure::Failure;
use crate::signals::{FATAL, Signals};
use crate::terminal::Terminal;

/// Why a conversation came to nothing.
#[derive(Debug)]
pub enum Broken {
    /// It was refused, or failed.
    Failed(Failure),
    /// This signal ended it (signal(7)), as a rule Ctrl-C.
    Interrupted(i32),
}

impl<E: Into<Failure>> From<E> for Broken {
    fn from(error: E) -> Broken {
        Broken::Failed(error.into())
    }
}

/// One conversation, on its stream.
#[derive(Debug)]
pub(crate) struct Conversation<'a> {
    stream: &'a OwnedFd,
    asking: Asking<'a>,
    /// How a code is asked for, where that is not the daemon's to say.
    wording: Option<String>,
    program: &'static str,
    signals: Signals,
}

impl<'a> Conversation<'a> {
    /// Say the first word. From here on until the conversation is dropped, a signal that would have
    /// ended us ends it instead.
    pub(crate) fn begin(
        stream: &'a OwnedFd,
        terminal: Option<&'a Terminal>,
        program: &'static str,
    ) -> Result<Conversation<'a>, Broken> {
        Conversation::with(stream, Asking::on(terminal), program)
    }

    /// The same with other ways of asking.
    pub(crate) fn with(
        stream: &'a OwnedFd,
        asking: Asking<'a>,
        program: &'static str,
    ) -> Result<Conversation<'a>, Broken> {
        if let Asking::Terminal(place) = &asking {
            place.terminal.restore_on_panic();
        }
        let conversation = Conversation {
            stream,
            asking,
            wording: None,
            program,
            signals: Signals::take(&FATAL)?,
        };
        conversation.say(&ToServer::Hello)?;
        Ok(conversation)
    }

    /// Ask for codes with these words.
    pub(crate) fn worded(self, wording: Option<String>) -> Conversation<'a> {
        Conversation { wording, ..self }
    }

    /// Send one message.
    pub(crate) fn say(&self, message: &ToServer) -> Result<(), Failure> {
        // It may hold a code.
        let packet = Zeroizing::new(message::encode(message));
        match seqpacket::send(self.stream, &packet, &[], Wait::Yes) {
            // Why it is gone stands in what it sent last, which is still to be read.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// The next message; none if none came `within` this time.
    pub(crate) fn hear(&mut self, within: Option<Duration>) -> Result<Option<ToClient>, Broken> {
        loop {
            if !self.wait(within)? {
                return Ok(None);
            }
            match seqpacket::receive(self.stream, limits::MESSAGE_BYTES, Wait::No) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
                Ok(None) => return Err(went_away().into()),
                Ok(Some(mut packet)) => {
                    let heard = match message::decode(&packet.body) {
                        Ok(Frame::Message(message)) => Ok(Some(message)),
                        _ => Err(unexpected().into()),
                    };
                    packet.body.zeroize();
                    return heard;
                }
            }
        }
    }

    /// Whether the stream has something to say before the time is over.
    fn wait(&mut self, within: Option<Duration>) -> Result<bool, Broken> {
        let within = within.and_then(|time| Timespec::try_from(time).ok());
        let mut waiting = [
            PollFd::new(self.stream, PollFlags::IN),
            PollFd::new(&self.signals, PollFlags::IN),
        ];
        match poll(&mut waiting, within.as_ref()) {
            // The time is not over, but whoever waits for it looks at the clock anyway.
            Err(rustix::io::Errno::INTR) => return Ok(false),
            other => other?,
        };
        if !waiting[0].revents().is_empty() {
            return Ok(true);
        }
        match self.signals.arrived() {
            Some(signal) => Err(Broken::Interrupted(signal as i32)),
            None => Ok(false),
        }
    }

    /// Do with `message` what every conversation does with it. What is left has no place in any.
    pub(crate) fn answer(&mut self, message: ToClient) -> Result<(), Broken> {
        match message {
            ToClient::Challenge { nonce } => self.say(&ToServer::Proof { nonce })?,
            ToClient::AskCode { prompt } => self.give_code(&prompt)?,
            ToClient::Notice { text } => self.tell(&escape::line(text.as_bytes())),
            ToClient::Refused {
                error,
                message,
                hint,
            } => return Err(Failure::refused(error, &message, hint.as_deref()).into()),
            _ => return Err(unexpected().into()),
        }
        Ok(())
    }

    fn give_code(&mut self, prompt: &str) -> Result<(), Broken> {
        if !self.can_ask() {
            return Err(no_terminal().into());
        }
        // Their own words the person may see as they are.
        let own = self.wording.clone();
        let text = own.unwrap_or_else(|| escape::line(prompt.as_bytes()));
        let question = Question {
            text: &text,
            hidden: true,
            longest: limits::CODE_BYTES,
            missing: "no verification code was given",
        };
        match self.ask(&question)? {
            Some(text) => Ok(self.say(&ToServer::Code { text })?),
            None => Ok(()),
        }
    }

    /// What the person answers; none where the daemon said something meanwhile, such as that the
    /// time for it is over, or where nobody can be asked.
    pub(crate) fn ask(&mut self, question: &Question<'_>) -> Result<Option<Secret>, Broken> {
        self.asking
            .ask(question, self.stream.as_fd(), &mut self.signals)
    }

    /// Whether the person can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        self.asking.is_possible()
    }

    /// A line for the person.
    pub(crate) fn tell(&self, line: &str) {
        let _ = writeln!(std::io::stderr(), "{}: {line}", self.program);
    }
}

/// A code is owed and nobody can be asked for it.
pub(crate) fn no_terminal() -> Failure {
    let refusal = "a verification code is required, and there is no terminal to ask for it";
    Failure::refused(ErrorName::InteractionRequired, refusal, None)
        .hint("run it on a terminal, such as that of: ssh -t HOST")
}

fn went_away() -> Failure {
    Failure::new("elevated went away before it answered")
        .hint("an admin finds out why with: systemctl status elevated")
}

/// Something that no conversation of ours has a place for.
pub(crate) fn unexpected() -> Failure {
    Failure::new("elevated said something that this version doesn't understand")
        .hint("both must be of the same version: restart elevated after upgrades")
}
