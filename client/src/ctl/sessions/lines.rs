//! The lines of a screen as a person reads them: put together where they were wrapped, those that
//! stand there and those that left it.

use avt::observer::DirtyRows;
use avt::parser::{DecMode, EdScope, Function};
use avt::{Line, Observation, Observer, Operation, ScreenKind, Terminal};
use elevate_protocol::stream::Window;

/// Bytes of a line at most; a longer one counts as several.
const LINE_BYTES: usize = 64 * 1024;

/// A screen whose lines are watched.
pub(super) struct Lines {
    terminal: Terminal,
    dirty: DirtyRows,
    leaving: Leaving,
    /// The rows of the screen that is shown.
    rows: Vec<Row>,
}

#[derive(Default)]
struct Row {
    text: String,
    wrapped: bool,
}

/// A line that left the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Left {
    /// What it said.
    pub(super) text: String,
    /// How it left.
    pub(super) way: Way,
}

/// How a line leaves the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Way {
    /// It made room for others.
    #[default]
    Scrolled,
    /// It was cleared away.
    Cleared,
    /// It stood on a screen of a program's own, which was cleared or left.
    Alternate,
}

/// A line on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// What it says; of a line that has left the screen in part, all of it.
    pub(super) text: String,
    /// Whether the cursor is in it.
    pub(super) written: bool,
}

impl Lines {
    /// Those of a blank screen.
    pub(super) fn new(size: Window) -> Lines {
        let terminal = super::screen::terminal(size);
        let rows = terminal.size().1;
        Lines {
            terminal,
            dirty: DirtyRows::new(),
            leaving: Leaving::default(),
            rows: std::iter::repeat_with(Row::default).take(rows).collect(),
        }
    }

    /// Something was shown; the lines that left the screen by it.
    pub(super) fn show(&mut self, text: &str) -> Vec<Left> {
        let watch = (&mut self.dirty, &mut self.leaving);
        let (rows, left) = self.terminal.feed_with(text, watch);
        self.read(rows);
        left
    }

    /// The screen changed its size; the lines that left it by that.
    pub(super) fn resize(&mut self, size: Window) -> Vec<Left> {
        let (columns, rows) = super::screen::within(size);
        let watch = (&mut self.dirty, &mut self.leaving);
        let (dirty, left) = self.terminal.resize_with(columns, rows, watch);
        self.rows.resize_with(rows, Row::default);
        self.read(dirty);
        left
    }

    fn read(&mut self, rows: Vec<usize>) {
        let mut rows = rows.into_iter().peekable();
        for (number, line) in self.terminal.screen().visible_lines().enumerate() {
            if rows.next_if_eq(&number).is_some() {
                let row = &mut self.rows[number];
                row.text.clear();
                row.text.extend(line.chars());
            }
            // Whether a row goes on in the next can change without the row.
            self.rows[number].wrapped = line.is_wrapped();
        }
    }

    /// Whether the program has a screen of its own, as editors and pagers do.
    pub(super) fn is_alternate(&self) -> bool {
        self.terminal.active_screen_kind() == ScreenKind::Alternate
    }

    /// The lines on the screen, the top one first.
    pub(super) fn standing(&self) -> Vec<Standing> {
        let cursor = self.terminal.cursor().row;
        let mut standing = Vec::new();
        let mut text = match self.is_alternate() {
            true => String::new(),
            false => self.leaving.pending.clone(),
        };
        let mut written = false;
        for (number, row) in self.rows.iter().enumerate() {
            text += &row.text;
            written |= number == cursor;
            if !row.wrapped || text.len() > LINE_BYTES {
                standing.push(Standing {
                    text: text.trim_end().to_owned(),
                    written: std::mem::take(&mut written),
                });
                text.clear();
            }
        }
        standing
    }
}

/// Puts together what leaves the screen at its top.
#[derive(Default)]
struct Leaving {
    /// What left of a line that has not left as a whole.
    pending: String,
    way: Way,
    left: Vec<Left>,
}

impl Leaving {
    fn push(&mut self, line: &Line) {
        self.pending.extend(line.chars());
        if !line.is_wrapped() || self.pending.len() > LINE_BYTES {
            self.left.push(Left {
                text: self.pending.trim_end().to_owned(),
                way: self.way,
            });
            self.pending.clear();
        }
    }
}

impl Leaving {
    /// What stands on a screen of a program's own, which keeps nothing of what leaves it.
    fn push_alternate(&mut self, terminal: &Terminal) {
        // What left of a line below it is none of these.
        let below = std::mem::take(&mut self.pending);
        for line in terminal.screen().visible_lines() {
            self.push(line);
        }
        let last = std::mem::replace(&mut self.pending, below);
        if !last.is_empty() {
            self.left.push(Left {
                text: last.trim_end().to_owned(),
                way: Way::Alternate,
            });
        }
    }
}

/// Whether all that stands on a screen of a program's own goes by this.
fn clears_alternate(operation: &Operation) -> bool {
    match operation {
        Operation::Function(Function::Ed(EdScope::All) | Function::Ris) => true,
        Operation::Function(Function::Decrst(modes)) => modes.as_slice().iter().any(|mode| {
            matches!(
                mode,
                DecMode::AltScreenBuffer | DecMode::SaveCursorAltScreenBuffer
            )
        }),
        _ => false,
    }
}

impl Observer for Leaving {
    type Output = Vec<Left>;

