//! What is said on a client's stream, from its first word to the moment its leader takes over.

mod ask;
mod elevate;
mod environment;
mod factor;
mod judge;
mod mfa;
mod proof;
mod stream;
mod terms;
mod vote;
mod wait;

#[cfg(test)]
mod scenarios;

pub use ask::Ask;
pub use elevate::{elevate, resume};
pub use judge::{Answer, judge};
pub use mfa::{MfaOrder, mfa};
pub use proof::Proved;
pub use stream::{Refusal, Stream};
pub use vote::{Ballot, vote};
