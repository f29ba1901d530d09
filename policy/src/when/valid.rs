//! `valid`: between which two moments.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

use super::hours::{time, zone};
use crate::shown::shown;
use crate::wrong::Wrong;

/// Two moments as the clock of a time zone shows them; the first belongs to it, the second doesn't
/// any more.
#[derive(Clone, Debug)]
pub struct Valid {
    text: String,
    begin: Timestamp,
    end: Timestamp,
}

const HOW: &str = "write it as in \"2026-03-14 18:00 .. 2026-03-15 06:00 Europe/Berlin\"";

impl Valid {
    /// `2026-03-14 18:00 .. 2026-03-15 06:00 Europe/Berlin`.
    pub(crate) fn parse(text: &str, zones: &TimeZoneDatabase) -> Result<Self, Wrong> {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let (begin, end, zone_word) = match words[..] {
            [date, time, "..", last_date, last_time, zone] => {
                ((date, time), (last_date, last_time), zone)
            }
            [_, _, "..", _, _] => return Err(format!("the time zone is missing; {HOW}").into()),
            _ => return Err(format!("it takes two moments and a time zone; {HOW}").into()),
        };
        let zone = zone(zone_word, zones)?;
        let (begin, end) = (moment(begin, &zone)?, moment(end, &zone)?);
        if begin >= end {
            return Err("it ends before it begins".into());
        }
        let text = words.join(" ");
        Ok(Self { text, begin, end })
    }

    /// Whether `at` is within it.
    pub(crate) fn contains(&self, at: Timestamp) -> bool {
        (self.begin..self.end).contains(&at)
    }

    pub(crate) fn end(&self) -> Timestamp {
        self.end
    }
}

fn moment((date, clock): (&str, &str), zone: &TimeZone) -> Result<Timestamp, Wrong> {
    let wrong = || {
        format!(
            "`{}` is no date and time; {HOW}",
            shown(&format!("{date} {clock}"))
        )
    };
    // Of all that is a date by ISO 8601, this alone nobody reads as another.
    let plain = date.len() == 10;
    let date: Date = date.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    let minute = time(clock)
        .filter(|minute| *minute < 24 * 60)
        .ok_or_else(wrong)?;
    let part = |number: u16| i8::try_from(number).map_err(|_| wrong());
    let shows = date.at(part(minute / 60)?, part(minute % 60)?, 0, 0);
    zone.to_ambiguous_timestamp(shows)
        .unambiguous()
        .map_err(|_| {
            let what = "the clock is set that night, and shows it twice or never; write it in UTC";
            format!("`{date} {clock}`: {what}").into()
        })
}

/// As written in the policy.
impl fmt::Display for Valid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Valid {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Valid, Wrong> {
        let zones = TimeZoneDatabase::from_dir("/usr/share/zoneinfo").expect("tzdata is installed");
        Valid::parse(text, &zones)
    }

    #[track_caller]
    fn told(text: &str, words: &str) {
        let wrong = parse(text).unwrap_err();
        assert!(wrong.what.contains(words), "{}", wrong.what);
    }

    #[test]
    fn it_holds_from_its_first_moment_to_before_its_last() {
        let valid = parse("2026-03-14  18:00 .. 2026-03-15 06:00 Europe/Berlin").unwrap();
        assert_eq!(
            valid.to_string(),
            "2026-03-14 18:00 .. 2026-03-15 06:00 Europe/Berlin"
        );
        let at = |text: &str| valid.contains(text.parse().unwrap());
        assert!(!at("2026-03-14T16:59:59.999Z") && at("2026-03-14T17:00:00Z"));
        assert!(at("2026-03-15T04:59:59.999Z") && !at("2026-03-15T05:00:00Z"));
        assert_eq!(valid.end(), "2026-03-15T05:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_night_in_which_the_clock_is_set_has_the_length_that_it_has() {
        let valid = parse("2026-03-28 22:00 .. 2026-03-29 06:00 Europe/Berlin").unwrap();
        assert_eq!(valid.end.duration_since(valid.begin).as_hours(), 7);
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_or_never_is_refused() {
        told(
            "2026-03-29 02:30 .. 2026-03-30 06:00 Europe/Berlin",
            "twice or never",
        );
        told(
            "2026-10-24 02:30 .. 2026-10-25 02:30 Europe/Berlin",
            "twice or never",
        );
    }

    #[test]
    fn what_is_no_pair_of_moments_is_told_how_to_write_one() {
        told(
            "2026-03-14 18:00 .. 2026-03-15 06:00",
            "time zone is missing",
        );
        told("2026-03-14 18:00-2026-03-15 06:00 UTC", "two moments");
        told("20260314 18:00 .. 2026-03-15 06:00 UTC", "no date and time");
        told(
            "2026-02-30 18:00 .. 2026-03-15 06:00 UTC",
            "no date and time",
        );
        told(
            "2026-03-14 24:00 .. 2026-03-15 06:00 UTC",
            "no date and time",
        );
        told(
            "2026-03-14 18:00 .. 2026-03-14 18:00 UTC",
            "ends before it begins",
        );
        told(
            "2026-03-14 18:00 .. 2026-03-15 06:00 Europe/Berln",
            "unknown time zone",
        );
    }
}
