//! The socket on which the PAM module asks. systemd listens on it, so that a login during a restart
//! waits instead of failing.

mod peer;
mod serve;
mod spool;
mod steps;

pub use serve::serve;
pub use spool::watch_spool;
