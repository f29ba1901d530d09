//! Conversions of whole sudoers, judged by our policy and held against sudo's own rules.

mod against_sudo;
mod asking;
mod cases;
mod marked;
mod sudo;
mod writing;
