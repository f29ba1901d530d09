//! The same recording as asciicast v2 (docs.asciinema.org/manual/asciicast/v2), which is what
//! asciinema before 3.0 plays: times count from the beginning, and an exit status has no place.

use std::time::Duration;

use serde::Serialize;

use super::{Event, Header, line_at};

#[derive(Serialize)]
struct OlderHeader<'a> {
    version: u8,
    width: u16,
    height: u16,
    timestamp: u64,
    command: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<Environment<'a>>,
}

#[derive(Serialize)]
struct Environment<'a> {
    #[serde(rename = "TERM")]
    term: &'a str,
}

/// Writes what is read from a recording of ours as lines of the older format.
#[derive(Debug, Default)]
pub struct Older {
    at: Duration,
}

impl Older {
    /// The first line.
    pub fn header(header: &Header) -> String {
        let env = header.term.kind.as_deref();
        let older = OlderHeader {
            version: 2,
            width: header.term.cols,
            height: header.term.rows,
            timestamp: header.timestamp,
            command: &header.command,
            title: &header.title,
            env: env.map(|term| Environment { term }),
        };
        let mut line = serde_json::to_string(&older).unwrap_or_default();
        line.push('\n');
        line
    }

    /// The line of an `event` so long after the one before it; none where there is no such line.
    pub fn event(&mut self, interval: Duration, event: &Event) -> Option<String> {
        self.at = self.at.saturating_add(interval);
        let (code, data) = match event {
            Event::Output(text) => ("o", text),
            Event::Input(text) => ("i", text),
            Event::Resize(window) => ("r", &window.to_string()),
            Event::Marker(mark) => ("m", &mark.to_string()),
            Event::Exit(_) | Event::Unknown => return None,
        };
        Some(line_at(self.at, code, data))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Encoder, Mark, Term, parse_event};
    use super::*;
    use crate::stream::Window;

    #[test]
    fn the_older_format_counts_from_the_beginning() {
        let header = Header {
            version: 3,
            term: Term {
                cols: 80,
                rows: 24,
                kind: Some("xterm".into()),
            },
            timestamp: 1000,
            command: "id".into(),
            title: "alice as root by rule all".into(),
        };
        assert_eq!(
            Older::header(&header),
            "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1000,\"command\":\"id\",\
             \"title\":\"alice as root by rule all\",\"env\":{\"TERM\":\"xterm\"}}\n"
        );
        let mut encoder = Encoder::default();
        let at = Duration::from_secs;
        let mut lines = encoder.output(at(1), b"\"one\"\r\n").unwrap();
        let window = Window {
            rows: 40,
            columns: 100,
        };
        lines += &encoder.resize(at(2), window);
        lines += &encoder.marker(at(4), Mark::Held);
        lines += &encoder.exit(at(5), "0");
        let mut older = Older::default();
        let events = lines.lines().filter_map(parse_event);
        let written: String = events
            .filter_map(|(interval, event)| older.event(interval, &event))
            .collect();
        assert_eq!(
            written,
            "[1.000000, \"o\", \"\\\"one\\\"\\r\\n\"]\n[2.000000, \"r\", \"100x40\"]\n\
             [4.000000, \"m\", \"held\"]\n"
        );
    }
}
