//! Where answers come from.

use std::os::fd::BorrowedFd;
use std::path::Path;

use elevate_protocol::Secret;

use super::{Broken, Question, askpass, input, prompt};
use crate::signals::Signals;
use crate::terminal::Terminal;

/// How the person is asked.
#[derive(Debug, Clone)]
pub enum Asking<'a> {
    /// Not at all.
    Nobody,
    /// On their terminal.
    Terminal(Place<'a>),
    /// By lines of standard input, which isn't their terminal (`-S`).
    Input,
    /// By a program of theirs (`-A`).
    Program(&'a Path),
}

/// A terminal to ask on.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The terminal.
    pub terminal: &'a Terminal,
    /// Whether other commands of a pipeline use it, too.
    pub shared: bool,
    /// Whether questions are written to standard error (`-S`).
    pub on_error: bool,
}

impl<'a> Asking<'a> {
    /// On `terminal`, if there is one.
    pub fn on(terminal: Option<&'a Terminal>) -> Asking<'a> {
        match terminal {
            Some(terminal) => Asking::Terminal(Place {
                terminal,
                shared: false,
                on_error: false,
            }),
            None => Asking::Nobody,
        }
    }

    /// Whether there is somebody to answer.
    pub fn is_possible(&self) -> bool {
        !matches!(self, Asking::Nobody)
    }

    /// The answer to `question`; none where `stream` has something to say before it, or where nobody
    /// can be asked.
    pub(crate) fn ask(
        &self,
        question: &Question<'_>,
        stream: BorrowedFd<'_>,
        signals: &mut Signals,
    ) -> Result<Option<Secret>, Broken> {
        let line = match self {
            Asking::Nobody => return Ok(None),
            Asking::Terminal(place) => return prompt::ask(*place, question, stream, signals),
            Asking::Input => input::ask(question, stream, signals)?,
            Asking::Program(program) => askpass::ask(program, question, stream, signals)?,
        };
        let answer = line.map(|line| question.answer(&line));
        Ok(answer.transpose()?)
    }
}
