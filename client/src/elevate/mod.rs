//! `elevate`: ask, prove, wait, and then own the terminal.

pub(crate) mod ask;
mod codes;
mod list;
mod listed;
pub mod person;
pub mod request;
pub mod waiting;

use std::os::fd::OwnedFd;

use elevate_protocol::stdio::{Kind, Three};

use self::person::Means;
use crate::cli::{self, Options, Order, Stop, What};
use crate::conversation::Broken;
use crate::edit::{self, Editor};
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
        .and_then(|order| carry_out(&order).map_err(Stop::Failed));
    outcome.unwrap_or_else(|stop| stop.tell(PROGRAM))
}

fn carry_out(order: &Order) -> Result<Exit, Failure> {
    match order {
        Order::Run(options) => run(options),
        Order::List(listing) => list::list(listing),
        Order::Validate { questions, forget } => codes::validate(questions, *forget),
        Order::Forget { everywhere } => codes::forget(*everywhere),
    }
}

fn run(options: &Options) -> Result<Exit, Failure> {
    // Before anybody is asked for anything.
    let editor = editor(options)?;
    let kinds = kinds(options)?;
    let terminal = Terminal::open();
    let means = Means::of(&options.questions)?;
    let person = means.person(terminal.as_ref(), kinds, &options.target);
    let answers = person.asking.is_possible();
    let stream = bus::elevate(ask::ask(options, kinds, terminal.as_ref(), answers)?)?;
    let outcome = request::hold(&stream, person);
    begin(outcome, options, editor, (stream, kinds, terminal))
}

/// The person's editor, where one is to run.
pub fn editor(options: &Options) -> Result<Option<Editor>, Failure> {
    (options.what == What::Edit)
        .then(Editor::choose)
        .transpose()
}

/// What our standard streams are to the command; refuses what none could use.
pub fn kinds(options: &Options) -> Result<Three<Kind>, Failure> {
    let mut kinds = stdio::inspect()?;
    // In the background nothing that is typed is for it.
    if options.background && kinds[0] == Kind::Terminal {
        kinds[0] = Kind::Closed;
    }
    Ok(kinds)
}

/// Serve the session of a request that was granted, with what it has of ours; how we end.
pub fn begin(
    outcome: Result<request::Attach, Broken>,
    options: &Options,
    editor: Option<Editor>,
    (stream, kinds, terminal): (OwnedFd, Three<Kind>, Option<Terminal>),
) -> Result<Exit, Failure> {
    let attach = match outcome {
        Ok(attach) => attach,
        Err(broken) => return given_up(broken, "the request is withdrawn"),
    };
    if let Some(editor) = editor {
        return edit::run(&stream, &editor);
    }
    if options.background {
        exit::leave_to_the_background()?;
    }
    session::run(stream, attach, kinds, terminal)
}

/// How we end when a conversation came to nothing; `undone` is said to whoever interrupted it.
fn given_up(broken: Broken, undone: &str) -> Result<Exit, Failure> {
    match broken {
        Broken::Failed(failure) => Err(failure),
        Broken::Interrupted(signal) => {
            Failure::new(undone).report(PROGRAM);
            Ok(Exit::Signal(signal))
        }
    }
}
