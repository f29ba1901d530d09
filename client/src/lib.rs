//! `elevate`, which asks for a command and owns the user's terminal while it runs, and
//! `elevatectl`, which lists, approves and ends what was asked; and `elevate-shell`, the login shell of
//! people whose logins are recorded. None of them decides anything.

pub mod bus;
pub mod cli;
pub mod conversation;
pub mod ctl;
pub mod edit;
pub mod elevate;
pub mod exit;
pub mod failure;
pub mod login_shell;
pub mod session;
pub mod signals;
pub mod stdio;
pub mod terminal;
