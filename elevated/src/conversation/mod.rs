//! What is said on a client's stream, from its first word to the moment its leader takes over.

mod account;
mod arrival;
mod ask;
mod elevate;
mod environment;
mod extend;
mod factor;
mod forbidden;
mod fresh;
mod judge;
mod kept;
mod launch;
mod mfa;
mod proof;
mod reason;
mod shell;
mod stream;
mod terms;
mod ticket;
mod vote;
mod wait;
mod words;

#[cfg(test)]
mod scenarios;

pub use arrival::{Arrival, Supposed};
pub use ask::{Ask, Mode};
pub use elevate::{elevate, resume};
pub use extend::{Extension, extend};
pub use fresh::{FreshOrder, fresh};
pub use judge::{Answer, account, judge};
pub use mfa::{MfaOrder, mfa};
pub use proof::Proved;
pub use shell::{real_shell, shell};
pub use stream::{Refusal, Stream};
pub use vote::{Ballot, vote};
