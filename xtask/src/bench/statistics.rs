//! What a number of samples comes to.

use std::time::Duration;

/// The samples of one thing, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// `None` without any sample.
    pub(crate) fn new(mut samples: Vec<Duration>) -> Option<Self> {
        samples.sort_unstable();
        (!samples.is_empty()).then_some(Self(samples))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The middle one, or halfway between the two in the middle.
    pub(crate) fn median(&self) -> Duration {
        let middle = self.0.len() / 2;
        match self.0.len() % 2 {
            0 => (self.0[middle - 1] + self.0[middle]) / 2,
            _ => self.0[middle],
        }
    }

    /// The least that is not exceeded by 95 of 100 (nearest rank).
    pub(crate) fn p95(&self) -> Duration {
        let rank = (self.0.len() * 95).div_ceil(100);
        self.0[rank - 1]
    }

    pub(crate) fn longest(&self) -> Duration {
        self.0[self.0.len() - 1]
    }
}

/// How many times `one` the `other` fits into.
pub(crate) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(microseconds: impl IntoIterator<Item = u64>) -> Samples {
        Samples::new(
            microseconds
                .into_iter()
                .map(Duration::from_micros)
                .collect(),
        )
        .unwrap()
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(samples([9, 1, 5]).median(), Duration::from_micros(5));
        assert_eq!(samples([4, 1, 9, 2]).median(), Duration::from_micros(3));
        assert_eq!(samples([7]).median(), Duration::from_micros(7));
    }

    #[test]
    fn one_outlier_in_twenty_stays_below_p95() {
        assert_eq!(samples(1..=100).p95(), Duration::from_micros(95));
        let mut twenty = vec![10; 19];
        twenty.push(1000);
        assert_eq!(samples(twenty).p95(), Duration::from_micros(10));
        assert_eq!(samples([3]).p95(), Duration::from_micros(3));
        assert_eq!(samples([3, 9, 4]).longest(), Duration::from_micros(9));
    }

    #[test]
    fn there_is_nothing_to_say_about_nothing() {
        assert_eq!(Samples::new(Vec::new()), None);
    }

    #[test]
    fn a_ratio_below_one_is_faster() {
        let ratio = ratio(Duration::from_micros(1500), Duration::from_micros(3000));
        assert!((ratio - 0.5).abs() < 1e-9);
    }
}
