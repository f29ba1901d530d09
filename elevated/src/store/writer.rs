//! The store on a thread of its own, since SQLite waits for the disk.

use std::sync::mpsc::{Receiver, Sender, channel};

use elevate_protocol::Id;
use tokio::sync::oneshot;

use super::{Error, Store};
use crate::elevation::Elevation;

enum Job {
    Save(Box<Elevation>, oneshot::Sender<Result<(), Error>>),
    Forget(Id),
}

/// The way to the thread. Jobs are done in the order in which they were given.
#[derive(Debug, Clone)]
pub struct Writer(Sender<Job>);

impl Writer {
    /// Start the thread.
    pub fn start(store: impl Store + 'static) -> std::io::Result<Self> {
        let (sender, jobs) = channel();
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || work(store, &jobs))?;
        Ok(Writer(sender))
    }

    /// Give the order to write; the future is done when it is on disk.
    pub fn save(
        &self,
        elevation: Box<Elevation>,
    ) -> impl Future<Output = Result<(), Error>> + use<> {
        let (done, written) = oneshot::channel();
        let sent = self.0.send(Job::Save(elevation, done));
        async move {
            sent.map_err(|_| Error::Closed)?;
            written.await.map_err(|_| Error::Closed)?
        }
    }

    /// Give the order to forget.
    pub fn forget(&self, id: Id) {
        // A closed store forgets nothing; the record is dropped at the next start.
        let _ = self.0.send(Job::Forget(id));
    }
}

fn work(mut store: impl Store, jobs: &Receiver<Job>) {
    for job in jobs {
        match job {
            Job::Save(elevation, done) => {
                // Whoever waited may be gone; the record is written all the same.
                let _ = done.send(store.save(&elevation));
            }
            Job::Forget(id) => {
                if let Err(error) = store.forget(id) {
                    eprintln!("{id} could not be forgotten: {error}");
                }
            }
        }
    }
}
