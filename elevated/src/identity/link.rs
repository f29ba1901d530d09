//! The connection that hands over records, as far as it matters to their age.

use super::directory::Withheld;
use crate::clock::Moment;

/// Milliseconds after which a connection that says nothing counts as lost; it speaks every 5 s.
const SILENCE: u64 = 20_000;

/// Who feeds, and what was said last.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Counts connections that began to feed.
    begun: u64,
    feeding: bool,
    connected: bool,
    /// Whether it was ever said that it is or is not.
    told: Option<bool>,
    problem: Option<String>,
    /// On the boot clock.
    heard: u64,
    resynced: bool,
    outdated: bool,
    withheld: Option<Withheld>,
}

impl Link {
    /// A connection begins to feed; its number.
    pub(super) fn begin(&mut self, now: Moment) -> u64 {
        self.begun += 1;
        self.feeding = true;
        self.resynced = false;
        self.heard = now.boot;
        self.begun
    }

    /// Whether it is connection `feeder` that feeds.
    pub(super) fn is_fed_by(&self, feeder: u64) -> bool {
        self.feeding && self.begun == feeder
    }

    /// Whether one does.
    pub(super) fn is_fed(&self) -> bool {
        self.feeding
    }

    /// The directory was reached, or was not. Whether that is new.
    pub(super) fn contact(
        &mut self,
        connected: bool,
        problem: Option<String>,
        now: Moment,
    ) -> bool {
        self.connected = connected;
        self.problem = problem;
        self.heard = now.boot;
        self.tell(connected)
    }

    /// Connection `feeder` has ended. Whether that ended the contact.
    pub(super) fn hung_up(&mut self, feeder: u64) -> bool {
        if !self.is_fed_by(feeder) {
            return false;
        }
        self.feeding = false;
        let was_lost = !std::mem::replace(&mut self.connected, false);
        // One that just said why the directory can't be reached hangs up, and tries again later.
        if !was_lost || self.problem.is_none() {
            self.problem = Some("elevate-directory is not running".into());
        }
        self.tell(false)
    }

    /// Whether to order synchronising from nothing of its own accord: once to a connection.
    pub(super) fn may_resync(&mut self) -> bool {
        !std::mem::replace(&mut self.resynced, true)
    }

    /// Whether the directory is in contact.
    pub(super) fn is_connected(&self, now: Moment) -> bool {
        self.connected && !self.is_silent(now)
    }

    /// What is wrong.
    pub(super) fn problem(&self, now: Moment) -> Option<String> {
        match self.is_silent(now) {
            true => Some("elevate-directory is there and says nothing".into()),
            false => self.problem.clone(),
        }
    }

    /// When on the boot clock silence will count.
    pub(super) fn next_due(&self, now: Moment) -> Option<u64> {
        let due = self.heard + SILENCE + 1;
        (self.feeding && self.told == Some(true) && due > now.boot).then_some(due)
    }

    /// Whether silence has ended the contact since this was asked last.
    pub(super) fn fell_silent(&mut self, now: Moment) -> bool {
        self.told == Some(true) && self.is_silent(now) && self.tell(false)
    }

    /// What is withheld now, where it was not so before.
    pub(super) fn new_withheld(&mut self, withheld: Option<Withheld>) -> Option<Withheld> {
        let before = std::mem::replace(&mut self.withheld, withheld);
        withheld.filter(|_| before.is_none())
    }

    /// Whether `outdated` is true now and was not before.
    pub(super) fn became_outdated(&mut self, outdated: bool) -> bool {
        let before = std::mem::replace(&mut self.outdated, outdated);
        outdated && !before
    }

    fn is_silent(&self, now: Moment) -> bool {
        self.feeding && now.boot.saturating_sub(self.heard) > SILENCE
    }

    fn tell(&mut self, connected: bool) -> bool {
        self.told.replace(connected) != Some(connected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot: u64) -> Moment {
        Moment { boot, wall: 0 }
    }

    #[test]
    fn the_last_one_that_began_feeds_alone() {
        let mut link = Link::default();
        let first = link.begin(at(0));
        let second = link.begin(at(0));
        assert!(!link.is_fed_by(first) && link.is_fed_by(second));
        assert!(!link.hung_up(first));
        assert!(link.is_fed());
        link.contact(true, None, at(0));
        assert!(link.hung_up(second));
        assert!(!link.is_fed() && !link.is_connected(at(0)));
    }

    #[test]
    fn contact_is_news_when_it_changes() {
        let mut link = Link::default();
        link.begin(at(0));
        assert!(link.contact(true, None, at(0)));
        assert!(!link.contact(true, None, at(5)));
        assert!(link.contact(false, Some("timeout".into()), at(10)));
        assert_eq!(link.problem(at(10)).as_deref(), Some("timeout"));
        assert!(!link.contact(false, Some("refused".into()), at(15)));
    }

    #[test]
    fn why_the_directory_is_not_reached_outlives_the_connection_that_said_so() {
        let mut link = Link::default();
        let feeder = link.begin(at(0));
        link.contact(true, None, at(0));
        link.contact(false, Some("timeout".into()), at(10));
        assert!(!link.hung_up(feeder));
        assert_eq!(link.problem(at(10)).as_deref(), Some("timeout"));
        let feeder = link.begin(at(20));
        link.contact(true, None, at(20));
        assert!(link.hung_up(feeder));
        let problem = link.problem(at(20)).unwrap();
        assert!(problem.contains("not running"), "{problem}");
    }

    #[test]
    fn silence_is_no_contact() {
        let mut link = Link::default();
        link.begin(at(0));
        link.contact(true, None, at(0));
        assert!(link.is_connected(at(SILENCE)));
        assert!(!link.is_connected(at(SILENCE + 1)));
        assert!(link.problem(at(SILENCE + 1)).is_some());
        assert_eq!(link.next_due(at(SILENCE)), Some(SILENCE + 1));
        assert!(!link.fell_silent(at(SILENCE)) && link.fell_silent(at(SILENCE + 1)));
        assert_eq!(link.next_due(at(SILENCE + 1)), None);
        assert!(!link.fell_silent(at(SILENCE + 2)));
        assert!(link.contact(true, None, at(SILENCE + 3)));
    }

    #[test]
    fn a_connection_is_sent_back_to_nothing_once() {
        let mut link = Link::default();
        link.begin(at(0));
        assert!(link.may_resync() && !link.may_resync());
        link.begin(at(1));
        assert!(link.may_resync());
    }
}
