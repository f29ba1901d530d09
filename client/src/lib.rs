//! `elevate`, which asks for a command and owns the user's terminal while it runs, and
//! `elevatectl`, which lists, approves and ends what was asked. Neither decides anything.

pub mod bus;
pub mod cli;
pub mod conversation;
pub mod ctl;
pub mod elevate;
pub mod exit;
pub mod failure;
pub mod session;
pub mod signals;
pub mod stdio;
pub mod terminal;
