//! The words of a command, and the file that the first of them names.

use crate::command::{Command, usr_merged};
use crate::policy::Policy;

/// Where a program is looked for that is named without a folder: what `secure_path` of
/// elevated.toml is unless it is written otherwise, with `/sbin` and `/bin` as the links that they are.
const FOLDERS: [&str; 4] = [
    "/usr/local/sbin/",
    "/usr/local/bin/",
    "/usr/sbin/",
    "/usr/bin/",
];

/// Splits a command as a shell would, without expanding anything.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' | '"' => {
                let into = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some(next) if next == c => break,
                        Some(next) => into.push(next),
                        None => return Err(format!("`{c}` is not closed")),
                    }
                }
            }
            '\\' => match rest.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("nothing stands behind `\\`".to_owned()),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match words.first() {
        None => Err("it is empty".to_owned()),
        Some(first) if first.contains('/') && !first.starts_with('/') => {
            Err("a command is a whole path, or a name alone".to_owned())
        }
        Some(_) => Ok(words),
    }
}

/// The path that a program stands for: its own, or the one that some rule names.
pub(super) fn path(program: &str, policy: &Policy) -> Result<String, String> {
    if program.starts_with('/') {
        return Ok(program.to_owned());
    }
    let paths = FOLDERS.map(|folder| format!("{folder}{program}"));
    let named = |path: &&String| {
        let commands = policy.rules().iter().flat_map(|rule| &rule.commands);
        let mut literals = commands.flat_map(Command::literal_paths);
        literals.any(|literal| literal == &*usr_merged(path.as_bytes()))
    };
    let named: Vec<_> = paths.iter().filter(named).collect();
    match named[..] {
        [] => Ok(format!("/usr/bin/{program}")),
        [one] => Ok(one.clone()),
        [one, other, ..] => Err(format!(
            "the policy speaks of {one} and of {other}; write out which"
        )),
    }
}
