//! The machine's journal: read by tests, and kept when one fails.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::{Error, Machine, paths};

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry(Map<String, Value>);

impl Entry {
    /// A field's value. Where a field came more than once, the first; where it is not UTF-8,
    /// replacement characters stand for what is not.
    pub fn get(&self, field: &str) -> Option<String> {
        text(self.0.get(field)?)
    }

    /// Whether a field has exactly this value.
    pub fn is(&self, field: &str, value: &str) -> bool {
        self.get(field).as_deref() == Some(value)
    }

    /// All fields, as journalctl printed them.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// journalctl prints bytes that are not printable UTF-8 as an array of numbers, and fields that
/// came more than once as an array of either.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.first()?.is_number() => {
            let bytes = items.iter().map(|item| u8::try_from(item.as_u64()?).ok());
            Some(String::from_utf8_lossy(&bytes.collect::<Option<Vec<_>>>()?).into_owned())
        }
        Value::Array(items) => text(items.first()?),
        _ => None,
    }
}

#[track_caller]
pub(crate) fn read(machine: &Machine, fields: &[(&str, &str)]) -> Vec<Entry> {
    let matches: Vec<_> = fields
        .iter()
        .map(|(field, value)| format!("{field}={value}"))
        .collect();
    // Without --all a field over 4096 bytes reads null.
    let mut argv = vec![
        "journalctl",
        "--boot",
        "--output=json",
        "--all",
        "--no-pager",
    ];
    argv.extend(matches.iter().map(String::as_str));
    let output = machine.run(&argv).success();
    let lines = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| match serde_json::from_slice(line) {
            Ok(fields) => Entry(fields),
            Err(why) => panic!("{why} in {}", String::from_utf8_lossy(line)),
        })
        .collect()
}

/// Keeps all of the journal under the test's name and says where.
pub(crate) fn keep(machine: &Machine, test: &str) -> Result<Vec<PathBuf>, Error> {
    let dir = paths::machines_dir()?.join("failed");
    fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
    let name = format!("{}.{}", machine.name(), test.replace("::", "."));
    let kept = [("short-precise", "journal"), ("json", "json")].map(|(output, extension)| {
        let format = format!("--output={output}");
        let journal = machine.run(&["journalctl", "--boot", "--all", "--no-pager", &format]);
        let path = dir.join(format!("{name}.{extension}"));
        fs::write(&path, journal.stdout)
            .map_err(Error::file(&path))
            .map(|()| path)
    });
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_read_the_same_however_journalctl_prints_them() {
        let line = r#"{"A":"x","B":[104,105,255],"C":["one","two"],"D":[[104,105],"x"],"E":null}"#;
        let entry = Entry(serde_json::from_str(line).unwrap());
        assert!(entry.is("A", "x"));
        assert_eq!(entry.get("B").unwrap(), "hi\u{fffd}");
        assert!(entry.is("C", "one"));
        assert!(entry.is("D", "hi"));
        assert_eq!(entry.get("E"), None);
        assert_eq!(entry.get("F"), None);
    }
}
