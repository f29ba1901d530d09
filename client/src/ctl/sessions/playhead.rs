//! Where in a recording a player is, and how fast it goes on. Time comes in as an argument.

use std::time::Duration;

/// What `+` and `-` choose among.
const SPEEDS: [f64; 12] = [
    0.125, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0,
];

/// A place in a recording, always in the recording's own time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Playhead {
    /// Since the recording's beginning.
    pub(super) at: Duration,
    /// How many times faster than it happened.
    pub(super) speed: f64,
    /// Whether time stands still.
    pub(super) paused: bool,
    /// Longer pauses than this are passed faster, so that they take this long.
    pub(super) idle_limit: Option<Duration>,
}

/// The time between two events, in which nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    /// When it begins.
    pub(super) from: Duration,
    /// When the next event is.
    pub(super) to: Duration,
}

impl Playhead {
    /// How much of the recording's time passes in a second.
    fn rate(&self, gap: Gap) -> f64 {
        let length = gap.to.saturating_sub(gap.from).as_secs_f64();
        let squeezed = match self.idle_limit {
            Some(limit) if length > limit.as_secs_f64() => length / limit.as_secs_f64(),
            _ => 1.0,
        };
        self.speed * squeezed
    }

    /// How long until the event at the end of `gap`; none while paused.
    pub(super) fn wait(&self, gap: Gap) -> Option<Duration> {
        if self.paused {
            return None;
        }
        let left = gap.to.saturating_sub(self.at).as_secs_f64();
        let wait = Duration::try_from_secs_f64(left / self.rate(gap));
        Some(wait.unwrap_or(Duration::MAX))
    }

    /// Let `time` pass within `gap`; what of it is left when the gap's end is reached.
    pub(super) fn pass(&mut self, time: Duration, gap: Gap) -> Duration {
        let Some(wait) = self.wait(gap) else {
            return Duration::ZERO;
        };
        if time >= wait {
            self.at = self.at.max(gap.to);
            return time - wait;
        }
        let passed = time.as_secs_f64() * self.rate(gap);
        let passed = Duration::try_from_secs_f64(passed).unwrap_or_default();
        self.at = (self.at + passed).min(gap.to);
        Duration::ZERO
    }

    /// The next higher speed, if there is one.
    pub(super) fn faster(&mut self) {
        let next = SPEEDS.into_iter().find(|speed| *speed > self.speed);
        self.speed = next.unwrap_or(self.speed);
    }

    /// The next lower speed, if there is one.
    pub(super) fn slower(&mut self) {
        let next = SPEEDS.into_iter().rev().find(|speed| *speed < self.speed);
        self.speed = next.unwrap_or(self.speed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn head(speed: f64, idle_limit: Option<Duration>) -> Playhead {
        Playhead {
            at: Duration::ZERO,
            speed,
            paused: false,
            idle_limit,
        }
    }

    fn gap(from: u64, to: u64) -> Gap {
        Gap {
            from: Duration::from_secs(from),
            to: Duration::from_secs(to),
        }
    }

    #[test]
    fn time_passes_at_the_chosen_speed() {
        let mut head = head(2.0, None);
        assert_eq!(head.wait(gap(0, 60)), Some(30 * SECOND));
        assert_eq!(head.pass(SECOND, gap(0, 60)), Duration::ZERO);
        assert_eq!(head.at, 2 * SECOND);
        assert_eq!(head.wait(gap(0, 60)), Some(29 * SECOND));
        assert_eq!(head.pass(30 * SECOND, gap(0, 60)), SECOND);
        assert_eq!(head.at, 60 * SECOND);
    }

    #[test]
    fn a_long_pause_takes_the_limit_and_a_short_one_its_own_time() {
        let mut head = head(1.0, Some(2 * SECOND));
        assert_eq!(head.wait(gap(0, 1)), Some(SECOND));
        assert_eq!(head.wait(gap(0, 60)), Some(2 * SECOND));
        head.pass(SECOND, gap(0, 60));
        assert_eq!(head.at, 30 * SECOND, "the clock still shows real time");
        head.speed = 2.0;
        assert_eq!(head.wait(gap(0, 60)), Some(SECOND / 2));
    }

    #[test]
    fn nothing_passes_while_paused() {
        let mut head = head(1.0, None);
        head.paused = true;
        assert_eq!(head.wait(gap(0, 1)), None);
        assert_eq!(head.pass(60 * SECOND, gap(0, 1)), Duration::ZERO);
        assert_eq!(head.at, Duration::ZERO);
    }

    #[test]
    fn absurd_numbers_end_in_no_panic() {
        let mut slow = head(f64::MIN_POSITIVE, None);
        let always = Gap {
            from: Duration::ZERO,
            to: Duration::MAX,
        };
        slow.wait(always);
        slow.pass(Duration::MAX, always);
        let mut fast = head(f64::MAX, Some(Duration::ZERO));
        fast.pass(SECOND, always);
        assert_eq!(fast.wait(gap(0, 1)), Some(Duration::ZERO));
    }

    #[test]
    fn speeds_go_up_and_down_between_their_ends() {
        let mut head = head(3.0, None);
        head.faster();
        assert_eq!(head.speed, 4.0);
        head.slower();
        head.slower();
        assert_eq!(head.speed, 1.5);
        (0..20).for_each(|_| head.slower());
        assert_eq!(head.speed, 0.125);
        (0..20).for_each(|_| head.faster());
        assert_eq!(head.speed, 128.0);
    }
}
