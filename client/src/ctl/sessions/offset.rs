//! Places in a recording, as they are written and read.

use std::time::Duration;

/// A place as `play --from` takes it: `1:02.345`, `2:00:01.000`.
pub(crate) fn show(offset: Duration) -> String {
    // Rounded up: what begins there has begun at it.
    let milliseconds = offset.as_micros().div_ceil(1000);
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{}.{rest:03}", clock(seconds))
}

/// The same without the part of a second, which is left away.
pub(super) fn short(offset: Duration) -> String {
    clock(offset.as_secs().into())
}

fn clock(seconds: u128) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// Read a place: `1:02.345`, `2:00:01`, or a duration such as `90s` or `1h 5m`.
pub(crate) fn read(text: &str) -> Result<Duration, String> {
    let place = match text.contains(':') {
        true => sexagesimal(text),
        false => duration(text),
    };
    place.ok_or_else(|| "write it as 1:02.5 (minutes and seconds) or 1m 2s".into())
}

fn duration(text: &str) -> Option<Duration> {
    let parsed: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(parsed).ok()
}

fn sexagesimal(text: &str) -> Option<Duration> {
    let mut parts = text.rsplit(':');
    let seconds = parts.next()?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut total: f64 = seconds.parse().ok()?;
    let mut unit = 60.0;
    for part in parts {
        if !digits(part) || unit > 3600.0 {
            return None;
        }
        total += part.parse::<f64>().ok()? * unit;
        unit *= 60.0;
    }
    Duration::try_from_secs_f64(total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_as_the_same_place_or_a_moment_later() {
        for micros in [0, 1, 999, 62_345_000, 7_201_000_001, 86_400_000_000] {
            let offset = Duration::from_micros(micros);
            let read = read(&show(offset)).unwrap();
            assert!(read >= offset, "{offset:?} {read:?}");
            assert!(read - offset < Duration::from_millis(1));
        }
        assert_eq!(show(Duration::from_millis(62_345)), "1:02.345");
        assert_eq!(short(Duration::from_millis(7_201_999)), "2:00:01");
    }

    #[test]
    fn durations_are_places_too_and_nonsense_is_not() {
        assert_eq!(read("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(read("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(read("1:30"), Ok(Duration::from_secs(90)));
        assert_eq!(read("0:01:30.5"), Ok(Duration::from_millis(90_500)));
        for wrong in ["", "x", "-3s", "1:2:3:4", "1:", ":5", "1:-2", "1:nan"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
