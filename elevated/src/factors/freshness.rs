//! How long ago somebody gave a code, and where that counts. In memory alone: after a restart
//! everybody is asked again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::process::ProcessId;

/// Places of one person that are remembered; the one longest ago goes first.
const PLACES: usize = 64;

/// A terminal with the session (setsid(2)) that works on it. Both numbers are used again by the
/// kernel, the start of the leader is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Terminal {
    /// The device (`tty_nr` of proc_pid_stat(5)); never 0.
    pub number: u32,
    /// The leader of the session.
    pub leader: ProcessId,
}

/// Where somebody gives a code, as the kernel says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The audit session of their login, which is never used again on a boot.
    pub audit_session: u32,
    /// Their terminal in it, where there is one.
    pub terminal: Option<Terminal>,
}

#[derive(Debug, Clone, Copy)]
struct Given {
    audit_session: u32,
    /// None for a code of the login itself, which counts in all of the login.
    terminal: Option<Terminal>,
    /// On the boot clock, in milliseconds.
    at: u64,
}

impl Given {
    fn counts_at(&self, place: &Place) -> bool {
        let here = self.terminal.is_none() || self.terminal == place.terminal;
        self.audit_session == place.audit_session && here
    }
}

/// Codes that were given lately.
#[derive(Debug, Default)]
pub struct Freshness(Mutex<HashMap<u32, Vec<Given>>>);

impl Freshness {
    /// The login of `uid` that became this audit session gave a code at `at`: it counts in all of
    /// that login.
    pub fn note_login(&self, uid: u32, audit_session: u32, at: Moment) {
        self.add(
            uid,
            Given {
                audit_session,
                terminal: None,
                at: at.boot,
            },
        );
    }

    /// `uid` gave a code at `place`: it counts there and nowhere else. Without a terminal it
    /// counts for nothing more than what it was given for.
    pub fn note(&self, uid: u32, place: &Place, at: Moment) {
        if place.terminal.is_some() {
            self.add(
                uid,
                Given {
                    audit_session: place.audit_session,
                    terminal: place.terminal,
                    at: at.boot,
                },
            );
        }
    }

    /// How long ago `uid` gave a code that counts at `place`; none if they did not.
    pub fn age(&self, uid: u32, place: &Place, now: Moment) -> Option<Duration> {
        let all = self.lock();
        let here = all.get(&uid)?.iter().filter(|given| given.counts_at(place));
        let last = here.map(|given| given.at).max()?;
        now.boot.checked_sub(last).map(Duration::from_millis)
    }

    /// Nothing that `uid` gave counts any more: their factor is another one, or they left.
    pub fn forget(&self, uid: u32) {
        self.lock().remove(&uid);
    }

    /// Nothing that `uid` gave counts at `place` any more, be it at its terminal or at the login.
    pub fn forget_at(&self, uid: u32, place: &Place) {
        if let Some(given) = self.lock().get_mut(&uid) {
            given.retain(|given| !given.counts_at(place));
        }
    }

    /// This login is over.
    pub fn close(&self, audit_session: u32) {
        let mut all = self.lock();
        for given in all.values_mut() {
            given.retain(|given| given.audit_session != audit_session);
        }
        all.retain(|_, given| !given.is_empty());
    }

