//! `elevatectl`: see, approve, deny and end what was asked.

mod change;
mod list;
mod objects;
mod output;
pub mod play;
mod policy;
mod show;
mod status;
mod text;
mod vote;
mod watch;
mod why;

use crate::cli::{self, GrantsVerb, PolicyVerb, SessionsVerb, Stop, Verb};
use crate::exit::{self, Exit};
use crate::failure::Failure;

const PROGRAM: &str = "elevatectl";

/// The whole program; how it ends.
pub fn main() -> Exit {
    let outcome = exit::become_undumpable()
        .map_err(Stop::Failed)
        .and_then(|()| cli::parse_elevatectl(std::env::args_os()))
        .and_then(|verb| run(verb).map_err(Stop::Failed));
    match outcome {
        Ok(()) => Exit::Status(0),
        Err(Stop::Failed(failure)) if failure.status == output::NOBODY_READS => {
            Exit::Signal(nix::sys::signal::Signal::SIGPIPE as i32)
        }
        Err(stop) => stop.tell(PROGRAM),
    }
}

fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Status(how) => status::status(how.json),
        Verb::Requests(how) => list::requests(how),
        Verb::Show(one) => show::show(one.id, one.json),
        Verb::Approve(decision) => vote::approve(&decision),
        Verb::Deny(denial) => vote::deny(&denial),
        Verb::Cancel { id } => change::cancel(id),
        Verb::Watch(how) => watch::watch(how.json),
        Verb::Grants(GrantsVerb::List(how)) => list::grants(how),
        Verb::Grants(GrantsVerb::Revoke(end)) => change::revoke(&end),
        Verb::Sessions(SessionsVerb::List(how)) => list::sessions(how),
        Verb::Sessions(SessionsVerb::Play(how)) => play::play(&how),
        Verb::Policy(PolicyVerb::Check { files }) => policy::check(&files),
        Verb::Policy(PolicyVerb::Why(asked)) => why::why(&asked),
    }
}