    fn before(&mut self, context: &mut Observation<'_>, operation: &Operation) {
        let terminal = context.terminal();
        if terminal.active_screen_kind() == ScreenKind::Alternate && clears_alternate(operation) {
            self.way = Way::Alternate;
            self.push_alternate(terminal);
        }
        self.way = match operation {
            Operation::Function(Function::Ed(_) | Function::Ris) => Way::Cleared,
            _ => Way::Scrolled,
        };
        // A reset takes what stands there without a word.
        if let Operation::Function(Function::Ris) = operation {
            let lines = context.terminal().primary_screen().all_lines();
            lines.for_each(|line| self.push(line));
        }
    }

    fn evicted(&mut self, _: &mut Observation<'_>, line: &Line) {
        self.push(line);
    }

    fn end(&mut self, _: &mut Observation<'_>) -> Vec<Left> {
        std::mem::take(&mut self.left)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn lines() -> Lines {
        Lines::new(Window {
            rows: 3,
            columns: 10,
        })
    }

    fn left(text: &str, way: Way) -> Left {
        let text = text.into();
        Left { text, way }
    }

    fn standing(lines: &Lines) -> Vec<String> {
        let all = lines.standing().into_iter();
        all.map(|line| line.text + if line.written { "|" } else { "" })
            .collect()
    }

    #[test]
    fn a_wrapped_line_is_one_line_on_the_screen_and_when_it_leaves() {
        let mut lines = lines();
        assert_eq!(lines.show("a\r\n0123456789abc"), []);
        assert_eq!(standing(&lines), ["a", "0123456789abc|"]);
        assert_eq!(lines.show("\r\nb"), [left("a", Way::Scrolled)]);
        assert_eq!(lines.show("\r\nc"), []);
        assert_eq!(standing(&lines), ["0123456789abc", "b", "c|"]);
        assert_eq!(lines.show("\r\n"), [left("0123456789abc", Way::Scrolled)]);
    }

    #[test]
    fn what_is_cleared_is_told_apart_from_what_scrolls_away() {
        let mut lines = lines();
        lines.show("one\r\ntwo");
        let gone = lines.show("\x1b[H\x1b[2J");
        assert_eq!(gone, [left("one", Way::Cleared), left("two", Way::Cleared)]);
        lines.show("three");
        let gone = lines.show("\x1bc");
        assert_eq!(gone[0], left("three", Way::Cleared));
        assert_eq!(standing(&lines).concat(), "|");
    }

    #[test]
    fn a_screen_of_its_own_hides_the_lines_below() {
        let mut lines = lines();
        lines.show("shell\x1b[?1049h\x1b[Heditor");
        assert!(lines.is_alternate());
        assert_eq!(standing(&lines)[0], "editor|");
        lines.show("\x1b[?1049l");
        assert_eq!(standing(&lines)[0], "shell|");
    }

    #[test]
    fn what_a_screen_of_its_own_showed_leaves_with_it() {
        let mut lines = lines();
        lines.show("0123456789abc\r\nx\r\ny");
        // Of the first line one row has left, and waits for the other.
        let gone = lines.show("\x1b[?1049h\x1b[Heditor\x1b[?1049l");
        assert!(gone.contains(&left("editor", Way::Alternate)), "{gone:?}");
        let gone = lines.show("\x1b[?1049h\x1b[Hone\x1b[2J\x1b[Htwo");
        assert!(gone.contains(&left("one", Way::Alternate)), "{gone:?}");
        assert!(!gone.contains(&left("two", Way::Alternate)), "{gone:?}");
        lines.show("\x1b[?1049l");
        assert_eq!(lines.show("\r\nz"), [left("0123456789abc", Way::Scrolled)]);
    }

    #[test]
    fn a_new_size_keeps_the_lines() {
        let mut lines = lines();
        lines.show("0123456789abc");
        lines.resize(Window {
            rows: 4,
            columns: 5,
        });
        assert_eq!(standing(&lines)[0], "0123456789abc|");
    }

    #[test]
    fn an_endless_line_comes_in_pieces() {
        let mut lines = lines();
        let left = lines.show(&"x".repeat(5 * LINE_BYTES));
        assert!(left.len() >= 4, "{}", left.len());
        assert!(left.iter().all(|line| line.text.len() <= LINE_BYTES + 10));
    }

    fn sequence() -> impl Strategy<Value = String> {
        let control = ("[?>]?", vec(0u16..300, 0..4), "[@-~]").prop_map(|(mark, numbers, last)| {
            let numbers: Vec<_> = numbers.iter().map(u16::to_string).collect();
            format!("\x1b[{mark}{}{last}", numbers.join(";"))
        });
        let mode = (
            prop::sample::select(vec![1, 6, 7, 25, 47, 1047, 1048, 1049]),
            "[hl]",
        );
        prop_oneof![
            control,
            mode.prop_map(|(number, last)| format!("\x1b[?{number}{last}")),
            "[a-z日\u{301}\r\n\t\u{8}\u{b}\u{e}\u{f}]{0,30}",
            "\x1b[#()A-Za-z78=>]{0,2}",
        ]
    }

    proptest! {
        /// A recording that an emulator falls over is one that nobody reads.
        #[test]
        fn whatever_is_shown_is_emulated(
            events in vec((sequence(), option::weighted(0.1, (0u16..30, 0u16..20))), 0..60)
        ) {
            let mut lines = lines();
            let mut screen = super::super::screen::Screen::new(Window { rows: 3, columns: 10 });
            for (text, size) in events {
                lines.show(&text);
                screen.show(&text);
                if let Some((columns, rows)) = size {
                    lines.resize(Window { rows, columns });
                    screen.resize(Window { rows, columns });
                }
                let standing = lines.standing().len();
                prop_assert!(standing <= screen.size().1);
                let picture = screen.picture(7, 2);
                let inside = |(column, row)| column < 7 && row < 2;
                prop_assert!(picture.cursor.is_none_or(inside));
            }
        }
    }
}
