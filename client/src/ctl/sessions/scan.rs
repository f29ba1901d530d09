//! Lines that appear on the screen of a recording and match a pattern.

use std::io::Read;

use elevate_protocol::recording::Event;
use regex::Regex;

use super::appearances::{Appearance, Appearances, Line, Whereabouts};
use super::film;
use super::lines::{Left, Lines, Way};
use super::tape::{Moment, Tape};
use crate::failure::Failure;

/// How much is shown before somebody looks at the screen: what is drawn and cleared in one go was
/// there too.
const LOOK_BYTES: usize = 4096;

/// Find every appearance of a line that `pattern` matches.
pub(super) fn scan<R: Read>(
    tape: &mut Tape<R>,
    pattern: &Regex,
    mut found: impl FnMut(Appearance) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut lines = Lines::new(film::size(tape.header()));
    let mut appearances = Appearances::default();
    let end = loop {
        let Moment { at, event } = match tape.next() {
            Ok(Some(moment)) => moment,
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        };
        let mut look = |left: Vec<Left>, lines: &Lines| {
            let matching = matching(pattern, left, lines);
            appearances
                .look(at, matching)
                .into_iter()
                .try_for_each(&mut found)
        };
        match event {
            Event::Output(text) => {
                for part in parts(&text) {
                    let left = lines.show(part);
                    look(left, &lines)?;
                }
            }
            Event::Resize(size) => {
                let left = lines.resize(size);
                look(left, &lines)?;
            }
            _ => {}
        }
    };
    appearances.finish().into_iter().try_for_each(&mut found)?;
    end
}

/// `text` in pieces of at most [`LOOK_BYTES`].
fn parts(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut end = text.len().min(LOOK_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (part, rest) = text.split_at(end);
        text = rest;
        (!part.is_empty()).then_some(part)
    })
}

/// The lines that `pattern` matches: those that left the screen, and those on it.
fn matching(pattern: &Regex, left: Vec<Left>, lines: &Lines) -> Vec<Line> {
    let left = left.into_iter().map(|line| {
        let whereabouts = match line.way {
            Way::Cleared | Way::Alternate => Whereabouts::Cleared,
            Way::Scrolled => Whereabouts::Scrolled,
        };
        (line.text, whereabouts)
    });
    let standing = lines.standing().into_iter().map(|line| {
        let whereabouts = match line.written {
            true => Whereabouts::Written,
            false => Whereabouts::Standing,
        };
        (line.text, whereabouts)
    });
    let matched = left.chain(standing).map(|(text, whereabouts)| Line {
        matches: pattern.find_iter(&text).count(),
        text,
        whereabouts,
    });
    matched.filter(|line| line.matches > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tape::tests::{after, packed, text};
    use super::*;

    /// Lines that `words` find in a terminal of 20 by 4 that shows one text each second.
    fn found(words: &str, shown: &[&str]) -> Vec<String> {
        let bytes = text(|encoder| {
            let mut lines = String::new();
            for (second, text) in (1u32..).zip(shown) {
                lines += &encoder
                    .output(after(second.into()), text.as_bytes())
                    .unwrap();
            }
            lines
        });
        let mut found = Vec::new();
        let mut tape = Tape::open(bytes.as_bytes()).unwrap();
        let keep = |Appearance { at, text }: Appearance| {
            found.push(format!("{} {text}", at.as_secs()));
            Ok(())
        };
        scan(&mut tape, &Regex::new(words).unwrap(), keep).unwrap();
        found
    }

    #[test]
    fn text_is_found_through_colours_cursor_movement_and_wraps() {
        let shown = ["se\x1b[1;31mcr\x1b[0met\r\n", "0123456789012345secret\r\n"];
        assert_eq!(
            found("secret", &shown),
            ["1 secret", "2 0123456789012345secret"]
        );
        assert_eq!(found("ab", &["b\x1b[1Ga\x1b[3Gc\x1b[1Gx\r\n"]), [""; 0]);
        assert_eq!(found("abc", &["\x1b[2Gbc\x1b[1Ga\r\n"]), ["1 abc"]);
        assert_eq!(found("s.c[a-z]+", &["x secret\r\n"]), ["1 x secret"]);
    }

    #[test]
    fn every_line_that_streams_past_is_found_once() {
        let flood = "secret\r\nother\r\n".repeat(50);
        assert_eq!(found("secret", &[&flood, &flood]).len(), 100);
    }

    #[test]
    fn a_screen_that_is_drawn_again_and_again_is_found_once() {
        let drawn = "\x1b[H\x1b[2Jtop\r\nsecret\r\n";
        assert_eq!(found("secret", &[drawn; 5]), ["1 secret"]);
        let editor = ["\x1b[?1049h", drawn, drawn, "\x1b[?1049l"];
        assert_eq!(found("secret", &editor), ["2 secret"]);
    }

    #[test]
    fn what_an_editor_showed_is_found_though_it_was_left_in_the_same_go() {
        let shown = ["\x1b[?1049h\x1b[Hsecret\x1b[?1049l$ "];
        assert_eq!(found("secret", &shown), ["1 secret"]);
        let cleared = ["\x1b[?1049h\x1b[Hsecret\x1b[2J\x1b[Hother"];
        assert_eq!(found("secret", &cleared), ["1 secret"]);
    }

    #[test]
    fn what_is_hidden_for_a_while_and_comes_back_is_found_again() {
        let shown = ["secret\r\n", "\x1b[?1049h", "other", "x", "\x1b[?1049l"];
        assert_eq!(found("secret", &shown), ["1 secret", "5 secret"]);
    }

    #[test]
    fn a_word_that_is_typed_is_found_when_the_line_is_done() {
        let shown = ["$ ", "s", "e", "cret", " -x", "\r\n", "done"];
        assert_eq!(found("secret", &shown), ["4 $ secret -x"]);
        let wiped = ["$ ", "secret", "\r\x1b[K$ ", "ls\r\n"];
        assert_eq!(found("secret", &wiped), ["2 $ secret"]);
        assert_eq!(found("secret", &["no end: secret"]), ["1 no end: secret"]);
    }

    #[test]
    fn what_was_drawn_and_cleared_in_one_go_is_found_where_it_scrolled_or_was_cleared() {
        let shown = ["\x1b[?25lsecret\r\n\x1b[H\x1b[2Jclean"];
        assert_eq!(found("secret", &shown), ["1 secret"]);
    }

    #[test]
    fn a_recording_that_is_cut_off_is_searched_as_far_as_it_goes() {
        let bytes = text(|encoder| encoder.output(after(1.0), b"secret").unwrap());
        let packed = packed(&bytes, false);
        let mut count = 0;
        let keep = |_| {
            count += 1;
            Ok(())
        };
        let mut tape = Tape::open(&packed[..]).unwrap();
        scan(&mut tape, &Regex::new("secret").unwrap(), keep).unwrap();
        assert_eq!(count, 1);
    }
}
