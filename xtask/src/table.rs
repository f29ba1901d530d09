//! Tables for people to read.

use std::fmt;

/// Rows under a header. Columns whose name begins with `>` are aligned to the right.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Column {
    name: &'static str,
    right: bool,
}

impl Table {
    pub(crate) fn new(columns: &[&'static str]) -> Self {
        let column = |name: &&'static str| match name.strip_prefix('>') {
            Some(name) => Column { name, right: true },
            None => Column { name, right: false },
        };
        Self {
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = String>) {
        self.rows.push(row.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
        widest.max(self.columns[column].name.len())
    }

    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>) -> String {
        let padded = cells.zip(&self.columns).enumerate();
        let padded = padded.map(|(number, (cell, column))| {
            let width = self.width(number);
            match column.right {
                true => format!("{cell:>width$}"),
                false => format!("{cell:width$}"),
            }
        });
        let line = padded.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}",
            self.line(self.columns.iter().map(|column| column.name))
        )?;
        for row in &self.rows {
            writeln!(f, "{}", self.line(row.iter().map(String::as_str)))?;
        }
        Ok(())
    }
}

/// At most `width` characters of a text, with a mark where the rest is left out.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept = text.chars().take(width.saturating_sub(1));
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_to_the_side_they_ask_for() {
        let mut table = Table::new(&["name", ">ms"]);
        table.push(["sudo".into(), "3.71".into()]);
        table.push(["zoë".into(), "10".into()]);
        assert_eq!(table.to_string(), "name    ms\nsudo  3.71\nzoë     10\n");
    }

    #[test]
    fn what_is_left_out_is_marked() {
        assert_eq!(shortened("sleep 300", 9), "sleep 300");
        assert_eq!(shortened("sleep 3000", 9), "sleep 30…");
    }
}
