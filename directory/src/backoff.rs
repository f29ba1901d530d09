//! How long to wait before the next try. Pure.

use std::time::Duration;

/// Tries that failed one after another.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Something worked.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed once more: how long to wait, from `first` to `most`. `spread` from 0 to 1 is where in the second half of
    /// the wait to come back, so that a thousand hosts don't come back at once.
    pub fn next(&mut self, [first, most]: [Duration; 2], spread: f64) -> Duration {
        let whole = first.saturating_mul(1 << self.failures.min(10)).min(most);
        self.failures = self.failures.saturating_add(1);
        whole.mul_f64(0.5 + spread.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let second = Duration::from_secs(1);
        let range = [second, 30 * second];
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8).map(|_| backoff.next(range, 1.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
        backoff.reset();
        assert_eq!(backoff.next(range, 0.0), second / 2);
    }
}
