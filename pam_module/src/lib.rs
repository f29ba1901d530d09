//! `pam_elevate.so`: asks `elevated` what a login owes and whether a role admits it, and relays its
//! prompts. It decides nothing but what happens when `elevated` can't be asked: no, or the rescue
//! that the administrator wrote into the PAM line.
//!
//! It lives in other people's processes (sshd, login, su) and leaves no trace there: no thread, no
//! child, no signal handler, no descriptor; it reads no environment variable of the process, and a
//! panic ends as `PAM_ABORT`. Whatever it doesn't understand is a no.

mod arguments;
mod asking;
mod conversation;
mod deadline;
mod decision;
mod facts;
mod ffi;
mod phase;
mod problem;
mod rescue;
mod socket;
mod spool;
mod terminal;
mod world;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod phase_tests;
