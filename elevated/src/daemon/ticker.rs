//! Time goes by.

use std::sync::Arc;
use std::time::Duration;

use super::Daemon;
use crate::elevation::Event;

/// The boot clock goes on in suspend and tokio's doesn't: look again at least this often.
const LONGEST_NAP: Duration = Duration::from_secs(30);

impl Daemon {
    /// Let time go by for what waits and what runs; never ends.
    pub async fn tick(self: Arc<Self>) {
        loop {
            let due = self.core().elevations.next_due();
            let now = self.now().boot;
            match due {
                Some(at) if at <= now => {
                    // Time going by refuses nothing.
                    let _ = self.apply(Event::Tick).await;
                    // What stays due (a leader that is told to end) is looked at again in a while.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Some(at) => {
                    let nap = Duration::from_millis(at - now).min(LONGEST_NAP);
                    // Something new may be due earlier.
                    let _ = tokio::time::timeout(nap, self.due.notified()).await;
                }
                None => self.due.notified().await,
            }
        }
    }
}
