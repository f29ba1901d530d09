//! `hours`: when, by the clock of a time zone.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};
use serde::{Serialize, Serializer};

use crate::suggest::nearest;
use crate::wrong::Wrong;

/// An entry of `hours`: days of the week, and a time of the day that begins on them, as the
/// clock in a time zone shows them. An hour that the clock shows twice, when summer ends, counts
/// twice, and one that it leaves out counts not at all.
#[derive(Clone, Debug)]
pub struct Hours {
    text: String,
    /// From Monday on.
    days: [bool; 7],
    /// Minutes of the day: the first that belongs to it, and the first that doesn't any more.
    from: u16,
    to: u16,
    zone: TimeZone,
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MIDNIGHT: u16 = 24 * 60;
const HOW: &str = "write it as in \"Mon..Fri 07:00-20:00 Europe/Berlin\"";

impl Hours {
    /// `Mon..Fri 07:00-20:00 Europe/Berlin`, `Sat,Sun 22:00-06:00 UTC`, `daily 00:00-24:00 UTC`.
    pub(crate) fn parse(text: &str, zones: &TimeZoneDatabase) -> Result<Self, Wrong> {
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let (days_word, times_word, zone_word) = match words[..] {
            [days, times, zone] => (days, times, zone),
            [days, times] if times.contains(':') && !days.contains(':') => {
                return Err(format!("the time zone is missing; {HOW}").into());
            }
            [times, _] if times.contains(':') => {
                return Err(format!("the days are missing (`daily` for all); {HOW}").into());
            }
            _ => return Err(format!("it takes days, times and a time zone; {HOW}").into()),
        };
        let (from, to) = times(times_word)?;
        Ok(Self {
            days: days(days_word)?,
            from,
            to,
            zone: zone(zone_word, zones)?,
            text: words.join(" "),
        })
    }

    /// Whether `at` is within it.
    pub(crate) fn contains(&self, at: Timestamp) -> bool {
        self.covers(self.zone.to_datetime(at))
    }

    fn covers(&self, clock: DateTime) -> bool {
        let (minute, today) = (minute(clock.time()), clock.date().weekday());
        if self.from < self.to {
            return self.on(today) && (self.from..self.to).contains(&minute);
        }
        // Across midnight: what began today, or what began yesterday.
        (self.on(today) && minute >= self.from) || (self.on(today.previous()) && minute < self.to)
    }

    fn on(&self, day: Weekday) -> bool {
        self.days[usize::from(day.to_monday_zero_offset().unsigned_abs())]
    }

    /// When the clock, which is within it at `at`, next shows the end, or is set. Later than `at`.
    fn steady_until(&self, at: Timestamp) -> Option<Timestamp> {
        let offset = self.zone.to_offset(at);
        let end = offset.to_timestamp(self.end(offset.to_datetime(at))?).ok();
        let clock_set = self.zone.following(at).next().map(|next| next.timestamp());
        [end, clock_set].into_iter().flatten().min()
    }

    // What the clock shows at the end of the time that covers `clock`.
    fn end(&self, clock: DateTime) -> Option<DateTime> {
        let tomorrow =
            self.to == MIDNIGHT || (self.to <= self.from && minute(clock.time()) >= self.from);
        let date = if tomorrow {
            clock.date().tomorrow().ok()?
        } else {
            clock.date()
        };
        let (hour, minute) = (self.to % MIDNIGHT / 60, self.to % 60);
        let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
        Some(date.to_datetime(time))
    }
}

/// Until when `at` stays within one or another of `all`; `None` when that is without an end.
/// `at` itself when it is within none.
pub(crate) fn until(all: &[Hours], at: Timestamp) -> Option<Timestamp> {
    // A week repeats: what has no gap in one has none.
    let a_week_on = at.checked_add(Span::new().hours(8 * 24)).ok()?;
    let mut now = at;
    while now < a_week_on {
        let Some(hours) = all.iter().find(|hours| hours.contains(now)) else {
            return Some(now);
        };
        now = hours.steady_until(now)?;
    }
    None
}

fn minute(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

fn days(text: &str) -> Result<[bool; 7], Wrong> {
    if text == "daily" {
        return Ok([true; 7]);
    }
    let mut days = [false; 7];
    for item in text.split(',') {
        let (first, last) = item.split_once("..").unwrap_or((item, item));
        let (mut at, last) = (day(first)?, day(last)?);
        days[at] = true;
        // `Sat..Mon` goes round.
        while at != last {
            at = (at + 1) % 7;
            days[at] = true;
        }
    }
    Ok(days)
}

fn day(text: &str) -> Result<usize, Wrong> {
    let found = DAYS.iter().position(|day| *day == text);
    found.ok_or_else(|| {
        let begins = |day: &&str| {
            let head = text.get(..3);
            head.is_some_and(|head| head.eq_ignore_ascii_case(day))
        };
        let near = match DAYS.into_iter().find(|day| begins(day)) {
            Some(day) => Some(day.to_owned()),
            None => nearest(text, DAYS.into_iter().chain(["daily"])),
        };
        let text = crate::shown::shown(text);
        let what = format!(
            "`{text}` is no day; days are Mon to Sun, as in `Mon..Fri` or `Sat,Sun`, or `daily`"
        );
        Wrong::suggesting(what, near)
    })
}

fn times(text: &str) -> Result<(u16, u16), Wrong> {
    let parsed = text
        .split_once('-')
        .and_then(|(from, to)| Some((time(from)?, time(to)?)));
    match parsed {
        None => Err(format!("times are from 00:00 to 24:00; {HOW}").into()),
        Some((MIDNIGHT, _)) => Err("a day begins at 00:00, not at 24:00".into()),
        Some((from, to)) if from == to => {
            Err("the time is empty; `00:00-24:00` is the whole day".into())
        }
        Some(times) => Ok(times),
    }
}

/// Minutes of the day, up to and with 24:00.
pub(super) fn time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits)
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= MIDNIGHT).then_some(all)
}

pub(crate) fn zone(text: &str, zones: &TimeZoneDatabase) -> Result<TimeZone, Wrong> {
    if text == "UTC" {
        return Ok(TimeZone::UTC);
    }
    // None of these is a place whose clock can be known.
    let unknowable = ["localtime", "factory", "etc/unknown"];
    let is_one = unknowable
        .iter()
        .any(|name| text.eq_ignore_ascii_case(name));
    if let Some(zone) = zones.get(text).ok().filter(|_| !is_one) {
        return Ok(zone);
    }
    if zones.is_definitively_empty() {
        return Err(
            "no time zone can be looked up on this host; install tzdata, or write UTC".into(),
        );
    }
    let known: Vec<_> = zones.available().map(|name| name.to_string()).collect();
    let near = nearest(text, known.iter().map(String::as_str));
    let what = format!("unknown time zone `{}`", crate::shown::shown(text));
    Err(Wrong::suggesting(what, near))
}

/// As written in the policy.
impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
