//! Recordings: asciicast v3 (docs.asciinema.org/manual/asciicast/v3), one JSON value a line.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stream::Window;

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Always 3.
    pub version: u8,
    /// The terminal.
    pub term: Term,
    /// When it began, in seconds since 1970.
    pub timestamp: u64,
    /// The command, escaped.
    pub command: String,
    /// One line: who, as whom, under which rule.
    pub title: String,
}

/// The terminal of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Width in characters.
    pub cols: u16,
    /// Height in characters.
    pub rows: u16,
    /// `TERM`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

impl Header {
    /// The line, with its newline.
    pub fn line(&self) -> String {
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

/// One event of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something was shown (`o`).
    Output(String),
    /// The terminal changed its size (`r`).
    Resize(Window),
    /// A mark with a label (`m`); we set one where the session is ended by us.
    Marker(String),
    /// The session ended with this status (`x`).
    Exit(String),
    /// Of a code that this version doesn't know; to be passed over.
    Unknown,
}

/// Writes events as lines; pure, so that tests bring their own clock.
#[derive(Debug, Default)]
pub struct Encoder {
    last: Duration,
    pending: Vec<u8>,
}

impl Encoder {
    /// The line of `bytes` shown `at` a time since the beginning. A character that is not whole
    /// yet waits for its rest; bytes that are not UTF-8 become U+FFFD, as players need text.
    pub fn output(&mut self, at: Duration, bytes: &[u8]) -> Option<String> {
        self.pending.extend_from_slice(bytes);
        let whole = whole_characters(&self.pending);
        if whole == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&self.pending[..whole]).into_owned();
        self.pending.drain(..whole);
        Some(self.event(at, "o", &text))
    }

    /// The line of a change of size.
    pub fn resize(&mut self, at: Duration, window: Window) -> String {
        self.event(at, "r", &format!("{}x{}", window.columns, window.rows))
    }

    /// The line of a mark.
    pub fn marker(&mut self, at: Duration, label: &str) -> String {
        self.event(at, "m", label)
    }

    /// The lines of the end: what was still pending, and the status.
    pub fn exit(&mut self, at: Duration, status: &str) -> String {
        let rest = std::mem::take(&mut self.pending);
        let mut lines = String::new();
        if !rest.is_empty() {
            lines = self.event(at, "o", &String::from_utf8_lossy(&rest));
        }
        lines + &self.event(at, "x", status)
    }

    fn event(&mut self, at: Duration, code: &str, data: &str) -> String {
        let interval = at.saturating_sub(self.last);
        // What is written is rounded to microseconds; carry the rest, or long recordings drift.
        let interval = Duration::from_micros(interval.as_micros() as u64);
        self.last += interval;
        let data = serde_json::to_string(data).unwrap_or_default();
        format!("[{:.6}, \"{code}\", {data}]\n", interval.as_secs_f64())
    }
}

/// Length of the prefix of `bytes` that ends with a whole character (or with bytes that can't
/// become one).
fn whole_characters(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(last) if is_incomplete(last.invalid()) => bytes.len() - last.invalid().len(),
        _ => bytes.len(),
    }
}

fn is_incomplete(tail: &[u8]) -> bool {
    matches!(std::str::from_utf8(tail), Err(error) if error.error_len().is_none())
}

/// One line of a recording after the header: how long after the one before, and what.
pub fn parse_event(line: &str) -> Option<(Duration, Event)> {
    let (interval, code, data): (f64, String, String) = serde_json::from_str(line).ok()?;
    let interval = Duration::try_from_secs_f64(interval).ok()?;
    let event = match code.as_str() {
        "o" => Event::Output(data),
        "r" => parse_window(&data).map_or(Event::Unknown, Event::Resize),
        "m" => Event::Marker(data),
        "x" => Event::Exit(data),
        _ => Event::Unknown,
    };
    Some((interval, event))
}

fn parse_window(text: &str) -> Option<Window> {
    let (columns, rows) = text.split_once('x')?;
    Some(Window {
        columns: columns.parse().ok()?,
        rows: rows.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(lines: &str) -> String {
        let events = lines.lines().filter_map(parse_event);
        events
            .filter_map(|(_, event)| match event {
                Event::Output(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_character_cut_in_two_is_recorded_whole() {
        let mut encoder = Encoder::default();
        let (first, second) = "é".as_bytes().split_at(1);
        assert_eq!(encoder.output(Duration::ZERO, first), None);
        let line = encoder.output(Duration::from_millis(1500), second).unwrap();
        assert_eq!(line, "[1.500000, \"o\", \"é\"]\n");
    }

    #[test]
    fn times_are_intervals() {
        let mut encoder = Encoder::default();
        encoder.output(Duration::from_secs(1), b"a");
        assert!(
            encoder
                .exit(Duration::from_secs(3), "0")
                .starts_with("[2.000000, \"x\", \"0\"]")
        );
    }

    proptest! {
        #[test]
        fn text_is_recorded_to_the_last_character(text: String, cut in 1usize..7) {
            let mut encoder = Encoder::default();
            let mut lines = String::new();
            for chunk in text.as_bytes().chunks(cut) {
                lines += &encoder.output(Duration::ZERO, chunk).unwrap_or_default();
            }
            lines += &encoder.exit(Duration::ZERO, "0");
            prop_assert_eq!(shown(&lines), text);
        }

        #[test]
        fn any_bytes_end_up_as_lossy_text(bytes: Vec<u8>, cut in 1usize..7) {
            let mut encoder = Encoder::default();
            let mut lines = String::new();
            for chunk in bytes.chunks(cut) {
                lines += &encoder.output(Duration::ZERO, chunk).unwrap_or_default();
            }
            lines += &encoder.exit(Duration::ZERO, "0");
            prop_assert_eq!(shown(&lines), String::from_utf8_lossy(&bytes));
        }
    }
}
