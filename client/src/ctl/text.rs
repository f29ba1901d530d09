//! Times and words for people.

use std::time::Duration;

use elevate_protocol::escape;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Text that the daemon has escaped already. Nothing that steers a terminal passes, whatever the
/// daemon did; its backslashes stay as they are.
pub(crate) fn escaped(text: &str) -> String {
    let parts = text.split('\\').map(|part| escape::line(part.as_bytes()));
    parts.collect::<Vec<_>>().join("\\")
}

/// Milliseconds since 1970 as local time.
pub(super) fn time(milliseconds: u64) -> String {
    if milliseconds == 0 {
        return "-".into();
    }
    let at = i64::try_from(milliseconds).map(Timestamp::from_millisecond);
    match at {
        Ok(Ok(at)) => at
            .to_zoned(TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        _ => "-".into(),
    }
}

/// Milliseconds as a duration, `1h 30m`.
pub(crate) fn duration(milliseconds: u64) -> String {
    let Ok(duration) = SignedDuration::try_from(Duration::from_millis(milliseconds)) else {
        return "-".into();
    };
    let printer = jiff::fmt::friendly::SpanPrinter::new();
    printer.duration_to_string(&duration)
}

/// How long from now until `milliseconds` since 1970.
pub(super) fn left(milliseconds: u64) -> String {
    let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
    let left = Duration::from_millis(milliseconds.saturating_sub(now));
    crate::elevate::waiting::clock(left)
}

/// `text`, or a dash where there is none.
pub(super) fn or_dash(text: String) -> String {
    if text.is_empty() { "-".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_not_escaped_twice_and_never_trusted() {
        assert_eq!(escaped("a\\x1b[2Jb\\\\"), "a\\x1b[2Jb\\\\");
        assert_eq!(escaped("a\x1b[2J\n"), "a\\x1b[2J\\n");
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(90 * 60 * 1000), "1h 30m");
        assert_eq!(duration(5000), "5s");
    }
}
