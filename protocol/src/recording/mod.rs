//! Recordings: asciicast v3 (docs.asciinema.org/manual/asciicast/v3), one JSON value a line.

mod mark;
mod older;

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stream::Window;

pub use mark::{Executed, Mark};
pub use older::Older;

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
    /// Something was typed, and the terminal's echo was on (`i`).
    Input(String),
    /// The terminal changed its size (`r`).
    Resize(Window),
    /// Something else happened (`m`).
    Marker(Mark),
    /// The session ended with this status (`x`), as shells have it.
    Exit(String),
    /// Of a code that this version doesn't know; to be passed over.
    Unknown,
}

/// Writes events as lines; pure, so that tests bring their own clock.
#[derive(Debug, Default)]
pub struct Encoder {
    last: Duration,
    output: Text,
    input: Text,
}

impl Encoder {
    /// The line of `bytes` shown `at` a time since the beginning. A character that is not whole
    /// yet waits for its rest; bytes that are not UTF-8 become U+FFFD, as players need text.
    pub fn output(&mut self, at: Duration, bytes: &[u8]) -> Option<String> {
        let text = self.output.take_whole(bytes)?;
        Some(line(&mut self.last, at, "o", &text))
    }

    /// The line of `bytes` typed, likewise.
    pub fn input(&mut self, at: Duration, bytes: &[u8]) -> Option<String> {
        let text = self.input.take_whole(bytes)?;
        Some(line(&mut self.last, at, "i", &text))
    }

    /// The line of a change of size.
    pub fn resize(&mut self, at: Duration, window: Window) -> String {
        line(&mut self.last, at, "r", &window.to_string())
    }

    /// The line of a mark.
    pub fn marker(&mut self, at: Duration, mark: impl Into<Mark>) -> String {
        line(&mut self.last, at, "m", &mark.into().to_string())
    }

    /// The lines of the end: what was still waiting for its rest, and the status.
    pub fn exit(&mut self, at: Duration, status: &str) -> String {
        let mut lines = String::new();
        for (code, text) in [("i", &mut self.input), ("o", &mut self.output)] {
            if let Some(rest) = text.take_rest() {
                lines += &line(&mut self.last, at, code, &rest);
            }
        }
        lines + &line(&mut self.last, at, "x", status)
    }
}

/// Bytes that become text when their characters are whole.
#[derive(Debug, Default)]
struct Text {
    /// The beginning of a character.
    waiting: Vec<u8>,
}

impl Text {
    /// What is whole with these `bytes`, if anything.
    fn take_whole<'a>(&mut self, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
        if self.waiting.is_empty() {
            // Most of the time all of it is text: looked at once, and not copied.
            if let Ok(text) = std::str::from_utf8(bytes) {
                return (!text.is_empty()).then_some(Cow::Borrowed(text));
            }
        }
        self.waiting.extend_from_slice(bytes);
        let whole = whole_characters(&self.waiting);
        if whole == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&self.waiting[..whole]).into_owned();
        self.waiting.drain(..whole);
        Some(Cow::Owned(text))
    }

    /// What will never be whole, if anything.
    fn take_rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.waiting);
        (!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned())
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

/// One event's line, so long after the `last` one.
fn line(last: &mut Duration, at: Duration, code: &str, data: &str) -> String {
    let interval = at.saturating_sub(*last);
    // What is written is rounded to microseconds; carry the rest, or long recordings drift.
    let interval = Duration::from_micros(interval.as_micros() as u64);
    *last += interval;
    line_at(interval, code, data)
}

/// The line of an event with this time, which formats count differently.
fn line_at(time: Duration, code: &str, data: &str) -> String {
    let (seconds, micros) = (time.as_secs(), time.subsec_micros());
    let mut line = format!("[{seconds}.{micros:06}, \"{code}\", \"");
    // Room for the escapes of short lines; text without any pays no more than a copy.
    line.reserve(data.len() + data.len() / 16 + 4);
    push_escaped(&mut line, data);
    line.push_str("\"]\n");
    line
}

/// `text` within a JSON string (RFC 8259 section 7). Written out, since most of what a session
/// costs while it shows much is what is done here to each byte.
fn push_escaped(line: &mut String, text: &str) {
    let mut rest = text;
    while let Some(place) = first_special(rest.as_bytes()) {
        line.push_str(&rest[..place]);
        match rest.as_bytes()[place] {
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            b'"' => line.push_str("\\\""),
            b'\\' => line.push_str("\\\\"),
            other => {
                let hex = b"0123456789abcdef";
                line.push_str("\\u00");
                line.push(hex[usize::from(other >> 4)].into());
                line.push(hex[usize::from(other & 15)].into());
            }
        }
        rest = &rest[place + 1..];
    }
    line.push_str(rest);
}

/// Where the first byte is that has an escape. Sixteen are looked at without a branch for each,
/// which takes half as long.
fn first_special(bytes: &[u8]) -> Option<usize> {
    let special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    let plain = |chunk: &&[u8]| !chunk.iter().fold(false, |any, &byte| any | special(byte));
    let passed = 16 * bytes.chunks_exact(16).take_while(plain).count();
    let place = bytes[passed..].iter().position(|&byte| special(byte))?;
    Some(passed + place)
}

/// One line of a recording after the header: how long after the one before, and what.
pub fn parse_event(line: &str) -> Option<(Duration, Event)> {
    let (interval, code, data): (f64, String, String) = serde_json::from_str(line).ok()?;
    let interval = Duration::try_from_secs_f64(interval).ok()?;
    let event = match code.as_str() {
        "o" => Event::Output(data),
        "i" => Event::Input(data),
        "r" => parse_window(&data).map_or(Event::Unknown, Event::Resize),
        "m" => Event::Marker(data.into()),
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
    fn what_is_typed_waits_for_its_rest_apart_from_what_is_shown() {
        let mut encoder = Encoder::default();
        let (first, second) = "é".as_bytes().split_at(1);
        assert_eq!(encoder.input(Duration::ZERO, first), None);
        let mut lines = encoder.output(Duration::ZERO, b"x").unwrap();
        lines += &encoder.input(Duration::ZERO, second).unwrap();
        lines += &encoder.marker(Duration::ZERO, Mark::Hidden);
        let events: Vec<_> = lines.lines().filter_map(parse_event).collect();
        let expected = [
            Event::Output("x".into()),
            Event::Input("é".into()),
            Event::Marker(Mark::Hidden),
        ];
        assert_eq!(events, expected.map(|event| (Duration::ZERO, event)));
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
        fn every_text_is_a_json_string(text: Vec<char>) {
            let text: String = text.into_iter().collect();
            let mut json = "\"".to_owned();
            push_escaped(&mut json, &text);
            json.push('"');
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

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
