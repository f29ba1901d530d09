//! The two command lines. Manuals and completions are made from these same definitions.

mod ctl;
mod elevate;
mod sudo;

pub use ctl::{
    Decision, Denial, End, GrantsVerb, Listing, One, Play, PolicyVerb, SessionsVerb, Verb,
    WhyArguments, elevatectl_command, parse_elevatectl,
};
pub use elevate::{Options, elevate_command, parse_elevate};

use crate::exit::Exit;

/// Why a command line is not carried out.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for, or clap found an error; it has been told.
    Told(Exit),
    /// It asks for what cannot be.
    Failed(crate::failure::Failure),
}

impl From<crate::failure::Failure> for Stop {
    fn from(failure: crate::failure::Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Stop {
        let status = if error.use_stderr() { 2 } else { 0 };
        // Nobody is left to hear of a failure to print.
        let _ = error.print();
        Stop::Told(Exit::Status(status))
    }
}
