//! Requests, votes, grants and sessions: a state machine `(state, event, now) -> effects`.
//!
//! Nothing here reads a clock, a file or a socket. The effects of a step are carried out in their
//! order, and nothing after a [`Effect::Save`] may happen before the record is on disk.

mod digest;
mod each;
mod machine;
mod problem;
mod record;
mod terms;
mod vote;

#[cfg(test)]
mod extending;
#[cfg(test)]
mod one_of_each;
#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod worlds;

pub use digest::{Digest, Shown};
pub use machine::{Effect, Elevations, Event, News};
pub use problem::Problem;
pub use record::{Asked, Caller, Closing, Elevation, End, Given, Stage, Subject, Vote};
pub use terms::Terms;
pub use vote::{Voter, admissible};
