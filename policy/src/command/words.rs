//! A command of the policy as shell words: quotes and backslashes as sh(1) reads them, and
//! wildcards where they stand unquoted.

use super::CommandError;

/// One piece of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A character that stands for itself.
    Char(char),
    /// `*`
    Star,
    /// `**`
    DoubleStar,
    /// An unquoted `{`
    Open,
    /// An unquoted `,`; only braces give it a meaning
    Comma,
    /// An unquoted `}`
    Close,
}

/// One word as written.
#[derive(Clone, Debug, Default)]
pub(super) struct Word {
    pub(super) units: Vec<Unit>,
    /// Whether any part stood in quotes or behind a backslash, so that `'...'` is itself.
    pub(super) quoted: bool,
}

// A shell would do something with these, we would not: silence here would be a rule that says
// something else than its author meant.
const SHELL_ONLY: &[char] = &[
    '?', '[', ']', '$', '`', ';', '|', '&', '<', '>', '(', ')', '!',
];

/// Splits a command into words.
pub(super) fn split(text: &str) -> Result<Vec<Word>, CommandError> {
    let mut splitter = Splitter {
        rest: text.chars().peekable(),
        words: Vec::new(),
        word: None,
    };
    while let Some(c) = splitter.rest.next() {
        splitter.take(c)?;
    }
    splitter.end_word();
    Ok(splitter.words)
}

struct Splitter<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    words: Vec<Word>,
    word: Option<Word>,
}

impl Splitter<'_> {
    fn take(&mut self, c: char) -> Result<(), CommandError> {
        match c {
            '\0' => return Err(CommandError::new("an argument cannot hold a NUL")),
            ' ' | '\t' | '\n' | '\r' => self.end_word(),
            '\'' => self.single_quoted()?,
            '"' => self.double_quoted()?,
            '\\' => {
                let escaped = self.rest.next().ok_or_else(|| unfinished('\\'))?;
                self.push_quoted(escaped)?;
            }
            '*' => self.stars()?,
            '{' => self.push(Unit::Open),
            ',' => self.push(Unit::Comma),
            '}' => self.push(Unit::Close),
            '~' if self.word.is_none() => return Err(shell_only('~')),
            c if SHELL_ONLY.contains(&c) => return Err(shell_only(c)),
            c => self.push(Unit::Char(c)),
        }
        Ok(())
    }

    fn push(&mut self, unit: Unit) {
        self.word.get_or_insert_default().units.push(unit);
    }

    fn push_quoted(&mut self, c: char) -> Result<(), CommandError> {
        if c == '\0' {
            return Err(CommandError::new("an argument cannot hold a NUL"));
        }
        self.push(Unit::Char(c));
        self.word.get_or_insert_default().quoted = true;
        Ok(())
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn single_quoted(&mut self) -> Result<(), CommandError> {
        self.word.get_or_insert_default().quoted = true;
        loop {
            match self.rest.next().ok_or_else(|| unfinished('\''))? {
                '\'' => return Ok(()),
                c => self.push_quoted(c)?,
            }
        }
    }

    fn double_quoted(&mut self) -> Result<(), CommandError> {
        self.word.get_or_insert_default().quoted = true;
        loop {
            match self.rest.next().ok_or_else(|| unfinished('"'))? {
                '"' => return Ok(()),
                '\\' => {
                    let next = self.rest.next().ok_or_else(|| unfinished('"'))?;
                    if !matches!(next, '"' | '\\' | '$' | '`') {
                        self.push_quoted('\\')?;
                    }
                    self.push_quoted(next)?;
                }
                c => self.push_quoted(c)?,
            }
        }
    }

    // Stars are joined here, before braces are taken apart: `*{,x}*` never becomes `**`.
    fn stars(&mut self) -> Result<(), CommandError> {
        let mut count = 1;
        while self.rest.next_if_eq(&'*').is_some() {
            count += 1;
        }
        match count {
            1 => self.push(Unit::Star),
            2 => self.push(Unit::DoubleStar),
            _ => return Err(CommandError::new("`***` means nothing; write `*` or `**`")),
        }
        Ok(())
    }
}

fn unfinished(c: char) -> CommandError {
    CommandError::new(format!("`{c}` is not closed"))
}

fn shell_only(c: char) -> CommandError {
    CommandError::new(format!(
        "no shell reads this, so an unquoted `{c}` has no meaning here; quote it to mean itself"
    ))
}
