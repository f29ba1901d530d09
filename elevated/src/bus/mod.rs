//! The daemon on D-Bus. Adapters: they identify the caller, check that they may see what they
//! name, and delegate; they decide nothing.

mod ask;
mod caller;
mod error;
mod extend;
mod jobs;
mod manager;
mod object;
mod properties;
mod publish;
mod recordings;
mod rules;
mod status;
mod watchers;
mod why;

pub use error::BusError;
pub use jobs::follow_jobs;
pub use manager::{Manager, serve};
pub use publish::publish;
pub use watchers::Watchers;
