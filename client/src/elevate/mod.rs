//! `elevate`: ask, prove, wait, and then own the terminal.

pub(crate) mod ask;
pub mod request;
pub mod waiting;

use crate::cli::{self, Options, Stop};
use crate::conversation::Broken;
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
    let person = request::Person {
        terminal: terminal.as_ref().filter(|_| !options.non_interactive),
        status: kinds[2] == elevate_protocol::stdio::Kind::Terminal,
    };
    begin(request::hold(&stream, &person), |attach| {
        session::run(stream, attach, kinds, terminal)
    })
}

/// Let `run` have the session of a request that was granted; how we end.
pub fn begin(
    outcome: Result<request::Attach, Broken>,
    run: impl FnOnce(request::Attach) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    match outcome {
        Ok(attach) => run(attach),
        Err(Broken::Failed(failure)) => Err(failure),
        Err(Broken::Interrupted(signal)) => {
            Failure::new("the request is withdrawn").report(PROGRAM);
            Ok(Exit::Signal(signal))
        }
    }
}
