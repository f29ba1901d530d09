//! What `elevate-directory` hands over and is ordered.

use tokio::sync::watch;

use super::Identities;
use crate::clock::Moment;
use crate::identity::directory::Update;

/// Why an update was not taken in, or not for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// Another connection feeds.
    OutOfTurn,
    /// It is no update.
    Invalid(String),
    /// It is in force and could not be written: it has to come again.
    Unwritten(String),
}

impl Identities {
    /// A connection begins to feed; another one that did, no longer does. Its number, and the cursor
    /// to go on from.
    pub fn begin(&self, source: &str) -> (u64, Option<String>) {
        let mut inner = self.inner();
        let feeder = inner.link.begin(Moment::now());
        (feeder, inner.state.directory.begin(source))
    }

    /// Take in an update of connection `feeder`. It is in force when this returns, if only with the
    /// next look at [`Identities::accounts`], and on disk unless the error says that it is not.
    pub async fn apply(&self, feeder: u64, update: Update) -> Result<(), Rejected> {
        let _turn = self.writing.lock().await;
        let complete = update.complete;
        let written = {
            let mut inner = self.inner();
            if !inner.link.is_fed_by(feeder) {
                return Err(Rejected::OutOfTurn);
            }
            let directory = &mut inner.state.directory;
            let (change, strange) = directory.apply(update).map_err(Rejected::Invalid)?;
            if strange && inner.link.may_resync() {
                inner.unordered = self.orders.receiver_count() == 0;
                self.orders.send_modify(|order| *order += 1);
            }
            // In order with all else that is written.
            self.store
                .order(move |store| store.change_identities(&change))
        };
        let written = written.await;
        let mut inner = self.inner();
        inner.state.directory.written(written.is_ok());
        if complete {
            inner.state.hurry();
        }
        inner.problems[0] = written.as_ref().err().map(ToString::to_string);
        self.changed.notify_one();
        written.map_err(|error| Rejected::Unwritten(error.to_string()))
    }

    /// Connection `feeder` reached the directory, or did not. Whether that is new.
    pub fn contact(
        &self,
        feeder: u64,
        connected: bool,
        problem: Option<String>,
    ) -> Result<bool, Rejected> {
        let now = Moment::now();
        let mut inner = self.inner();
        if !inner.link.is_fed_by(feeder) {
            return Err(Rejected::OutOfTurn);
        }
        let inner = &mut *inner;
        // While it lists so few that it is not believed, what is stored is not what it holds.
        if connected && inner.state.directory.withheld().is_none() {
            inner
                .state
                .freshness
                .reached(now, &inner.state.place.boot_id);
        }
        let news = inner.link.contact(connected, problem, now);
        self.note_time(inner, news);
        Ok(news)
    }

    /// Connection `feeder` has ended. Whether nobody feeds any more.
    pub fn hung_up(&self, feeder: u64) -> bool {
        let mut inner = self.inner();
        let inner = &mut *inner;
        let news = inner.link.hung_up(feeder);
        self.note_time(inner, news);
        news
    }

    /// Orders to synchronise from nothing, counted, from now on. One that nobody was there to hear
    /// is heard at once.
    pub fn orders(&self) -> watch::Receiver<u64> {
        let mut orders = self.orders.subscribe();
        if std::mem::take(&mut self.inner().unordered) {
            orders.mark_changed();
        }
        orders
    }

    /// Order to synchronise from nothing; root's word for what is withheld, if something is.
    pub fn sync(&self) -> Result<(), &'static str> {
        if self.orders.receiver_count() == 0 {
            return Err("elevate-directory is not running, or waits for no orders");
        }
        self.inner().state.directory.confirm();
        self.orders.send_modify(|order| *order += 1);
        Ok(())
    }
}
