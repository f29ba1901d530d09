//! From the text of a command to what it matches.

use super::pattern::Pattern;
use super::pin::Pin;
use super::words::{Unit, Word, split};
use super::{Command, CommandError, Run, Shape};
use crate::diagnostic::Place;
use crate::limits::MAX_PATTERN;

impl Command {
    /// Reads one entry of `commands` that is not an alias; `sha256:HASH` and a space before it is
    /// what the file must be.
    pub(crate) fn parse(text: &str, place: Place) -> Result<Self, CommandError> {
        let (pin, command) = Pin::split(text)?;
        let shape = match command {
            "ALL" => Shape::Anything,
            "SHELL" => Shape::Shell,
            command => Shape::Run(run(command)?),
        };
        Ok(Self {
            text: text.to_owned(),
            place,
            pin,
            shape,
        })
    }
}

const HOW: &str = "a command begins with its whole path, as in `/usr/bin/systemctl`";

fn run(text: &str) -> Result<Run, CommandError> {
    if text.len() > MAX_PATTERN {
        return Err(CommandError::new(format!(
            "it is longer than {MAX_PATTERN} bytes"
        )));
    }
    if let Some(word) = ["ALL", "SHELL"]
        .iter()
        .find(|word| word.eq_ignore_ascii_case(text))
    {
        return Err(CommandError {
            what: "a command begins with its whole path".into(),
            suggestion: Some((*word).into()),
        });
    }
    if text.starts_with('!') {
        return Err(CommandError::new(
            "there is no `!` here; write a rule of its own with `effect = \"deny\"`",
        ));
    }
    let words = split(text)?;
    let Some((path, args)) = words.split_first() else {
        return Err(CommandError::new(
            "it is empty; write a path, `ALL` or `SHELL`",
        ));
    };
    if words.iter().any(ends_with_glued_ellipsis) {
        return Err(CommandError::new(
            "a word ends with `...`; put a space before it for any further arguments, or quote \
             it to mean itself",
        ));
    }
    let (args, more) = without_ellipsis(args);
    Ok(Run {
        path: Pattern::path(path, HOW)?,
        args: arguments(args)?,
        more,
    })
}

fn without_ellipsis(args: &[Word]) -> (&[Word], bool) {
    match args.split_last() {
        Some((last, before)) if is_ellipsis(last) => (before, true),
        _ => (args, false),
    }
}

fn arguments(args: &[Word]) -> Result<Vec<Pattern>, CommandError> {
    let mut patterns = Vec::with_capacity(args.len());
    for arg in args {
        if is_ellipsis(arg) {
            return Err(CommandError::new(
                "`...` (any further arguments) stands at the end only",
            ));
        }
        patterns.push(Pattern::argument(arg)?);
    }
    Ok(patterns)
}

const DOTS: [Unit; 3] = [Unit::Char('.'); 3];

fn is_ellipsis(word: &Word) -> bool {
    !word.quoted && word.units == DOTS
}

fn ends_with_glued_ellipsis(word: &Word) -> bool {
    !word.quoted && word.units.len() > 3 && word.units.ends_with(&DOTS)
}
