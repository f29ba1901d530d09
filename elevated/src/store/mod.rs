//! What must outlive the daemon: elevations, factors and identities, on disk before anything rests
//! on them.

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

/// A place that keeps what must be kept. Each write is one transaction, and durable when it returns.
pub trait Store: Send {
    /// Every elevation that is kept, with whether it was written in this boot.
    fn load(&mut self) -> Result<Vec<(Elevation, bool)>, Error>;
    /// Write one.
    fn save(&mut self, elevation: &Elevation) -> Result<(), Error>;
    /// Forget one.
    fn forget(&mut self, id: Id) -> Result<(), Error>;

    /// Every second factor: whose, and its record, which holds its secret sealed.
    fn factors(&mut self) -> Result<Vec<(String, String)>, Error>;
    /// Write the one of `user`.
    fn save_factor(&mut self, user: &str, record: &str) -> Result<(), Error>;
    /// Forget the one of `user`.
    fn forget_factor(&mut self, user: &str) -> Result<(), Error>;

    /// Give every record of the directory with its id to `each`, in no order, one at a time: there
    /// may be a hundred thousand.
    fn each_identity(&mut self, each: &mut dyn FnMut(&str, &str)) -> Result<(), Error>;
    /// Carry out what changed there.
    fn change_identities(&mut self, change: &IdentityChange) -> Result<(), Error>;

    /// A note by its name: a cursor, a check value, the highest time seen.
    fn note(&mut self, name: &str) -> Result<Option<String>, Error>;
    /// Write a note, or forget it.
    fn set_note(&mut self, name: &str, text: Option<&str>) -> Result<(), Error>;
}

/// One change of the directory's records, carried out whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentityChange {
    /// Whether everything that was there goes first.
    pub clear: bool,
    /// Records that are new or not as before, by id.
    pub put: Vec<(String, String)>,
    /// Ids of those that go.
    pub drop: Vec<String>,
    /// Notes that change with them, such as the cursor.
    pub notes: Vec<(String, Option<String>)>,
}
