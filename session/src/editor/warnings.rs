//! When the person is told that the time is nearly over, and in which words.

use elevate_protocol::Id;

use crate::leader::schedule::spoken;

/// When the next warning is due, and how long before the deadline that is, in milliseconds.
pub(super) fn next(now: u64, deadline: u64, warnings: &[u64]) -> Option<(u64, u64)> {
    let due = |&before: &u64| Some((deadline.checked_sub(before)?, before));
    let ahead = warnings.iter().filter_map(due).filter(|(at, _)| *at > now);
    ahead.min()
}

/// What is said so many milliseconds before the end.
pub(super) fn text(left: u64, id: Id) -> String {
    let left = spoken(left);
    format!(
        "this edit ends in {left}, and what is not saved, with the editor left, is not written then; \
         to go on for longer: elevatectl extend {id}"
    )
}

/// What is said when the time was extended.
pub(super) fn extended(left: u64) -> String {
    format!("this edit is extended: it ends in {}", spoken(left))
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
}
