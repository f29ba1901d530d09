//! What becomes of a session as time goes by, and when. Pure: times are milliseconds of
//! CLOCK_BOOTTIME (clock_gettime(2)), which goes on while the machine sleeps.

use std::collections::VecDeque;

use elevate_protocol::launch::Launch;

/// Something whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The person is to be told that so many milliseconds are left.
    Warning { left: u64 },
    /// The tree is to be asked to end by itself.
    Grace,
    /// The grant's time is over.
    End,
    /// Nobody pressed a key for too long: the terminal is to be held.
    Hold,
    /// It was held for too long.
    GiveUp,
}

/// When what is due.
#[derive(Debug)]
pub(super) struct Schedule {
    deadline: u64,
    /// How long before the deadline the person is told.
    warnings: Vec<u64>,
    /// How long before it the tree is asked to end; 0 for never.
    grace: u64,
    /// What is still to come before the deadline, and the deadline itself, the first in front.
    coming: VecDeque<(u64, Due)>,
    idle: Option<Idle>,
}

#[derive(Debug)]
struct Idle {
    span: u64,
    /// When a key was pressed last; while the terminal is held, since when it is.
    since: u64,
    held: bool,
}

impl Schedule {
    /// Of a session that begins `now`.
    pub(super) fn new(launch: &Launch, now: u64) -> Schedule {
        let idle = launch.idle.filter(|_| launch.window.is_some());
        let mut schedule = Schedule {
            deadline: launch.deadline,
            warnings: launch.warnings.clone(),
            grace: launch.grace,
            coming: VecDeque::new(),
            idle: idle.map(|span| Idle {
                span,
                since: now,
                held: false,
            }),
        };
        schedule.plan(now);
        schedule
    }

    /// What lies behind already is left out, but for the deadline.
    fn plan(&mut self, now: u64) {
        let before = |left: u64| self.deadline.saturating_sub(left);
        let warnings = self.warnings.iter();
        let mut coming: Vec<_> = warnings
            .map(|&left| (before(left), Due::Warning { left }))
            .collect();
        if self.grace > 0 {
            coming.push((before(self.grace), Due::Grace));
        }
        coming.retain(|(at, _)| *at > now && *at < self.deadline);
        coming.sort_by_key(|(at, _)| *at);
        coming.push((self.deadline, Due::End));
        self.coming = coming.into();
    }

    /// Put the deadline off; whether that changed anything. It never comes earlier, and never back.
    pub(super) fn extend(&mut self, deadline: u64, now: u64) -> bool {
        if deadline <= self.deadline || self.is_over(now) {
            return false;
        }
        self.deadline = deadline;
        self.plan(now);
        true
    }

    /// Milliseconds until the deadline.
    pub(super) fn left(&self, now: u64) -> u64 {
        self.deadline.saturating_sub(now)
    }

    /// Whether the grant's time is over.
    pub(super) fn is_over(&self, now: u64) -> bool {
        self.deadline <= now
    }

    /// Whether a terminal is ever held.
    pub(super) fn heeds_keys(&self) -> bool {
        self.idle.is_some()
    }

    /// How long nobody may press a key, in milliseconds.
    pub(super) fn idle_span(&self) -> u64 {
        self.idle.as_ref().map_or(0, |idle| idle.span)
    }

    /// A key was pressed.
    pub(super) fn touch(&mut self, now: u64) {
        if let Some(idle) = self.idle.as_mut().filter(|idle| !idle.held) {
            idle.since = now;
        }
    }

    /// The terminal is no longer held.
    pub(super) fn release(&mut self, now: u64) {
        if let Some(idle) = &mut self.idle {
            (idle.since, idle.held) = (now, false);
        }
    }

    /// When to look again; none if nothing is to come any more.
    pub(super) fn next(&self) -> Option<u64> {
        // Without a deadline to come the session is over, and nobody's keys matter.
        let coming = self.coming.front()?.0;
        let idle = self.idle.as_ref().map(|idle| idle.since + idle.span);
        Some(idle.map_or(coming, |idle| idle.min(coming)))
    }

    /// What is due at `now` and was not told yet; to be asked until there is nothing.
    pub(super) fn take(&mut self, now: u64) -> Option<Due> {
        if self.coming.front().is_some_and(|(at, _)| *at <= now) {
            return self.coming.pop_front().map(|(_, due)| due);
        }
        let idle = self.idle.as_mut()?;
        if idle.since + idle.span > now {
            return None;
        }
        if idle.held {
            self.idle = None;
            return Some(Due::GiveUp);
        }
        (idle.since, idle.held) = (now, true);
        Some(Due::Hold)
    }
}

