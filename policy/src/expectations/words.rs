//! The words of a line.

use crate::diagnostic::Place;
use crate::load::{Problems, Word};

/// A word, and whether it stood in quotes.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) word: Word,
    pub(super) quoted: bool,
}

impl Token {
    /// Whether it is this word of the language, which is never quoted.
    pub(super) fn is(&self, text: &str) -> bool {
        !self.quoted && self.word.text == text
    }
}

/// Words are separated by spaces and commas. In quotes anything stands for
/// itself, `\` before `"` and `\` apart. `#` begins a comment.
pub(super) fn split(line: &str, place: &Place, problems: &Problems) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = line.chars().enumerate().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '#' => break,
            ' ' | '\t' | ',' | '\r' => {}
            '"' => {
                let (text, closed) = quoted(&mut rest);
                let token = token(text, true, at, place);
                if !closed {
                    problems.add(&token.word, "a quote is not closed on its line");
                }
                tokens.push(token);
            }
            c => {
                let mut text = String::from(c);
                let goes_on = |(_, c): &(usize, char)| !" \t,\r\"#".contains(*c);
                while let Some((_, c)) = rest.next_if(goes_on) {
                    text.push(c);
                }
                tokens.push(token(text, false, at, place));
            }
        }
    }
    tokens
}

fn quoted(rest: &mut impl Iterator<Item = (usize, char)>) -> (String, bool) {
    let mut text = String::new();
    while let Some((_, c)) = rest.next() {
        match c {
            '"' => return (text, true),
            '\\' => match rest.next() {
                Some((_, c @ ('"' | '\\'))) => text.push(c),
                Some((_, c)) => text.extend(['\\', c]),
                None => break,
            },
            c => text.push(c),
        }
    }
    (text, false)
}

fn token(text: String, quoted: bool, at: usize, line: &Place) -> Token {
    let column = u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1);
    let place = Place {
        column,
        ..line.clone()
    };
    Token {
        word: Word { text, place },
        quoted,
    }
}
