//! The processes around an elevated command: the launcher, which forks; the resolver, which turns a
//! command into a file; the leader, which runs one session; the editor, which leads an edit; and the
//! sweeper, which ends all processes of somebody who left.
//!
//! All of them are synchronous and have one thread, because they fork without executing anything.
#![deny(unsafe_code)]

mod account;
mod cgroup;
pub mod editor;
mod identity;
pub mod launcher;
pub mod leader;
pub mod resolver;
pub mod sweeper;
mod sys;
