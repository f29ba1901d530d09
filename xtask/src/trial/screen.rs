//! What a terminal would show of the bytes that a program wrote to it, as plain lines.

/// The lines on the screen after all of `text`: carriage returns write over, erased text is gone,
/// and colours are left out. Enough for prompts, status lines and programs that fill a screen from
/// its top.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut screen = Screen::default();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\x1b' => screen.escape(&mut rest),
            '\r' => screen.column = 0,
            '\n' => screen.next_line(),
            '\x08' => screen.column = screen.column.saturating_sub(1),
            other if other.is_control() => {}
            other => screen.put(other),
        }
    }
    screen.finish()
}

#[derive(Default)]
struct Screen {
    done: Vec<String>,
    line: Vec<char>,
    column: usize,
}

impl Screen {
    fn put(&mut self, character: char) {
        self.line.resize(self.line.len().max(self.column + 1), ' ');
        self.line[self.column] = character;
        self.column += 1;
    }

    fn next_line(&mut self) {
        let line: String = std::mem::take(&mut self.line).into_iter().collect();
        self.done.push(line.trim_end().to_owned());
        self.column = 0;
    }

    /// An escape sequence (ECMA-48), of which only those that move text matter here.
    fn escape(&mut self, rest: &mut std::str::Chars<'_>) {
        match rest.next() {
            Some('[') => {
                let mut parameters = String::new();
                for character in rest.by_ref() {
                    if ('\x40'..='\x7e').contains(&character) {
                        return self.control(&parameters, character);
                    }
                    parameters.push(character);
                }
            }
            // A title or the like, up to BEL or ESC \.
            Some(']') => {
                let is_end = |character: &char| *character == '\x07' || *character == '\\';
                rest.by_ref().find(is_end);
            }
            // The choice of a character set has one more character.
            Some('(' | ')') => drop(rest.next()),
            _ => {}
        }
    }

    fn control(&mut self, parameters: &str, function: char) {
        match (function, parameters) {
            // To the top: a new picture.
            ('H', "" | "1;1") => *self = Self::default(),
            ('H', _) => self.next_line(),
            ('K', "" | "0") => self.line.truncate(self.column),
            ('K', "2") => self.line.clear(),
            _ => {}
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.next_line();
        let is_empty = |line: &String| line.is_empty();
        let last = self.done.iter().rposition(|line| !is_empty(line));
        self.done.truncate(last.map_or(0, |last| last + 1));
        let first = self.done.iter().position(|line| !is_empty(line));
        self.done.split_off(first.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_status_line_shows_its_last_state() {
        let text = "\rwaiting · 0:09 left\x1b[K\rwaiting · 0:08 left\x1b[K";
        assert_eq!(lines(text), ["waiting · 0:08 left"]);
        let text = format!("{text}\r\x1b[Kbob approved\r\nok\r\n");
        assert_eq!(lines(&text), ["bob approved", "ok"]);
    }

    #[test]
    fn colours_and_titles_are_left_out() {
        let text = "\x1b]0;a title\x07\x1b[1;31mred\x1b(B\x1b[m\r\n\x1b=\r\nplain";
        assert_eq!(lines(text), ["red", "", "plain"]);
    }

    #[test]
    fn a_program_that_fills_the_screen_shows_its_last_picture() {
        let text = "$ top\r\n\x1b[H\x1b[Jold\x1b[K\r\n\x1b[Hnew\x1b[K\r\nrow\x1b[24;1H\r\n";
        assert_eq!(lines(text), ["new", "row"]);
    }

    #[test]
    fn a_sequence_that_is_cut_off_shows_nothing() {
        assert_eq!(lines("a\x1b[3"), ["a"]);
        assert!(lines("\x1b").is_empty());
        assert!(lines("").is_empty());
    }
}
