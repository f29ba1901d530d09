//! `elevate`: ask, prove, wait, and then own the terminal.

pub(crate) mod ask;
pub mod conversation;
mod prompt;
pub mod waiting;

use crate::cli::{self, Options, Stop};
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{bus, session, stdio};

const PROGRAM: &str = "elevate";

/// The whole program; how it ends.
pub fn main() -> Exit {
    let outcome = exit::become_undumpable()
        .map_err(Stop::Failed)
        .and_then(|()| cli::parse_elevate(std::env::args_os()))
        .and_then(|options| run(&options).map_err(Stop::Failed));
    outcome.unwrap_or_else(|stop| stop.tell(PROGRAM))
}

fn run(options: &Options) -> Result<Exit, Failure> {
    let kinds = stdio::inspect()?;
    let terminal = Terminal::open();
    let stream = bus::elevate(ask::ask(options, kinds, terminal.as_ref())?)?;
    let person = conversation::Person {
        terminal: terminal.as_ref().filter(|_| !options.non_interactive),
        status: kinds[2] == elevate_protocol::stdio::Kind::Terminal,
    };
    match conversation::hold(&stream, &person)? {
        conversation::Outcome::Attach(attach) => session::run(stream, attach, kinds, terminal),
        conversation::Outcome::Interrupted(signal) => Ok(Exit::Signal(signal)),
    }
}
