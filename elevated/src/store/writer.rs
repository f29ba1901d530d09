//! The store on a thread of its own, since SQLite waits for the disk.

use std::sync::mpsc::{Receiver, Sender, channel};

use elevate_protocol::Id;
use tokio::sync::oneshot;

use super::{Error, Store};
use crate::elevation::Elevation;

type Job = Box<dyn FnOnce(&mut dyn Store) + Send>;

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

    /// Give an order; the future is done when it is, and what was to be written is on disk.
    pub fn order<T, J>(&self, job: J) -> impl Future<Output = Result<T, Error>> + use<T, J>
    where
        T: Send + 'static,
        J: FnOnce(&mut dyn Store) -> Result<T, Error> + Send + 'static,
    {
        let (done, result) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            // Whoever waited may be gone; it is done all the same.
            let _ = done.send(job(store));
        });
        let sent = self.0.send(job);
        async move {
            sent.map_err(|_| Error::Closed)?;
            result.await.map_err(|_| Error::Closed)?
        }
    }

    /// Give the order to write an elevation.
    pub fn save(
        &self,
        elevation: Box<Elevation>,
    ) -> impl Future<Output = Result<(), Error>> + use<> {
        self.order(move |store| store.save(&elevation))
    }

    /// Give the order to forget an elevation.
    pub fn forget(&self, id: Id) {
        let job: Job = Box::new(move |store| {
            if let Err(error) = store.forget(id) {
                eprintln!("{id} could not be forgotten: {error}");
            }
        });
        // A closed store forgets nothing; the record is dropped at the next start.
        let _ = self.0.send(job);
    }
}

fn work(mut store: impl Store, jobs: &Receiver<Job>) {
    for job in jobs {
        job(&mut store);
    }
}
