//! How long ago the directory was reached, over restarts and reboots, and what time it is at least.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;

/// A moment of a certain boot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    at: Moment,
    boot_id: String,
}

/// When the directory was last reached, and the latest time that was ever seen since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    reached: Option<Mark>,
    seen: Option<Mark>,
}

impl Freshness {
    /// The directory is reached. What the clock says now is believed, also where it said more.
    pub fn reached(&mut self, now: Moment, boot_id: &str) {
        let mark = Mark {
            at: now,
            boot_id: boot_id.to_owned(),
        };
        self.reached = Some(mark.clone());
        self.seen = Some(mark);
    }

    /// Time went by.
    pub fn look(&mut self, now: Moment, boot_id: &str) {
        let wall = self.wall(now, boot_id);
        if self.reached.is_some() {
            self.seen = Some(Mark {
                at: Moment { wall, ..now },
                boot_id: boot_id.to_owned(),
            });
        }
    }

    /// Milliseconds since 1970: what the clock says, or more where it was set back since the
    /// directory was last reached. How long the machine was off is known to nobody then.
    pub fn wall(&self, now: Moment, boot_id: &str) -> u64 {
        let seen = self.seen.as_ref();
        let at_least = seen.map(|seen| seen.at.wall + since(seen, now, boot_id));
        at_least.unwrap_or(0).max(now.wall)
    }

    /// How long ago the directory was reached; `None` if it never was.
    pub fn age(&self, now: Moment, boot_id: &str) -> Option<Duration> {
        let reached = self.reached.as_ref()?;
        let millis = match reached.boot_id == boot_id {
            // Nobody can set this clock.
            true => now.boot.saturating_sub(reached.at.boot),
            false => self.wall(now, boot_id).saturating_sub(reached.at.wall),
        };
        Some(Duration::from_millis(millis))
    }

    /// When the directory was last reached, in milliseconds since 1970.
    pub fn last_reached(&self) -> Option<u64> {
        self.reached.as_ref().map(|mark| mark.at.wall)
    }
}

/// Milliseconds that went by since `mark` at the least.
fn since(mark: &Mark, now: Moment, boot_id: &str) -> u64 {
    match mark.boot_id == boot_id {
        true => now.boot.saturating_sub(mark.at.boot),
        false => now.boot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: u64 = 3_600_000;

    fn at(boot: u64, wall: u64) -> Moment {
        Moment { boot, wall }
    }

    fn reached() -> Freshness {
        let mut freshness = Freshness::default();
        freshness.reached(at(HOUR, 1000 * HOUR), "a");
        freshness
    }

    fn hours(freshness: &Freshness, now: Moment, boot: &str) -> Option<u64> {
        let age = freshness.age(now, boot)?;
        Some(age.as_millis() as u64 / HOUR)
    }

    #[test]
    fn what_was_never_reached_has_no_age() {
        assert_eq!(Freshness::default().age(at(5, 5), "a"), None);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_younger() {
        let freshness = reached();
        assert_eq!(hours(&freshness, at(3 * HOUR, 0), "a"), Some(2));
        assert_eq!(freshness.wall(at(3 * HOUR, 0), "a"), 1002 * HOUR);
    }

    #[test]
    fn a_reboot_counts_by_the_wall_clock() {
        assert_eq!(hours(&reached(), at(HOUR, 1048 * HOUR), "b"), Some(48));
    }

    #[test]
    fn a_reboot_with_a_dead_clock_goes_on_counting() {
        let mut freshness = reached();
        freshness.look(at(2 * HOUR, 1001 * HOUR), "a");
        // It was 1970 at the second boot: the time that went by before it is not lost.
        assert_eq!(hours(&freshness, at(3 * HOUR, 3 * HOUR), "b"), Some(4));
        freshness.look(at(3 * HOUR, 3 * HOUR), "b");
        assert_eq!(hours(&freshness, at(5 * HOUR, 5 * HOUR), "b"), Some(6));
        assert_eq!(hours(&freshness, at(HOUR, HOUR), "c"), Some(5));
    }

    #[test]
    fn a_directory_that_is_reached_puts_a_clock_right_that_was_ahead() {
        let mut freshness = reached();
        freshness.look(at(2 * HOUR, 900_000 * HOUR), "a");
        assert_eq!(
            freshness.wall(at(3 * HOUR, 1002 * HOUR), "a"),
            900_001 * HOUR
        );
        freshness.reached(at(3 * HOUR, 1002 * HOUR), "a");
        assert_eq!(freshness.wall(at(4 * HOUR, 1003 * HOUR), "a"), 1003 * HOUR);
    }

    proptest! {
        #[test]
        fn however_the_wall_clock_jumps_the_age_never_falls(
            steps in proptest::collection::vec((0..HOUR, 0..2000 * HOUR, any::<bool>()), 1..20)
        ) {
            let mut freshness = reached();
            let (mut boot, mut boots, mut age) = (HOUR, 0, Duration::ZERO);
            for (passed, wall, reboot) in steps {
                if reboot {
                    boots += 1;
                    boot = 0;
                }
                boot += passed;
                let boot_id = format!("a{}", "'".repeat(boots));
                freshness.look(at(boot, wall), &boot_id);
                let now = freshness.age(at(boot, wall), &boot_id).unwrap();
                prop_assert!(now >= age, "{now:?} after {age:?}");
                age = now;
            }
        }
    }
}
