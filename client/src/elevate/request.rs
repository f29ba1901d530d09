//! From the stream's first word until the session begins, or doesn't.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use elevate_protocol::stdio::{Route, Three};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{Bytes, ErrorName, Id, escape, limits};

use super::ask;
use super::waiting::{self, Waiting};
use crate::conversation::{Asking, Broken, Conversation, Question};
use crate::failure::Failure;

/// Whom we are talking for.
#[derive(Debug)]
pub struct Person<'a> {
    /// How they are asked.
    pub asking: Asking<'a>,
    /// How they want to be asked for a code, where they say so.
    pub wording: Option<String>,
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

/// Prove who we are, answer what is asked, and wait until the session begins.
pub fn hold(stream: &OwnedFd, person: Person<'_>) -> Result<Attach, Broken> {
    let conversation = Conversation::with(stream, person.asking, super::PROGRAM)?;
    let mut request = Request {
        conversation: conversation.worded(person.wording),
        status: person.status,
        waiting: None,
        shown: false,
    };
    let outcome = request.run();
    match &outcome {
        Ok(_) => request.erase_line(),
        // What is said next goes below it.
        Err(_) => request.leave_line(),
    }
    outcome
}

/// A request that is on its way.
struct Request<'a> {
    conversation: Conversation<'a>,
    status: bool,
    waiting: Option<Waiting>,
    shown: bool,
}

impl Request<'_> {
    fn run(&mut self) -> Result<Attach, Broken> {
        loop {
            match self.conversation.hear(self.refresh_in())? {
                Some(message) => {
                    if let Some(attach) = self.answer(message)? {
                        return Ok(attach);
                    }
                }
                None => self.show_line(),
            }
        }
    }

    fn answer(&mut self, message: ToClient) -> Result<Option<Attach>, Broken> {
        match message {
            ToClient::AskEnvironment { names } => self.give_environment(&names)?,
            ToClient::AskReason => self.ask_reason()?,
            ToClient::AskTicket { like } => self.ask_ticket(&like)?,
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
            }),
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
                self.conversation
                    .tell(&waiting::approval(&voter, agreed, needed));
                if let Some(waiting) = &mut self.waiting {
                    (waiting.agreed, waiting.needed) = (agreed, needed);
                }
                self.show_line();
            }
            ToClient::Notice { text } => {
                self.erase_line();
                self.conversation.tell(&escape::line(text.as_bytes()));
                self.show_line();
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
            other => {
                self.leave_line();
                self.conversation.answer(other)?;
            }
        }
        Ok(None)
    }

    fn give_environment(&mut self, names: &[String]) -> Result<(), Broken> {
        let wanted: Vec<_> = match names {
            [all] if all == "*" => ask::further(std::env::vars_os()).collect(),
            names => names
                .iter()
                .filter_map(|name| ask::variable(name))
                .collect(),
        };
        let number = wanted.len();
        let kept = ask::within_limits(wanted.into_iter());
        if kept.len() < number {
            let left = number - kept.len();
            self.conversation.tell(&format!(
                "the environment is too large: {left} variables are not kept"
            ));
        }
        let variables = kept.into_iter().map(Bytes).collect();
        Ok(self
            .conversation
            .say(&ToServer::Environment { variables })?)
    }

    fn ask_reason(&mut self) -> Result<(), Broken> {
        let text = self.typed(
            "Reason: ",
            "a reason is required for this command",
            "give it with: elevate --reason TEXT COMMAND",
            "no reason was given; nothing was run",
        )?;
        let said = text.map(|text| self.conversation.say(&ToServer::Reason { text }));
        Ok(said.transpose().map(drop)?)
    }

    fn ask_ticket(&mut self, like: &str) -> Result<(), Broken> {
        let question = format!("Ticket ({}): ", escape::line(like.as_bytes()));
        let text = self.typed(
            &question,
            "a ticket is required for this command",
            "give it with: elevate --ticket ID COMMAND",
            "no ticket was given; nothing was run",
        )?;
        let said = text.map(|text| self.conversation.say(&ToServer::Ticket { text }));
        Ok(said.transpose().map(drop)?)
    }

    /// What the person types, if they go on.
    fn typed(
        &mut self,
        text: &str,
        required: &str,
        hint: &str,
        missing: &'static str,
    ) -> Result<Option<String>, Broken> {
        if !self.conversation.can_ask() {
            let refusal = Failure::refused(ErrorName::InteractionRequired, required, None);
            return Err(refusal.hint(hint).into());
        }
        self.leave_line();
        let question = Question {
            text,
            hidden: false,
            longest: limits::REASON_BYTES,
            missing,
        };
        let typed = self.conversation.ask(&question)?;
        Ok(typed.map(|text| text.reveal().to_owned()))
    }

    fn begin_waiting(&mut self, waiting: Waiting) {
        let again = self.waiting.replace(waiting).is_some();
        if self.status || !again {
            self.show_line();
        }
    }

    fn refresh_in(&self) -> Option<Duration> {
        let waiting = self.waiting.as_ref().filter(|_| self.status)?;
        Some(waiting.next_change(Instant::now()))
    }

    fn show_line(&mut self) {
        let waiting = self.waiting.as_ref();
        // With all approvals there the session is about to begin.
        let Some(waiting) = waiting.filter(|waiting| waiting.agreed < waiting.needed) else {
            return;
        };
        if !self.status {
            self.conversation
                .tell(&waiting.line(Instant::now(), usize::MAX));
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
}
