//! How far one search of RFC 4533 is: what its messages mean for what we hold. Pure.

use crate::ldap::control::{EntryState, Info, State, Uuid};

/// Progress of one search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    cookie: Option<Vec<u8>>,
    from_nothing: bool,
    presented: bool,
    refreshed: bool,
}

/// What an entry's message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The entry is new, or not as before.
    Changed,
    /// It is as before.
    Unchanged,
    /// It is gone.
    Gone,
}

/// What another message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing but perhaps a new cookie.
    Nothing,
    /// These entries are as before.
    Unchanged(Vec<Uuid>),
    /// These are gone.
    Gone(Vec<Uuid>),
    /// From here on changes come as they happen.
    Refreshed,
}

impl Progress {
    /// A search that begins from this cookie, or from nothing.
    pub fn new(cookie: Option<Vec<u8>>) -> Self {
        Progress {
            from_nothing: cookie.is_none(),
            cookie,
            presented: false,
            refreshed: false,
        }
    }

    /// From where to go on: by the newest cookie (section 2.1.2).
    pub fn cookie(&self) -> Option<&[u8]> {
        self.cookie.as_deref()
    }

    /// Whether changes come as they happen.
    pub fn refreshed(&self) -> bool {
        self.refreshed
    }

    /// Whether the search began from a cookie, which the server may not know.
    pub fn began_from_cookie(&self) -> bool {
        !self.from_nothing
    }

    /// Whether what was named is everything (section 3.3.2): in a present phase whatever is still
    /// there is named, and the first content is named whatever the phase is called.
    pub fn everything(&self) -> bool {
        self.refreshed && (self.from_nothing || self.presented)
    }

    /// An entry came.
    pub fn entry(&mut self, state: &State<'_>) -> Fate {
        self.take(state.cookie);
        match state.state {
            EntryState::Add | EntryState::Modify => Fate::Changed,
            EntryState::Present => Fate::Unchanged,
            EntryState::Delete => Fate::Gone,
        }
    }

    /// An intermediate message came.
    pub fn info(&mut self, info: Info<'_>) -> Told {
        match info {
            Info::NewCookie(cookie) => {
                self.take(Some(cookie));
                Told::Nothing
            }
            Info::IdSet {
                cookie,
                gone,
                uuids,
            } => {
                self.take(cookie);
                match gone {
                    true => Told::Gone(uuids),
                    false => Told::Unchanged(uuids),
                }
            }
            Info::PhaseEnd {
                present,
                cookie,
                refreshed,
            } => {
                self.take(cookie);
                // After the refresh no phase ends, whatever a server says.
                if self.refreshed {
                    return Told::Nothing;
                }
                self.presented |= present;
                self.refreshed = refreshed;
                match refreshed {
                    true => Told::Refreshed,
                    false => Told::Nothing,
                }
            }
        }
    }

    fn take(&mut self, cookie: Option<&[u8]>) {
        if let Some(cookie) = cookie {
            self.cookie = Some(cookie.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Uuid = [1; 16];

    fn end(present: bool, refreshed: bool) -> Info<'static> {
        Info::PhaseEnd {
            present,
            cookie: Some(b"new"),
            refreshed,
        }
    }

    fn set(gone: bool) -> Info<'static> {
        Info::IdSet {
            cookie: None,
            gone,
            uuids: vec![ONE],
        }
    }

    #[test]
    fn the_first_content_is_everything_whatever_the_phase_is_called() {
        for present in [true, false] {
            let mut progress = Progress::new(None);
            assert_eq!(progress.info(end(present, true)), Told::Refreshed);
            assert!(progress.everything());
            assert_eq!(progress.cookie(), Some(&b"new"[..]));
        }
    }

    #[test]
    fn after_a_present_phase_what_was_not_named_is_gone() {
        let mut progress = Progress::new(Some(b"old".into()));
        assert_eq!(progress.info(set(false)), Told::Unchanged(vec![ONE]));
        assert_eq!(progress.info(end(true, true)), Told::Refreshed);
        assert!(progress.everything());
    }

    #[test]
    fn after_a_delete_phase_only_what_was_named_is_gone() {
        let mut progress = Progress::new(Some(b"old".into()));
        assert_eq!(progress.info(set(true)), Told::Gone(vec![ONE]));
        assert_eq!(progress.info(end(false, true)), Told::Refreshed);
        assert!(!progress.everything());
    }

    #[test]
    fn a_present_phase_may_be_followed_by_a_delete_phase() {
        let mut progress = Progress::new(Some(b"old".into()));
        assert_eq!(progress.info(end(true, false)), Told::Nothing);
        assert!(!progress.refreshed() && !progress.everything());
        assert_eq!(progress.info(set(true)), Told::Gone(vec![ONE]));
        assert_eq!(progress.info(end(false, true)), Told::Refreshed);
        assert!(progress.everything());
    }

    #[test]
    fn after_the_refresh_sets_still_count_and_phases_do_not() {
        let mut progress = Progress::new(Some(b"old".into()));
        progress.info(end(false, true));
        assert_eq!(progress.info(set(true)), Told::Gone(vec![ONE]));
        assert_eq!(progress.info(end(true, true)), Told::Nothing);
        assert!(!progress.everything());
    }

    #[test]
    fn the_newest_cookie_counts() {
        let mut progress = Progress::new(Some(b"old".into()));
        let state = State {
            state: EntryState::Delete,
            uuid: ONE,
            cookie: Some(b"2"),
        };
        assert_eq!(progress.entry(&state), Fate::Gone);
        assert_eq!(progress.cookie(), Some(&b"2"[..]));
        progress.entry(&State {
            cookie: None,
            ..state
        });
        assert_eq!(progress.cookie(), Some(&b"2"[..]));
        progress.info(Info::NewCookie(b"3"));
        assert_eq!(progress.cookie(), Some(&b"3"[..]));
    }
}
