//! While the session's terminal is held: asking for the code that lets it go.

use std::os::fd::AsFd as _;

use elevate_protocol::stream::ToServer;
use elevate_protocol::{Secret, escape, limits};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::End;
use super::pump::Pump;
use crate::conversation::{Asking, Broken, Place, Question};
use crate::failure::Failure;
use crate::signals::{FATAL, Signals};

const MISSING: &str = "no verification code was given";

/// What became of a question.
enum Answer {
    Code(Secret),
    /// An empty line.
    None,
    /// Ctrl-C or Ctrl-\, meant for the command, which hears of nothing now.
    Key,
    /// Another of the pipeline has the terminal, or it hung up.
    Impossible,
    /// A signal to end by.
    End(i32),
}

fn is_key(signal: i32) -> bool {
    [Signal::INT, Signal::QUIT]
        .map(Signal::as_raw)
        .contains(&signal)
}

/// What is still to be asked.
#[derive(Debug, Default)]
pub(super) struct Asked {
    prompt: Option<String>,
    /// Whether it could not be asked just now: another of the pipeline has the terminal.
    later: bool,
}

impl Asked {
    /// Ask this, or nothing any more.
    pub(super) fn set(&mut self, prompt: Option<String>) {
        *self = Asked {
            prompt,
            later: false,
        };
    }

    /// Time has passed.
    pub(super) fn try_again(&mut self) {
        self.later = false;
    }

    /// Whether to try again after a while.
    pub(super) fn waits(&self) -> bool {
        self.prompt.is_some() && self.later
    }

    fn due(&self) -> Option<&str> {
        self.prompt.as_deref().filter(|_| !self.later)
    }
}

impl Pump {
    /// Ask for a code, if it is to be asked for. Nothing else is done meanwhile, since nothing else
    /// is to be shown or passed on; what the leader says comes first.
    pub(super) fn ask(&mut self) -> Result<Option<End>, Failure> {
        while self.may_receive() && !self.has_something_said() {
            match self.ask_once()? {
                None => return Ok(None),
                Some(Answer::Code(text)) => {
                    self.asked.set(None);
                    self.queue_message(&ToServer::Code { text });
                }
                Some(Answer::None) => self.tell(MISSING),
                Some(Answer::Key) => {}
                Some(Answer::Impossible) => self.asked.later = true,
                Some(Answer::End(signal)) => return Ok(Some(End::Interrupted(signal))),
            }
        }
        Ok(None)
    }

    /// None where nothing is to be asked, or the leader has something to say before the answer.
    fn ask_once(&self) -> Result<Option<Answer>, Failure> {
        let (Some(prompt), Some(terminal)) = (self.asked.due(), self.jobs.terminal()) else {
            return Ok(None);
        };
        let text = escape::line(prompt.as_bytes());
        let question = Question {
            text: &text,
            hidden: true,
            longest: limits::CODE_BYTES,
            missing: MISSING,
        };
        let asking = Asking::Terminal(Place {
            terminal,
            shared: self.jobs.is_shared(),
            on_error: false,
        });
        let mut signals = Signals::take(&FATAL)?;
        Ok(
            match asking.ask(&question, self.stream.as_fd(), &mut signals) {
                Ok(text) => text.map(Answer::Code),
                Err(Broken::Interrupted(signal)) if is_key(signal) => Some(Answer::Key),
                Err(Broken::Interrupted(signal)) => Some(Answer::End(signal)),
                Err(Broken::Failed(failure)) if failure.message == MISSING => Some(Answer::None),
                Err(Broken::Failed(_)) => Some(Answer::Impossible),
            },
        )
    }

    fn has_something_said(&self) -> bool {
        let mut stream = [PollFd::new(&self.stream, PollFlags::IN)];
        poll(&mut stream, Some(&Timespec::default())) != Ok(0)
    }
}