/// `milliseconds` as a person would say it, in its two largest units.
pub(crate) fn spoken(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1000);
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    let units = [
        (days, "day"),
        (hours, "hour"),
        (minutes, "minute"),
        (seconds, "second"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown = units[first..].iter().take(2);
    let words = shown.filter(|(count, _)| *count > 0);
    let words = words.map(|(count, unit)| {
        let plural = if *count == 1 { "" } else { "s" };
        format!("{count} {unit}{plural}")
    });
    match words.collect::<Vec<_>>().join(" ") {
        nothing if nothing.is_empty() => "no time".into(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leader::start::tests::launch;
    use elevate_protocol::stream::Window;

    const NOW: u64 = 1_000_000;

    fn schedule(lasts: u64, change: impl FnOnce(&mut Launch)) -> Schedule {
        let mut launch = Launch {
            deadline: NOW + lasts,
            ..launch()
        };
        change(&mut launch);
        Schedule::new(&launch, NOW)
    }

    fn idle(launch: &mut Launch) {
        launch.idle = Some(1000);
        launch.window = Some(Window {
            rows: 24,
            columns: 80,
        });
    }

    /// Everything that comes, with its time since the beginning.
    fn all(mut schedule: Schedule) -> Vec<(u64, Due)> {
        let mut all = Vec::new();
        while let Some(at) = schedule.next() {
            assert_eq!(schedule.take(at - 1), None);
            all.extend(std::iter::from_fn(|| schedule.take(at)).map(|due| (at - NOW, due)));
        }
        all
    }

    #[test]
    fn warnings_come_before_the_grace_and_that_before_the_end() {
        let schedule = schedule(300_000, |launch| {
            (launch.warnings, launch.grace) = (vec![120_000, 30_000], 10_000);
        });
        let expected = [
            (180_000, Due::Warning { left: 120_000 }),
            (270_000, Due::Warning { left: 30_000 }),
            (290_000, Due::Grace),
            (300_000, Due::End),
        ];
        assert_eq!(all(schedule), expected);
    }

    #[test]
    fn a_short_session_is_not_warned_of_what_lies_behind() {
        let schedule = schedule(40_000, |launch| {
            (launch.warnings, launch.grace) = (vec![120_000, 40_000, 30_000, 0], 60_000);
        });
        let warning = Due::Warning { left: 30_000 };
        assert_eq!(all(schedule), [(10_000, warning), (40_000, Due::End)]);
    }

    #[test]
    fn an_extension_warns_anew_and_never_shortens() {
        let mut schedule = schedule(40_000, |launch| launch.warnings = vec![30_000]);
        let warning = Due::Warning { left: 30_000 };
        assert_eq!(schedule.take(NOW + 10_000), Some(warning));
        assert!(!schedule.extend(NOW + 30_000, NOW + 15_000));
        assert!(schedule.extend(NOW + 100_000, NOW + 15_000));
        assert_eq!(schedule.left(NOW + 15_000), 85_000);
        assert_eq!(all(schedule), [(70_000, warning), (100_000, Due::End)]);
    }

    #[test]
    fn what_is_over_cannot_be_extended() {
        let mut schedule = schedule(40_000, |_| {});
        assert!(!schedule.extend(NOW + 100_000, NOW + 40_000));
        assert_eq!(schedule.take(NOW + 40_000), Some(Due::End));
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn what_was_slept_through_is_told_at_once_in_its_order() {
        let mut schedule = schedule(40_000, |launch| {
            (launch.warnings, launch.grace) = (vec![30_000], 10_000);
        });
        let all = std::iter::from_fn(|| schedule.take(NOW + 50_000));
        let all: Vec<_> = all.collect();
        let warning = Due::Warning { left: 30_000 };
        assert_eq!(all, [warning, Due::Grace, Due::End]);
    }

    #[test]
    fn a_key_puts_the_hold_off_and_two_spans_without_one_are_the_end() {
        let mut schedule = schedule(40_000, idle);
        assert!(schedule.heeds_keys());
        schedule.touch(NOW + 900);
        assert_eq!(schedule.take(NOW + 1899), None);
        assert_eq!(schedule.take(NOW + 1900), Some(Due::Hold));
        // No key counts while it is held.
        schedule.touch(NOW + 2000);
        assert_eq!(schedule.next(), Some(NOW + 2900));
        assert_eq!(schedule.take(NOW + 2900), Some(Due::GiveUp));
        assert_eq!(schedule.next(), Some(NOW + 40_000));
    }

    #[test]
    fn a_terminal_that_was_let_go_can_be_held_again() {
        let mut schedule = schedule(40_000, idle);
        assert_eq!(schedule.take(NOW + 1000), Some(Due::Hold));
        schedule.release(NOW + 1500);
        assert_eq!(schedule.take(NOW + 2499), None);
        assert_eq!(schedule.take(NOW + 2500), Some(Due::Hold));
    }

    #[test]
    fn without_a_terminal_nobody_is_idle() {
        let schedule = schedule(40_000, |launch| launch.idle = Some(1000));
        assert!(!schedule.heeds_keys());
        assert_eq!(schedule.next(), Some(NOW + 40_000));
    }

    #[test]
    fn times_are_said_in_words() {
        for (milliseconds, text) in [
            (0, "no time"),
            (1, "1 second"),
            (30_000, "30 seconds"),
            (120_000, "2 minutes"),
            (90_500, "1 minute 31 seconds"),
            (3_600_000, "1 hour"),
            (3_660_000, "1 hour 1 minute"),
            (90_000_000, "1 day 1 hour"),
        ] {
            assert_eq!(spoken(milliseconds), text);
        }
    }
}
