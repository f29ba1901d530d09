//! What must outlive the daemon: elevations, on disk before anything runs.

mod sqlite;
mod writer;

use elevate_protocol::Id;

use crate::elevation::Elevation;

pub use sqlite::Sqlite;
pub use writer::Writer;

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error("the store failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// Its schema.
    #[error("the store's schema could not be brought up to date: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    /// Its folder.
    #[error("the store can't be set aside: {0}")]
    Io(#[from] std::io::Error),
    /// A record in it.
    #[error("a record of the store can't be read: {0}")]
    Record(#[from] serde_json::Error),
    /// The thread that writes is gone.
    #[error("the store is closed")]
    Closed,
}

/// A place that keeps elevations.
pub trait Store: Send {
    /// Every elevation that is kept, with whether it was written in this boot.
    fn load(&mut self) -> Result<Vec<(Elevation, bool)>, Error>;
    /// Write one, durably.
    fn save(&mut self, elevation: &Elevation) -> Result<(), Error>;
    /// Forget one.
    fn forget(&mut self, id: Id) -> Result<(), Error>;
}
