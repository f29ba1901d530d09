//! QR codes, drawn with the characters of a terminal.

use qrcode::{Color, EcLevel, QrCode};
use rustix::termios::InputModes;
use zeroize::Zeroizing;

/// Light modules around a code, on each side (ISO/IEC 18004, 5.3.8).
const QUIET: usize = 4;
/// Dark on light in colours of our own: cameras expect it so, and half of all terminals show light
/// on dark. What NO_COLOR asks to leave out is decoration, and this is none.
const BEGIN: &str = "\x1b[30;47m";
const END: &str = "\x1b[0m";

/// What a terminal can show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    columns: usize,
    /// Whether it has half blocks: two modules, one above the other, in one cell.
    utf8: bool,
}

impl Canvas {
    /// Of standard output, or why it can show no code.
    pub(super) fn of_output() -> Result<Canvas, String> {
        let output = rustix::stdio::stdout();
        let name = std::env::var_os("TERM").unwrap_or_default();
        if name.is_empty() || name == "dumb" {
            return Err("this terminal cannot draw a QR code".into());
        }
        let columns = rustix::termios::tcgetwinsize(output).map_or(0, |size| size.ws_col);
        let modes = rustix::termios::tcgetattr(output);
        let utf8 = modes.is_ok_and(|modes| modes.input_modes.contains(InputModes::IUTF8));
        Ok(Canvas {
            // One that doesn't know its size says 0.
            columns: if columns == 0 { 80 } else { columns.into() },
            utf8: utf8 || locale_is_utf8(|name| std::env::var(name).ok()),
        })
    }

    /// The code of `text`, or why it cannot be shown here.
    pub(super) fn draw(self, text: &str) -> Result<Zeroizing<String>, String> {
        // A screen is neither torn nor dirty: the least redundancy makes the smallest code.
        let code = QrCode::with_error_correction_level(text, EcLevel::L)
            .map_err(|error| format!("it does not fit a QR code: {error}"))?;
        let modules = Modules {
            width: code.width(),
            dark: Zeroizing::new(
                code.to_colors()
                    .into_iter()
                    .map(|color| color == Color::Dark)
                    .collect(),
            ),
        };
        let cells_to_a_module = if self.utf8 { 1 } else { 2 };
        let needed = modules.side() * cells_to_a_module;
        if needed > self.columns {
            return Err(format!(
                "this terminal is too narrow for a QR code: it has {} columns, and {needed} are \
                 needed",
                self.columns
            ));
        }
        Ok(match self.utf8 {
            true => modules.in_half_blocks(),
            false => modules.in_spaces(),
        })
    }
}

/// Whether the C library would take the locale's characters for UTF-8 (locale(7)).
fn locale_is_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let mut set = names.into_iter().filter_map(variable);
    let locale = set.find(|value| !value.is_empty()).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// The modules of a code, row by row.
struct Modules {
    width: usize,
    dark: Zeroizing<Vec<bool>>,
}

impl Modules {
    /// Width and height with the light around it.
    fn side(&self) -> usize {
        self.width + 2 * QUIET
    }

    fn is_dark(&self, row: usize, column: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < self.width);
        match (inside(row), inside(column)) {
            (Some(row), Some(column)) => self.dark[row * self.width + column],
            _ => false,
        }
    }

    fn in_half_blocks(&self) -> Zeroizing<String> {
        let rows = (0..self.side()).step_by(2);
        self.lines(rows, |row, column| {
            match (self.is_dark(row, column), self.is_dark(row + 1, column)) {
                (true, true) => "█",
                (true, false) => "▀",
                (false, true) => "▄",
                (false, false) => " ",
            }
        })
    }

    fn in_spaces(&self) -> Zeroizing<String> {
        self.lines(0..self.side(), |row, column| {
            match self.is_dark(row, column) {
                true => "\x1b[40m  \x1b[47m",
                false => "  ",
            }
        })
    }

    fn lines(
        &self,
        rows: impl Iterator<Item = usize>,
        cell: impl Fn(usize, usize) -> &'static str,
    ) -> Zeroizing<String> {
        // Room for all of it, so that no part is left behind where it grew.
        const LONGEST_CELL: usize = 12;
        let line = self.side() * LONGEST_CELL + BEGIN.len() + END.len() + 1;
        let mut text = Zeroizing::new(String::with_capacity(self.side() * line));
        for row in rows {
            text.push_str(BEGIN);
            for column in 0..self.side() {
                text.push_str(cell(row, column));
            }
            text.push_str(END);
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URI: &str = "otpauth://totp/web1.example.org:alice?secret=\
        JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=web1.example.org";

    fn canvas(columns: usize, utf8: bool) -> Canvas {
        Canvas { columns, utf8 }
    }

    /// What a camera sees: the modules of a drawn code, dark or light.
    fn seen(drawn: &str, utf8: bool) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in drawn.lines() {
            let line = line.strip_prefix(BEGIN).unwrap().strip_suffix(END).unwrap();
            if utf8 {
                for dark in [['█', '▀'], ['█', '▄']] {
                    rows.push(line.chars().map(|cell| dark.contains(&cell)).collect());
                }
                continue;
            }
            let cells = line.replace("\x1b[40m  \x1b[47m", "##");
            assert!(cells.chars().all(|cell| "# ".contains(cell)), "{cells:?}");
            rows.push(cells.chars().step_by(2).map(|cell| cell == '#').collect());
        }
        rows
    }

    #[test]
    fn both_ways_of_drawing_show_the_code_dark_on_light_with_light_around_it() {
        let code = QrCode::with_error_correction_level(URI, EcLevel::L).unwrap();
        let (width, colors) = (code.width(), code.to_colors());
        for utf8 in [true, false] {
            let seen = seen(&canvas(200, utf8).draw(URI).unwrap(), utf8);
            for (y, row) in seen.iter().enumerate() {
                assert_eq!(row.len(), width + 2 * QUIET);
                for (x, dark) in row.iter().enumerate() {
                    let inside = |at: usize| (QUIET..QUIET + width).contains(&at);
                    let expected = inside(x)
                        && inside(y)
                        && colors[(y - QUIET) * width + x - QUIET] == Color::Dark;
                    assert_eq!(*dark, expected, "row {y} column {x} utf8 {utf8}");
                }
            }
            assert!(seen.len() >= width + 2 * QUIET);
        }
    }

    #[test]
    fn an_ordinary_terminal_is_wide_enough_with_utf8_and_a_narrow_one_is_told_so() {
        assert!(canvas(80, true).draw(URI).is_ok());
        let why = canvas(40, true).draw(URI).unwrap_err();
        assert!(
            why.contains("it has 40 columns, and 45 are needed"),
            "{why}"
        );
        assert!(canvas(80, false).draw(URI).is_err());
        assert!(canvas(200, true).draw(&"x".repeat(4000)).is_err());
    }

    #[test]
    fn the_first_variable_that_is_set_names_the_locale() {
        let of = |set: &[(&str, &str)]| {
            locale_is_utf8(|name| {
                let found = set.iter().find(|(other, _)| *other == name)?;
                Some(found.1.to_owned())
            })
        };
        assert!(of(&[("LANG", "de_DE.UTF-8")]));
        assert!(of(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8")]));
        assert!(!of(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]));
        assert!(!of(&[]));
    }
}
