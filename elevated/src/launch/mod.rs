//! The way to the launcher, and to what it forks.

mod launcher;
mod leader;
mod leaver;
mod packets;
mod resolve;
mod scope;

pub use launcher::Launcher;
pub use leader::Link;
pub use leaver::{end_login, end_user, end_user_units};
pub use packets::Packets;
pub use resolve::resolve;
pub use scope::{Bounds, Scopes};
