//! What is put on record: one [`Entry`] per event, the same for every place it is written to.

mod entries;
mod entry;
pub mod journal;

pub use entries::{
    closing, end, exec, grant, lost, policy_loaded, policy_refused, recording_read, refused_ask,
    refused_vote, request, revoke, settings_refused, start, vote,
};
pub use entry::{Entry, Kind};
