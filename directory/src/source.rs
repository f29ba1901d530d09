//! Where records come from: the one thing that differs between kinds of directories.

use std::future::Future;

use elevate_protocol::directory::Change;

/// A directory that can be followed.
pub trait Source {
    /// Where the records come from, in one line: a cursor of another origin is void.
    fn origin(&self) -> String;

    /// Connects, to go on from the cursor, or from nothing.
    ///
    /// # Errors
    /// Nobody was.
    fn follow(&mut self, cursor: Option<&str>) -> impl Future<Output = Result<Reached, Problem>>;

    /// What comes next. It comes within seconds, since the source asks for a sign of life where
    /// nothing else comes. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// The connection is over.
    fn next(&mut self) -> impl Future<Output = Result<Event, Problem>>;

    /// Not all that was told may have arrived: what is known of it counts for nothing.
    fn forget(&mut self);

    /// Says goodbye, where there is somebody to say it to.
    fn close(&mut self) -> impl Future<Output = ()>;
}

/// Who is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Its name, for people.
    pub name: String,
    /// Whether it goes on from the cursor; otherwise everything will be told.
    pub from_cursor: bool,
}

/// What a source tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A record is new, not as before, or gone.
    Change(Box<Change>),
    /// The entry with this id is there, as before.
    Unchanged(String),
    /// From here on changes come as they happen.
    Refreshed {
        /// Whether everything that is there was named since [`Source::follow`].
        everything: bool,
        /// From where to go on.
        cursor: Option<String>,
    },
    /// From where to go on, after all that was told so far.
    Cursor(String),
    /// The directory was heard.
    Alive,
    /// An entry that can't be handed on at all, and why.
    Odd(String),
    /// This was all for now: follow again, and everything will be told again.
    Over,
}

/// Why a source has no more to tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It can't be reached, or says no.
    #[error("{0}")]
    Unreachable(String),
    /// It can't go on from the cursor, and can be followed from nothing.
    #[error("{0}")]
    Anew(String),
}