    fn add(&self, uid: u32, new: Given) {
        let mut all = self.lock();
        let given = all.entry(uid).or_default();
        let same =
            |old: &Given| old.audit_session == new.audit_session && old.terminal == new.terminal;
        given.retain(|old| !same(old));
        if given.len() >= PLACES {
            given.remove(0);
        }
        given.push(new);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Vec<Given>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: u32 = 1000;

    fn place(audit_session: u32, tty: u32, leader: i32, start: u64) -> Place {
        let leader = ProcessId { pid: leader, start };
        Place {
            audit_session,
            terminal: Some(Terminal {
                number: tty,
                leader,
            }),
        }
    }

    fn at(boot: u64) -> Moment {
        Moment { boot, wall: 7 }
    }

    fn millis(duration: u64) -> Option<Duration> {
        Some(Duration::from_millis(duration))
    }

    #[test]
    fn a_code_counts_where_it_was_given_and_nowhere_else() {
        let freshness = Freshness::default();
        let here = place(1, 34816, 50, 500);
        freshness.note(ALICE, &here, at(1000));
        assert_eq!(freshness.age(ALICE, &here, at(1200)), millis(200));
        let elsewhere = [
            place(2, 34816, 50, 500),
            place(1, 34817, 50, 500),
            place(1, 34816, 51, 500),
            // The same pid, used again by a later process.
            place(1, 34816, 50, 501),
            Place {
                audit_session: 1,
                terminal: None,
            },
        ];
        for place in elsewhere {
            assert_eq!(freshness.age(ALICE, &place, at(1200)), None, "{place:?}");
        }
        assert_eq!(freshness.age(ALICE + 1, &here, at(1200)), None);
    }

    #[test]
    fn the_code_of_a_login_counts_on_every_terminal_of_it() {
        let freshness = Freshness::default();
        freshness.note_login(ALICE, 1, at(1000));
        for place in [
            place(1, 34816, 50, 500),
            place(1, 34817, 60, 600),
            Place {
                audit_session: 1,
                terminal: None,
            },
        ] {
            assert_eq!(freshness.age(ALICE, &place, at(1001)), millis(1));
        }
        assert_eq!(
            freshness.age(ALICE, &place(2, 34816, 50, 500), at(1001)),
            None
        );
        assert_eq!(freshness.age(0, &place(1, 34816, 50, 500), at(1001)), None);
    }

    #[test]
    fn without_a_terminal_a_code_counts_for_what_it_was_given_for() {
        let freshness = Freshness::default();
        let nowhere = Place {
            audit_session: 1,
            terminal: None,
        };
        freshness.note(ALICE, &nowhere, at(1000));
        assert_eq!(freshness.age(ALICE, &nowhere, at(1000)), None);
        assert_eq!(
            freshness.age(ALICE, &place(1, 34816, 50, 500), at(1000)),
            None
        );
    }

    #[test]
    fn the_latest_code_that_counts_is_taken() {
        let freshness = Freshness::default();
        let here = place(1, 34816, 50, 500);
        freshness.note_login(ALICE, 1, at(1000));
        freshness.note(ALICE, &here, at(2000));
        freshness.note(ALICE, &here, at(3000));
        assert_eq!(freshness.age(ALICE, &here, at(3500)), millis(500));
        let there = place(1, 34817, 60, 600);
        assert_eq!(freshness.age(ALICE, &there, at(3500)), millis(2500));
    }

    #[test]
    fn what_is_over_counts_no_more() {
        let freshness = Freshness::default();
        let here = place(1, 34816, 50, 500);
        freshness.note_login(ALICE, 1, at(1000));
        freshness.note(ALICE, &here, at(1000));
        freshness.close(2);
        assert_eq!(freshness.age(ALICE, &here, at(1000)), millis(0));
        freshness.close(1);
        assert_eq!(freshness.age(ALICE, &here, at(1000)), None);
        freshness.note(ALICE, &here, at(1000));
        freshness.forget(ALICE);
        assert_eq!(freshness.age(ALICE, &here, at(1000)), None);
    }

    #[test]
    fn no_more_places_are_remembered_than_so_many() {
        let freshness = Freshness::default();
        for tty in 1..=2 * PLACES as u32 {
            freshness.note(ALICE, &place(1, tty, 50, 500), at(u64::from(tty)));
        }
        assert_eq!(freshness.lock()[&ALICE].len(), PLACES);
        assert_eq!(freshness.age(ALICE, &place(1, 1, 50, 500), at(1000)), None);
        let last = 2 * PLACES as u32;
        assert!(
            freshness
                .age(ALICE, &place(1, last, 50, 500), at(1000))
                .is_some()
        );
    }
}
