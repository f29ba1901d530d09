//! A row of a screen as bytes that can do nothing to a terminal but show it: printable characters
//! and colours, whatever the recorded program wrote.

use avt::{Cell, Color, Line, Pen};
use elevate_protocol::escape;
use unicode_width::UnicodeWidthChar as _;

/// What stands for characters that show nothing, or turn the reading direction.
const HIDDEN: char = '\u{fffd}';

/// Columns `from..from + width` of `line`, with their colours, from the default ones back to them.
pub(super) fn row(line: &Line, from: usize, width: usize) -> String {
    let mut text = String::new();
    let mut pen = Pen::default();
    let cells = line.cells();
    let shown = &cells[from.min(cells.len())..(from + width).min(cells.len())];
    let blank = shown.iter().rev().take_while(|cell| is_blank(cell)).count();
    let shown = &shown[..shown.len() - blank];
    for (column, cell) in shown.iter().enumerate() {
        if *cell.pen() != pen {
            pen = *cell.pen();
            select(&mut text, &pen);
        }
        match cell.width() {
            // The second half of a wide character, whose first half is not shown.
            0 if column == 0 => text.push(' '),
            0 => {}
            2 if column + 1 == width => text.push(' '),
            _ => push(&mut text, cell.char()),
        }
    }
    if !pen.is_default() {
        text.push_str("\x1b[0m");
    }
    text
}

fn is_blank(cell: &Cell) -> bool {
    cell.char() == ' ' && cell.pen().is_default()
}

/// `text` as it can be written anywhere.
pub(super) fn plain(text: &str) -> String {
    let shown = |character| match is_harmless(character) {
        true => character,
        false => HIDDEN,
    };
    text.chars().map(shown).collect()
}

/// Whether it neither steers a terminal nor misleads who reads it.
fn is_harmless(character: char) -> bool {
    if (' '..='~').contains(&character) {
        return true;
    }
    let mut buffer = [0; 4];
    let written: &str = character.encode_utf8(&mut buffer);
    escape::line(written.as_bytes()) == written
}

fn push(text: &mut String, character: char) {
    match character.width() {
        _ if !is_harmless(character) => text.push(HIDDEN),
        // It sits on the character before it, and has a cell of its own all the same.
        Some(0) => text.extend([character, ' ']),
        _ => text.push(character),
    }
}

/// Select `pen`, whatever was selected before (ECMA-48, SGR).
fn select(text: &mut String, pen: &Pen) {
    text.push_str("\x1b[0");
    let switches = [
        (pen.is_bold(), ";1"),
        (pen.is_faint(), ";2"),
        (pen.is_italic(), ";3"),
        (pen.is_underline(), ";4"),
        (pen.is_blink(), ";5"),
        (pen.is_inverse(), ";7"),
        (pen.is_strikethrough(), ";9"),
    ];
    for (_, code) in switches.iter().filter(|(set, _)| *set) {
        text.push_str(code);
    }
    for (color, base) in [(pen.foreground(), 30), (pen.background(), 40)] {
        match color {
            None => {}
            Some(Color::Indexed(number @ 0..8)) => *text += &format!(";{}", base + number),
            Some(Color::Indexed(number @ 8..16)) => *text += &format!(";{}", base + 52 + number),
            Some(Color::Indexed(number)) => *text += &format!(";{};5;{number}", base + 8),
            Some(Color::RGB(rgb)) => {
                *text += &format!(";{};2;{};{};{}", base + 8, rgb.r, rgb.g, rgb.b);
            }
        }
    }
    text.push('m');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn painted(output: &str, from: usize, width: usize) -> String {
        let mut terminal = avt::Terminal::new(20, 2).unwrap();
        terminal.feed(output);
        row(terminal.screen().line(0).unwrap(), from, width)
    }

    #[test]
    fn colours_are_those_of_the_recording() {
        assert_eq!(
            painted(
                "a\x1b[1;31mb\x1b[0;92;44mc\x1b[0;38;5;200md\x1b[0;48;2;1;2;3me",
                0,
                20
            ),
            "a\x1b[0;1;31mb\x1b[0;92;44mc\x1b[0;38;5;200md\x1b[0;48;2;1;2;3me\x1b[0m"
        );
        assert_eq!(painted("plain", 0, 20), "plain");
        assert_eq!(painted("\x1b[41m  \x1b[0m  ", 0, 20), "\x1b[0;41m  \x1b[0m");
    }

    #[test]
    fn a_part_of_a_row_keeps_its_columns() {
        assert_eq!(painted("abcdef", 2, 3), "cde");
        assert_eq!(painted("日本語", 1, 3), " 本");
        assert_eq!(painted("日本語", 0, 3), "日 ");
        assert_eq!(painted("abc", 30, 3), "");
    }

    #[test]
    fn what_shows_nothing_or_turns_the_reading_direction_is_shown_as_such() {
        assert_eq!(painted("a\u{202e}b\u{200b}c", 0, 20), "a\u{fffd}b\u{fffd}c");
        assert_eq!(painted("C:\\x", 0, 20), "C:\\x");
        assert_eq!(painted("e\u{301}x", 0, 20), "e\u{301} x");
        assert_eq!(painted("\x7f", 0, 20), "\u{fffd}");
    }

    #[test]
    fn sequences_that_reach_past_the_screen_are_gone() {
        for hostile in [
            "\x1b]52;c;ZXZpbA==\x07",
            "\x1b]0;title\x1b\\",
            "\x1b[6n\x1b[c\x1b[>q",
            "\x1bP$q\"p\x1b\\",
            "\u{9d}52;c;ZXZpbA==\u{9c}",
            "\x1b[?1000h\x1b[8;1;1t\x1b[21t",
            "\x1b_G;\x1b\\\x1b^x\x1b\\",
        ] {
            assert_eq!(painted(&format!("a{hostile}b"), 0, 20), "ab", "{hostile:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_passes_but_text_and_colours(output: String) {
            let painted = painted(&output, 0, 20);
            let colours = regex::Regex::new("\x1b\\[[0-9;]+m").unwrap();
            let text = colours.replace_all(&painted, "");
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
}
