//! What the journal has on a session, as far as the caller may read it.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use elevate_protocol::Id;
use serde_json::Value;

use crate::failure::Failure;

/// Found here and nowhere else: what a caller's PATH says counts for nothing.
const JOURNALCTL: &str = "/usr/bin/journalctl";
/// Fields with this value were written by the daemon: anybody can write the others
/// (systemd.journal-fields(7)).
const WRITER: &str = "_SYSTEMD_UNIT=elevated.service";

/// One entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    fields: HashMap<String, String>,
}

impl Entry {
    /// An entry from the JSON that journalctl writes; none if it is none.
    pub(super) fn read(line: &str) -> Option<Entry> {
        let fields: HashMap<String, Value> = serde_json::from_str(line).ok()?;
        let texts = fields.into_iter().filter_map(|(name, value)| {
            let text = match value {
                Value::String(text) => text,
                // Bytes that are no text come as numbers.
                Value::Array(bytes) => {
                    let bytes = bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok());
                    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
                    String::from_utf8_lossy(&bytes).into_owned()
                }
                _ => return None,
            };
            Some((name, text))
        });
        Some(Entry {
            fields: texts.collect(),
        })
    }

    /// The text of a field; empty where it is not there.
    pub(super) fn text(&self, field: &str) -> &str {
        self.fields.get(field).map_or("", String::as_str)
    }

    /// A field that is a number.
    pub(super) fn number<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        self.text(field).parse().ok()
    }

    /// When it was written, in milliseconds since 1970.
    pub(super) fn at(&self) -> u64 {
        self.number::<u64>("__REALTIME_TIMESTAMP").unwrap_or(0) / 1000
    }
}

/// Let `take` have every entry on `id` that the caller may read, the oldest first.
pub(super) fn entries(id: Id, mut take: impl FnMut(Entry)) -> Result<(), Failure> {
    let journalctl = Command::new(JOURNALCTL)
        .args(["--output=json", "--all", "--quiet", "--no-pager", WRITER])
        .arg(format!("ELEVATE_REQUEST={id}"))
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    // Without one there is nothing to read.
    let Ok(mut journalctl) = journalctl else {
        return Ok(());
    };
    if let Some(output) = journalctl.stdout.take() {
        for line in BufReader::new(output).lines() {
            if let Some(entry) = Entry::read(&line?) {
                take(entry);
            }
        }
    }
    journalctl.wait()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_with_fields_that_are_no_text() {
        let entry = Entry::read(
            r#"{"__REALTIME_TIMESTAMP":"1500000","ELEVATE_PID":"7","ELEVATE_CWD":[47,255],"X":null}"#,
        );
        let entry = entry.unwrap();
        assert_eq!(entry.at(), 1500);
        assert_eq!(entry.number("ELEVATE_PID"), Some(7));
        assert_eq!(entry.text("ELEVATE_CWD"), "/\u{fffd}");
        assert_eq!((entry.text("X"), entry.text("Y")), ("", ""));
        assert_eq!(Entry::read("-- No entries --"), None);
    }
}
