//! What the terminal is shown: what the command shows, and lines of ours between.

use std::os::fd::BorrowedFd;

use super::sink::Sink;

/// What is on its way to the terminal, and where that leaves the cursor.
#[derive(Debug, Default)]
pub(super) struct Screen {
    sink: Sink,
    /// A return that is kept back until it is known what follows.
    returned: bool,
    /// Whether something stands in the cursor's line.
    within: bool,
}

impl Screen {
    /// Show what the session's terminal shows. Its lines end as they do on a terminal; one that
    /// `adds` the return to a newline itself is given the newline alone, so that what arrives on
    /// the screen is the same.
    pub(super) fn show(&mut self, bytes: &[u8], adds: bool) {
        let Some(&last) = bytes.last() else { return };
        self.within = last != b'\n';
        if !adds {
            self.give_return();
            return self.sink.push(bytes);
        }
        let mut plain = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            if std::mem::take(&mut self.returned) && byte != b'\n' {
                plain.push(b'\r');
            }
            match byte {
                b'\r' => self.returned = true,
                other => plain.push(other),
            }
        }
        self.sink.push(&plain);
    }

    /// Show a line of ours, below whatever stands in the cursor's line.
    pub(super) fn tell(&mut self, line: &str, adds: bool) {
        let begin = if self.within { "\r\n" } else { "" };
        self.show(format!("{begin}{line}\r\n").as_bytes(), adds);
    }

    /// Write to the terminal as much as it takes.
    pub(super) fn write(&mut self, terminal: BorrowedFd<'_>) {
        self.sink.write_all(terminal);
    }

    /// Write all of it, the return too that was kept back.
    pub(super) fn finish(&mut self, terminal: BorrowedFd<'_>) {
        self.give_return();
        self.write(terminal);
    }

    pub(super) fn is_idle(&self) -> bool {
        self.sink.is_idle()
    }

    fn give_return(&mut self) {
        if std::mem::take(&mut self.returned) {
            self.sink.push(b"\r");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    fn written(fill: impl FnOnce(&mut Screen)) -> String {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut screen = Screen::default();
        fill(&mut screen);
        screen.finish(write.as_fd());
        drop(write);
        std::io::read_to_string(std::fs::File::from(read)).unwrap()
    }

    #[test]
    fn a_raw_terminal_gets_every_byte_as_it_is() {
        let text = "one\r\ntwo\nthree\r";
        assert_eq!(
            written(|screen| screen.show(text.as_bytes(), false)),
            "one\r\ntwo\nthree\r"
        );
    }

    #[test]
    fn a_terminal_that_adds_returns_gets_none_twice() {
        let parts = ["one\r", "\ntwo\r", "50%\r", "\r\nthree\r"];
        let text = written(|screen| {
            for part in parts {
                screen.show(part.as_bytes(), true);
            }
        });
        assert_eq!(text, "one\ntwo\r50%\r\nthree\r");
    }

    #[test]
    fn a_line_of_ours_stands_in_a_line_of_its_own() {
        for (shown, expected) in [
            ("", "notice\r\n"),
            ("prompt> ", "prompt> \r\nnotice\r\n"),
            ("line\r\n", "line\r\nnotice\r\n"),
        ] {
            let text = written(|screen| {
                screen.show(shown.as_bytes(), false);
                screen.tell("notice", false);
            });
            assert_eq!(text, expected);
        }
    }
}
