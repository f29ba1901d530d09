//! Writing what was asked for to standard output.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// The status that stands for "whoever read our output went away": we end by SIGPIPE then, as
/// other tools do.
pub(crate) const NOBODY_READS: u8 = 141;

/// Write `text` to standard output.
pub(crate) fn write(text: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let written = output.write_all(text).and_then(|()| output.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure {
            status: NOBODY_READS,
            ..Failure::new("nobody reads the output")
        },
        _ => Failure::new(format!("cannot write the output: {error}")),
    })
}

/// Write one line.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Write `value` as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    json_line(serde_json::to_string_pretty(value))
}

/// Write `value` as JSON on one line, for programs that follow.
pub(super) fn compact_json(value: &impl Serialize) -> Result<(), Failure> {
    json_line(serde_json::to_string(value))
}

fn json_line(text: serde_json::Result<String>) -> Result<(), Failure> {
    let text = text.map_err(|error| Failure::new(format!("cannot write JSON: {error}")))?;
    line(&in_ascii(&text))
}

/// The same JSON in ASCII: words of others must not turn a terminal's reading direction, and to a
/// program an escape is the same.
fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    let mut units = [0; 2];
    for character in json.chars() {
        match character {
            ' '..='~' | '\n' => ascii.push(character),
            // Only strings hold such, and in a string every character may be written so (RFC 8259).
            other => {
                for unit in other.encode_utf16(&mut units) {
                    ascii += &format!("\\u{unit:04x}");
                }
            }
        }
    }
    ascii
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How things look on standard output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    bold: bool,
}

impl Style {
    /// Bold words on a terminal, unless NO_COLOR (no-color.org) is set.
    pub(super) fn of_output() -> Style {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Style {
            bold: is_terminal() && !no_color,
        }
    }

    /// No style at all.
    #[cfg(test)]
    pub(super) const PLAIN: Style = Style { bold: false };

    /// `text`, standing out.
    pub(super) fn bold(self, text: &str) -> String {
        match self.bold {
            true => format!("\x1b[1m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// Rows of cells that are safe to show.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    header: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(header: [&'static str; N]) -> Self {
        Table {
            header,
            rows: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    /// Write it: aligned under a header on a terminal, bare and with tabs elsewhere.
    pub(super) fn write(&self, nothing: &str) -> Result<(), Failure> {
        if !is_terminal() {
            return write(self.tabbed().as_bytes());
        }
        match self.rows.is_empty() {
            true => line(nothing),
            false => write(self.aligned(Style::of_output()).as_bytes()),
        }
    }

    fn tabbed(&self) -> String {
        let lines = self.rows.iter().map(|row| row.join("\t") + "\n");
        lines.collect()
    }

    fn aligned(&self, style: Style) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or(0).max(self.header[column].len())
        };
        let widths: [usize; N] = std::array::from_fn(width);
        let header = self.header.map(str::to_owned);
        let mut text = style.bold(&aligned_row(&header, &widths)) + "\n";
        for row in &self.rows {
            text += &(aligned_row(row, &widths) + "\n");
        }
        text
    }
}

fn aligned_row(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths);
    let cells = cells.map(|(cell, width)| format!("{cell:width$}"));
    let line = cells.collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_for_people_and_tabbed_for_programs() {
        let mut table = Table::new(["ID", "USER"]);
        table.push(["k7m2x9qd".into(), "zoë".into()]);
        table.push(["1".into(), "bob".into()]);
        assert_eq!(
            table.aligned(Style::PLAIN),
            "ID        USER\nk7m2x9qd  zoë\n1         bob\n"
        );
        assert_eq!(table.tabbed(), "k7m2x9qd\tzoë\n1\tbob\n");
    }
    #[test]
    fn json_is_the_same_value_in_ascii() {
        let value = "a\u{202e}b \u{9b}31m \u{1f600} é\n\\\"";
        let json = in_ascii(&serde_json::to_string(value).unwrap());
        assert!(
            json.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
    }
}
