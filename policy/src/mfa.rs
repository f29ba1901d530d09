//! How fresh a second factor must be.

use std::cmp::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A second factor that is owed: a code, or one given not long ago. The less demanding comes
/// first, as in `Within(1h) < Within(15m) < Always`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mfa {
    /// `mfa = "15m"`: a code now, unless one was given so short a time ago. At a login, where
    /// nothing can have been given before, this is the same as [`Mfa::Always`]. In JSON as
    /// `{"within_ms": 900000}`.
    #[serde(rename = "within_ms", with = "crate::milliseconds")]
    Within(Duration),
    /// `mfa = "always"`: a code each time.
    Always,
}

impl Ord for Mfa {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Always, Self::Always) => Ordering::Equal,
            (Self::Always, Self::Within(_)) => Ordering::Greater,
            (Self::Within(_), Self::Always) => Ordering::Less,
            // The shorter the time, the more is demanded.
            (Self::Within(one), Self::Within(other)) => other.cmp(one),
        }
    }
}

impl PartialOrd for Mfa {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As written in the policy: `15m`, `always`.
impl std::fmt::Display for Mfa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Within(age) => f.write_str(&crate::judge::spoken(*age)),
            Self::Always => f.write_str("always"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_factor_demands_less_than_an_older_one_than_a_fresher_one_than_a_code_each_time() {
        let within = |secs| Some(Mfa::Within(Duration::from_secs(secs)));
        let sorted = [
            None,
            within(3600),
            within(900),
            within(1),
            Some(Mfa::Always),
        ];
        assert!(sorted.is_sorted());
        for (at, one) in sorted.iter().enumerate() {
            for (other_at, other) in sorted.iter().enumerate() {
                assert_eq!(one.cmp(other), at.cmp(&other_at));
            }
        }
    }

    #[test]
    fn in_json_it_is_a_word_or_milliseconds() {
        let within = Mfa::Within(Duration::from_secs(900));
        for (mfa, json) in [
            (within, r#"{"within_ms":900000}"#),
            (Mfa::Always, r#""always""#),
        ] {
            assert_eq!(serde_json::to_string(&mfa).unwrap(), json);
            assert_eq!(serde_json::from_str::<Mfa>(json).unwrap(), mfa);
        }
        assert_eq!(
            (within.to_string(), Mfa::Always.to_string()),
            ("15m".into(), "always".into())
        );
    }
}
