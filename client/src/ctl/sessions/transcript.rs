//! A recording as plain text: the lines that stood on the screen, in their order.

use std::io::Read;

use elevate_protocol::recording::Event;
use elevate_protocol::stream::Window;

use super::lines::{Lines, Standing, Way};
use super::paint;
use super::tape::Tape;
use crate::failure::Failure;

/// Makes text of what was shown. Of a screen of its own, such as an editor's, the last picture
/// counts.
pub(super) struct Transcript {
    lines: Lines,
    /// What stood on a screen of its own, while there is one.
    picture: Option<Vec<Standing>>,
}

impl Transcript {
    /// The text of a recording that begins at this size.
    pub(super) fn new(size: Window) -> Transcript {
        Transcript {
            lines: Lines::new(size),
            picture: None,
        }
    }

    /// The lines that are whole with this event.
    pub(super) fn take(&mut self, event: &Event) -> Vec<String> {
        let left = match event {
            Event::Output(text) => self.lines.show(text),
            Event::Resize(size) => self.lines.resize(*size),
            _ => return Vec::new(),
        };
        let below = left.iter().filter(|line| line.way != Way::Alternate);
        let mut text: Vec<String> = below.map(|line| paint::plain(&line.text)).collect();
        match self.lines.is_alternate() {
            true => self.picture = Some(self.lines.standing()),
            false => text.extend(self.picture.take().into_iter().flat_map(lines_of)),
        }
        text
    }

    /// What stands on the screen in the end.
    pub(super) fn finish(self) -> Vec<String> {
        lines_of(self.lines.standing())
    }
}

/// The lines of a screen, without the empty ones at its bottom.
fn lines_of(standing: Vec<Standing>) -> Vec<String> {
    let last = standing.iter().rposition(|line| !line.text.is_empty());
    let shown = standing.iter().take(last.map_or(0, |last| last + 1));
    shown.map(|line| paint::plain(&line.text)).collect()
}

/// Have `write` write the text of all of `tape`.
pub(super) fn write<R: Read>(
    tape: &mut Tape<R>,
    mut write: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut transcript = Transcript::new(super::film::size(tape.header()));
    let end = loop {
        match tape.next() {
            Ok(Some(moment)) => transcript
                .take(&moment.event)
                .iter()
                .try_for_each(|l| write(l))?,
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    transcript
        .finish()
        .iter()
        .try_for_each(|line| write(line))?;
    end
}

#[cfg(test)]
mod tests {
    use super::super::tape::tests::{after, text};
    use super::*;

    fn written(output: &[&str]) -> Vec<String> {
        let bytes = text(|encoder| {
            let outputs = output.iter();
            let lines = outputs.map(|text| encoder.output(after(1.0), text.as_bytes()).unwrap());
            lines.collect()
        });
        let mut written = Vec::new();
        let mut tape = Tape::open(bytes.as_bytes()).unwrap();
        let keep = |line: &str| {
            written.push(line.to_owned());
            Ok(())
        };
        write(&mut tape, keep).unwrap();
        written
    }

    #[test]
    fn text_stands_in_its_order_without_colours_and_unwrapped() {
        assert_eq!(
            written(&[
                "\x1b[31mred\x1b[0m\r\n\r\n0123456789012345678901",
                "\r\na\r\nb\r\n"
            ]),
            ["red", "", "0123456789012345678901", "a", "b"]
        );
        assert_eq!(written(&["10%\r20%\r30%\r\ndone"]), ["30%", "done"]);
        assert_eq!(written(&[]), [""; 0]);
    }

    #[test]
    fn of_an_editor_the_last_picture_is_written_where_it_was_left() {
        let editor = [
            "$ vi\r\n\x1b[?1049h",
            "\x1b[Hone",
            "\x1b[Htwo",
            "\x1b[?1049l$ ls",
        ];
        assert_eq!(written(&editor), ["two", "$ vi", "$ ls"]);
    }

    #[test]
    fn nothing_in_it_steers_a_terminal() {
        let hostile = "a\x1b]52;c;eA==\x07b\u{202e}c\x7f\u{9b}31m";
        assert_eq!(written(&[hostile]), ["ab\u{fffd}c\u{fffd}"]);
    }
}
