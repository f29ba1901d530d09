//! What a login owes, and which ones have given it. Nothing here reads a clock, a file or a socket.

mod demand;
mod open;
mod origin;
mod passed;

pub use demand::{Demand, demand};
pub use open::{OpenLogin, OpenLogins};
pub use origin::origin;
pub use passed::{Given, Passed, PassedLogins};
