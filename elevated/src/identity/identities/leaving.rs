//! What there is to tell, and who is on the way out.

use super::{Identities, Inner, LEAVING, REFUSED};
use crate::clock::Moment;
use crate::identity::{Accounts, Departure, News};

impl Identities {
    /// What there is to tell since the last time. Who leaves is on disk before this returns, as what
    /// is theirs has to end also where this daemon ends before.
    pub async fn news(&self, accounts: &Accounts) -> News {
        let (news, notes) = {
            let mut inner = self.inner();
            let Inner {
                state,
                told,
                leaving,
                ..
            } = &mut *inner;
            let wall = state.freshness.wall(Moment::now(), &state.place.boot_id);
            let before = told.refused();
            let news = told.news(accounts, &state.directory, state.refused(), wall);
            let refused = told.refused();
            let mut notes = Vec::new();
            if refused != before {
                notes.push((REFUSED, serde_json::to_string(&refused).ok()));
            }
            if !news.leavers.is_empty() {
                leaving.extend(news.leavers.iter().cloned());
                notes.push((LEAVING, serde_json::to_string(leaving).ok()));
            }
            (news, notes)
        };
        for (name, text) in notes {
            let written = self
                .store
                .order(move |store| store.set_note(name, text.as_deref()));
            if let Err(error) = written.await {
                eprintln!("the note {name} can't be written: {error}");
            }
        }
        news
    }

    /// Those whose end is not known to be finished, but for those who count again. Who got the uid of
    /// somebody who left is not them: what that uid has had here ends all the same.
    pub fn still_leaving(&self, accounts: &Accounts) -> Vec<Departure> {
        let mut inner = self.inner();
        let people = accounts.people();
        let is_back = |leaver: &Departure| {
            let same = people.by_name(&leaver.name);
            same.is_some_and(|entry| entry.person.uid == leaver.uid)
                // What a local account has now can't be told from what the leaver had.
                || accounts.local().user_with(leaver.uid).is_some()
        };
        inner.leaving.retain(|leaver| !is_back(leaver));
        // Should they leave once more, that is another end.
        inner.ending.retain(|leaver| !is_back(leaver));
        inner.leaving.clone()
    }

    /// Of `leavers` those whose end nobody has begun yet; from now on somebody has.
    pub fn begin_to_end(&self, leavers: Vec<Departure>) -> Vec<Departure> {
        let mut inner = self.inner();
        let begun = &mut inner.ending;
        let mut new = leavers;
        new.retain(|leaver| !begun.contains(leaver));
        begun.extend(new.iter().cloned());
        new
    }

    /// All that was theirs has ended.
    pub async fn left(&self, gone: &[Departure]) {
        let text = {
            let mut inner = self.inner();
            inner.leaving.retain(|leaver| !gone.contains(leaver));
            inner.ending.retain(|leaver| !gone.contains(leaver));
            serde_json::to_string(&inner.leaving).ok()
        };
        let written = self
            .store
            .order(move |store| store.set_note(LEAVING, text.as_deref()));
        if let Err(error) = written.await {
            eprintln!("a leaver stays noted: {error}");
        }
    }
}
