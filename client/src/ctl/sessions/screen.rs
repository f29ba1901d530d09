//! The recorded terminal, emulated. What a recording holds goes here and nowhere else; a person's
//! terminal gets pictures of it.

use avt::Terminal;
use elevate_protocol::stream::Window;

use super::paint;

/// The largest screen that is emulated; terminals are far smaller, and a cell takes memory.
const MOST: usize = 1000;

/// A screen as a program saw it.
pub(super) struct Screen {
    terminal: Terminal,
}

/// A picture of a screen, or of the part of it that fits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Picture {
    /// Each row as it is to be written.
    pub(super) rows: Vec<String>,
    /// Column and row of the cursor from 0, where it is shown.
    pub(super) cursor: Option<(usize, usize)>,
    /// Whether there was no room for all of it.
    pub(super) cropped: bool,
}

impl Screen {
    /// A blank one.
    pub(super) fn new(size: Window) -> Screen {
        let terminal = terminal(size);
        Screen { terminal }
    }

    /// Something was shown.
    pub(super) fn show(&mut self, text: &str) {
        self.terminal.feed(text);
    }

    /// The terminal changed its size.
    pub(super) fn resize(&mut self, size: Window) {
        let (columns, rows) = within(size);
        self.terminal.resize(columns, rows);
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (usize, usize) {
        self.terminal.size()
    }

    /// What brings a blank screen of the same size to this state.
    pub(super) fn dump(&self) -> String {
        self.terminal.dump()
    }

    /// All of it as lines, with colours, without the empty ones at its bottom.
    pub(super) fn text(&self) -> String {
        let (columns, rows) = self.size();
        let mut rows = self.picture(columns, rows).rows;
        let last = rows.iter().rposition(|row| !row.is_empty());
        rows.truncate(last.map_or(0, |last| last + 1));
        rows.into_iter().map(|row| row + "\n").collect()
    }

    /// A picture of `columns` by `rows` at most. Where it does not fit, the part around the cursor
    /// is shown.
    pub(super) fn picture(&self, columns: usize, rows: usize) -> Picture {
        let (width, height) = self.size();
        let cursor = self.terminal.cursor();
        let first = |at: usize, room: usize, all: usize| {
            (at + 1).saturating_sub(room).min(all.saturating_sub(room))
        };
        let top = first(cursor.row, rows, height);
        let left = first(cursor.col, columns, width);
        let lines = self.terminal.screen().visible_lines();
        let shown = lines.skip(top).take(rows);
        let position = cursor.position().map(|(column, row)| {
            // Behind the last column the next character goes to a new line.
            let column = column.min(width - 1);
            (column - left, row - top)
        });
        Picture {
            rows: shown.map(|line| paint::row(line, left, columns)).collect(),
            cursor: position,
            cropped: width > columns || height > rows,
        }
    }
}

/// A blank terminal that keeps nothing of what leaves its screen.
pub(super) fn terminal(size: Window) -> Terminal {
    let (columns, rows) = within(size);
    Terminal::new(columns, rows).expect("both are at least 1")
}

/// Columns and rows of a screen, where its terminal says `size`.
pub(super) fn within(size: Window) -> (usize, usize) {
    let bound = |length: u16, usual: usize| match usize::from(length) {
        // A terminal that doesn't know its size.
        0 => usual,
        length => length.min(MOST),
    };
    (bound(size.columns, 80), bound(size.rows, 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(columns: u16, rows: u16, text: &str) -> Screen {
        let mut screen = Screen::new(Window { rows, columns });
        screen.show(text);
        screen
    }

    #[test]
    fn a_screen_that_fits_is_shown_whole() {
        let picture = screen(10, 2, "one\r\ntwo").picture(80, 24);
        assert_eq!(picture.rows, ["one", "two"]);
        assert_eq!(picture.cursor, Some((3, 1)));
        assert!(!picture.cropped);
    }

    #[test]
    fn of_a_larger_screen_the_part_around_the_cursor_is_shown() {
        let screen = screen(10, 3, "first\r\nsecond\r\nabcdefgh");
        let picture = screen.picture(4, 2);
        assert_eq!(picture.rows, ["d", "fgh"]);
        assert_eq!(picture.cursor, Some((3, 1)));
        assert!(picture.cropped);
    }

    #[test]
    fn the_cursor_is_within_the_picture_wherever_it_is() {
        for text in ["abcdefghij", "\x1b[3;10H", "\x1b[H", "\x1b[?25l"] {
            let screen = screen(10, 3, text);
            for (columns, rows) in [(1, 1), (4, 2), (10, 3), (80, 24)] {
                let picture = screen.picture(columns, rows);
                let inside = |(column, row)| column < columns && row < rows;
                assert!(picture.cursor.is_none_or(inside), "{text:?} {picture:?}");
            }
        }
    }

    #[test]
    fn any_size_is_a_size() {
        let mut screen = screen(0, 0, "");
        assert_eq!(screen.size(), (80, 24));
        let most = u16::MAX;
        screen.resize(Window {
            rows: most,
            columns: 5,
        });
        assert_eq!(screen.size(), (5, MOST));
    }
}
