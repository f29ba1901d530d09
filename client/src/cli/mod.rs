//! The two command lines. Manuals and completions are made from these same definitions.

mod ctl;
mod elevate;
mod import;
mod login;
mod order;
mod policy;
mod sessions;
mod sudo;

pub use ctl::{
    Decision, Denial, DirectoryVerb, End, Extension, FactorStatus, GrantsVerb, Listed, MfaVerb,
    One, Output, PolicyVerb, Verb, Whose, elevatectl_command, parse_elevatectl,
};
pub use elevate::{elevate_command, parse_elevate};
pub use import::{ImportArguments, Password};
pub use login::{Disable, Enable, LoginStatus, LoginVerb};
pub use order::{Listing, Options, Order, Questions, Target, What};
pub use policy::{Check, Diff, Test, WhyArguments};
pub use sessions::{Follow, ListSessions, Play, Search, SessionsVerb, ShowSession, Which};

use crate::exit::Exit;
use crate::failure::Failure;

/// Why a command line, or what it asks for, is not carried out.
#[derive(Debug)]
pub enum Stop {
    /// Help or version was asked for, or the words don't fit the definition.
    Told(clap::Error),
    /// It asks for what cannot be.
    Failed(Failure),
}

impl Stop {
    /// Tell the person; how `program` ends.
    pub fn tell(&self, program: &str) -> Exit {
        match self {
            Stop::Told(error) => {
                // Nobody is left to hear of a failure to print.
                let _ = error.print();
                Exit::Status(self.status())
            }
            Stop::Failed(failure) => {
                failure.report(program);
                Exit::Status(failure.status)
            }
        }
    }

    /// The exit status.
    pub fn status(&self) -> u8 {
        match self {
            Stop::Told(error) if error.use_stderr() => 2,
            Stop::Told(_) => 0,
            Stop::Failed(failure) => failure.status,
        }
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Failed(failure)
    }
}

impl From<clap::Error> for Stop {
    fn from(error: clap::Error) -> Stop {
        Stop::Told(error)
    }
}
