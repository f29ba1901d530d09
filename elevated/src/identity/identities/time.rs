//! What comes with time alone, and the time as it is written down.

use std::time::{Duration, Instant};

use super::{FRESHNESS, Identities, Inner};
use crate::clock::Moment;
use crate::identity::state::State;

/// How often the time is written down while records are in force, so that a reboot with a dead clock
/// does not make them younger.
const NOTED_EVERY: Duration = Duration::from_secs(60);

/// What came without anybody's saying so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// Nothing was heard of the directory for too long.
    Silent(String),
    /// The directory lost so much at once that it is not believed.
    Withheld(String),
    /// The records are too old for anybody in them to count.
    Outdated,
}

impl Identities {
    /// When on the boot clock to look again, if nothing happens before; `None` where nothing comes
    /// with time.
    pub fn next_due(&self) -> Option<u64> {
        let now = Moment::now();
        let mut inner = self.inner();
        let inner = &mut *inner;
        self.note_time(inner, false);
        let counts = inner.state.directory.counts();
        if counts == (0, 0) && !inner.link.is_fed() {
            return None;
        }
        let noted = now.boot + note_every(&inner.state).as_millis() as u64;
        let due = [
            inner.state.next_due(now),
            inner.link.next_due(now),
            Some(noted),
        ];
        due.into_iter().flatten().min()
    }

    /// What came with time, or with a refresh, since this was asked last.
    pub fn passage(&self) -> Vec<Passage> {
        let now = Moment::now();
        let mut inner = self.inner();
        let inner = &mut *inner;
        let directory = &inner.state.directory;
        // In its first synchronisation a directory counts as reached at the end, and lost nobody.
        let first = inner.link.is_fed() && inner.state.freshness.last_reached().is_none();
        let outdated = directory.counts().0 > 0 && !first && inner.state.is_outdated(now);
        let silent = inner.link.fell_silent(now);
        let withheld = inner.link.new_withheld(directory.withheld());
        let all = [
            silent.then(|| Passage::Silent(inner.link.problem(now).unwrap_or_default())),
            withheld.map(|withheld| Passage::Withheld(withheld.to_string())),
            inner
                .link
                .became_outdated(outdated)
                .then_some(Passage::Outdated),
        ];
        all.into_iter().flatten().collect()
    }

    /// Write down when the directory was reached and what time it is, every now and then.
    pub(super) fn note_time(&self, inner: &mut Inner, at_once: bool) {
        let due = inner
            .noted
            .is_none_or(|noted| noted.elapsed() >= note_every(&inner.state));
        if (!at_once && !due) || inner.state.freshness.last_reached().is_none() {
            return;
        }
        let State {
            freshness, place, ..
        } = &mut inner.state;
        freshness.look(Moment::now(), &place.boot_id);
        let text = serde_json::to_string(freshness).ok();
        inner.noted = Some(Instant::now());
        // Not waited for: a note that is lost makes the records older, not younger.
        drop(
            self.store
                .order(move |store| store.set_note(FRESHNESS, text.as_deref())),
        );
    }
}

fn note_every(state: &State) -> Duration {
    NOTED_EVERY.min(state.place.cache_max_age / 4)
}
