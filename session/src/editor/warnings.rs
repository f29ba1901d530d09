//! When the person is told that the time is nearly over, and in which words.

use rustix::time::{ClockId, clock_gettime};

/// Milliseconds of CLOCK_BOOTTIME.
pub(super) fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// When the next warning is due, and how long before the deadline that is, in milliseconds.
pub(super) fn next(now: u64, deadline: u64, warnings: &[u64]) -> Option<(u64, u64)> {
    let due = |&before: &u64| Some((deadline.checked_sub(before)?, before));
    let ahead = warnings.iter().filter_map(due).filter(|(at, _)| *at > now);
    ahead.min()
}

/// What is said so many milliseconds before the end.
pub(super) fn text(left: u64) -> String {
    let seconds = left.div_ceil(1000);
    let (number, unit) = match seconds {
        120.. if seconds.is_multiple_of(60) => (seconds / 60, "minutes"),
        60 => (1, "minute"),
        1 => (1, "second"),
        _ => (seconds, "seconds"),
    };
    format!("this edit ends in {number} {unit}: save and leave the editor, or nothing is written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_warning_that_is_still_ahead_comes_next() {
        let warnings = [120_000, 30_000];
        assert_eq!(next(0, 600_000, &warnings), Some((480_000, 120_000)));
        assert_eq!(next(480_000, 600_000, &warnings), Some((570_000, 30_000)));
        assert_eq!(next(570_000, 600_000, &warnings), None);
        // Shorter than the first warning.
        assert_eq!(next(0, 60_000, &warnings), Some((30_000, 30_000)));
    }

    #[test]
    fn a_span_is_told_in_the_unit_that_people_use() {
        for (left, expected) in [
            (120_000, "2 minutes"),
            (60_000, "1 minute"),
            (90_000, "90 seconds"),
            (1000, "1 second"),
            (1, "1 second"),
        ] {
            assert!(text(left).contains(&format!("in {expected}:")), "{left}");
        }
    }
}
