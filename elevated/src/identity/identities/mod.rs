//! People and groups where the daemon has them: the files, the clock and the store around
//! [`State`](super::state::State).

mod feed;
mod leaving;
mod publishing;
#[cfg(test)]
mod tests;
mod time;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use elevate_policy::Policy;
use tokio::sync::{Notify, watch};

use super::directory::{Directory, Rules};
use super::link::Link;
use super::news::{Absence, Departure, Told, absence};
use super::state::{Place, State};
use super::status::Status;
use super::{Accounts, Freshness, LocalAccounts, LocalFiles, People, Publisher};
use crate::clock::Moment;
use crate::store::{self, Store, Writer};

pub use feed::Rejected;
pub use time::Passage;

/// Names of notes in the store.
const FRESHNESS: &str = "directory.freshness";
const REFUSED: &str = "directory.refused";
const LEAVING: &str = "directory.leaving";

/// What an earlier daemon left in the store.
#[derive(Debug, Default)]
pub struct Kept {
    directory: Directory,
    freshness: Freshness,
    refused: Vec<u64>,
    leaving: Vec<Departure>,
}

impl Kept {
    /// Read it, and check every record anew.
    pub fn load(store: &mut dyn Store, rules: Rules) -> Result<Self, store::Error> {
        let mut directory = Directory::new(rules);
        directory.restore_mark(store.note(Directory::NOTE)?.as_deref());
        store.each_identity(&mut |id, record| directory.restore(id, record))?;
        Ok(Kept {
            directory,
            freshness: read(store, FRESHNESS)?,
            refused: read(store, REFUSED)?,
            leaving: read(store, LEAVING)?,
        })
    }
}

/// A note that can't be read is none: then records are too old until the directory is reached.
fn read<T: serde::de::DeserializeOwned + Default>(
    store: &mut dyn Store,
    name: &str,
) -> Result<T, store::Error> {
    let note = store.note(name)?;
    let note = note.and_then(|note| serde_json::from_str(&note).ok());
    Ok(note.unwrap_or_default())
}

/// Everybody.
#[derive(Debug)]
pub struct Identities {
    inner: Mutex<Inner>,
    store: Writer,
    /// And whom it published last.
    publisher: tokio::sync::Mutex<(Option<Publisher>, Option<Arc<People>>)>,
    /// One update is written at a time.
    writing: tokio::sync::Mutex<()>,
    orders: watch::Sender<u64>,
    /// Told when there may be news.
    pub(crate) changed: Notify,
}

#[derive(Debug)]
struct Inner {
    local: LocalFiles,
    state: State,
    told: Told,
    link: Link,
    /// Who is on the way out, until all that was theirs has ended.
    leaving: Vec<Departure>,
    /// Those of them whose end this daemon has begun.
    ending: Vec<Departure>,
    /// Whether an order found nobody to hear it.
    unordered: bool,
    /// Of writing, and of publishing.
    problems: [Option<String>; 2],
    noted: Option<Instant>,
}

impl Identities {
    /// Everybody of `local` and of what was `kept`. Those whom an earlier daemon published, and who
    /// do not count any more, are news.
    pub fn new(
        local: LocalFiles,
        kept: Kept,
        place: Place,
        mut publisher: Publisher,
        store: Writer,
    ) -> Self {
        let state = State::new(kept.directory, kept.freshness, place);
        let published = publisher.published().unwrap_or_else(|error| {
            eprintln!("who was published before is not known: {error}");
            BTreeMap::new()
        });
        Identities {
            inner: Mutex::new(Inner {
                local,
                state,
                told: Told::new(published, kept.refused),
                link: Link::default(),
                leaving: kept.leaving,
                ending: Vec::new(),
                unordered: false,
                problems: [None, None],
                noted: None,
            }),
            publisher: tokio::sync::Mutex::new((Some(publisher), None)),
            store,
            writing: tokio::sync::Mutex::default(),
            orders: watch::Sender::new(0),
            changed: Notify::new(),
        }
    }

    /// The accounts of this host's files alone, for tests of other parts.
    #[cfg(test)]
    pub(crate) fn local_only(store: Writer) -> Self {
        use std::path::Path;
        let files = LocalFiles::new(Path::new("/etc"));
        let nowhere = Publisher::new(Path::new("/nonexistent/userdb"));
        Identities::new(files, Kept::default(), Place::default(), nowhere, store)
    }

    /// Everybody who counts now, as the files, the records and `policy` have it.
    pub fn accounts(&self, policy: &Arc<Policy>) -> io::Result<Arc<Accounts>> {
        let mut inner = self.inner();
        let local = inner.local.accounts()?;
        let begun = Instant::now();
        let (accounts, fresh) = inner.state.accounts(&local, policy, Moment::now());
        if fresh {
            inner.state.rebuilt(Moment::now(), begun.elapsed());
            self.changed.notify_one();
        }
        Ok(Arc::new(accounts))
    }

    /// The accounts of this host's own files.
    pub fn local(&self) -> io::Result<Arc<LocalAccounts>> {
        self.inner().local.accounts()
    }

    /// How many records are not believed.
    pub fn refused(&self) -> usize {
        let inner = self.inner();
        inner.state.refused().len() + inner.state.directory.left_over()
    }

    /// Where the records come from.
    pub fn source(&self) -> String {
        let inner = self.inner();
        inner
            .state
            .directory
            .source()
            .unwrap_or_default()
            .to_owned()
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        let inner = self.inner();
        Status::of(&inner.state, &inner.link, &inner.problems, Moment::now())
    }

    /// Why somebody whom the directory may know does not count here, for the record alone.
    pub fn absence(&self, name: &str) -> Absence {
        let inner = self.inner();
        let state = &inner.state;
        let wall = state.freshness.wall(Moment::now(), &state.place.boot_id);
        absence(name, None, &state.directory, state.refused(), wall)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic under the lock leaves whole values behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
