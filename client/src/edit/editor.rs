//! Which editor it is.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use elevate_protocol::escape;

use super::words::split;
use crate::failure::Failure;

/// Where a person says which editor is theirs; the first that says something counts.
const VARIABLES: [&str; 4] = ["ELEVATE_EDITOR", "SUDO_EDITOR", "VISUAL", "EDITOR"];
/// What is there where they say nothing.
const USUAL: [&str; 3] = ["/usr/bin/editor", "/usr/bin/vi", "/usr/bin/nano"];

/// A program and its first arguments, before the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor(Vec<OsString>);

impl Editor {
    /// The editor of whoever runs this.
    pub fn choose() -> Result<Editor, Failure> {
        choose(
            |name| std::env::var_os(name),
            |path| Path::new(path).exists(),
        )
    }

    pub(super) fn program(&self) -> &OsStr {
        &self.0[0]
    }

    pub(super) fn arguments(&self) -> &[OsString] {
        &self.0[1..]
    }
}

fn choose(
    variable: impl Fn(&str) -> Option<OsString>,
    exists: impl Fn(&str) -> bool,
) -> Result<Editor, Failure> {
    for name in VARIABLES {
        let words = split(variable(name).unwrap_or_default().as_bytes());
        if words.first().is_none_or(Vec::is_empty) {
            continue;
        }
        // It would have files edited beside those that were asked for (CVE-2023-22809). They would be
        // the person's own to write, and no more; but whoever sets this wants something else.
        if words.iter().any(|word| word == b"--") {
            let message = format!("{name} must not contain --: {}", shown(&words));
            let hint = format!("name files on the command line, or unset it: unset {name}");
            return Err(Failure::usage(message).hint(hint));
        }
        return Ok(Editor(words.into_iter().map(OsString::from_vec).collect()));
    }
    match USUAL.into_iter().find(|path| exists(path)) {
        Some(path) => Ok(Editor(vec![path.into()])),
        None => Err(Failure::new("there is no editor here")
            .hint("name yours with: EDITOR=/path/to/editor elevate -e FILE")),
    }
}

fn shown(words: &[Vec<u8>]) -> String {
    escape::command(words.iter().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(set: &[(&str, &str)]) -> Result<Vec<OsString>, Failure> {
        let variable = |name: &str| {
            let found = set.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| OsString::from(value))
        };
        choose(variable, |path| path == "/usr/bin/vi").map(|editor| editor.0)
    }

    #[test]
    fn the_first_variable_that_says_something_counts() {
        let all = [
            ("EDITOR", "ed"),
            ("VISUAL", "vim -u NONE"),
            ("SUDO_EDITOR", " "),
            ("ELEVATE_EDITOR", ""),
        ];
        assert_eq!(chosen(&all).unwrap(), ["vim", "-u", "NONE"]);
        assert_eq!(chosen(&all[..1]).unwrap(), ["ed"]);
        assert_eq!(chosen(&[]).unwrap(), ["/usr/bin/vi"]);
    }

    #[test]
    fn a_variable_that_would_smuggle_a_file_is_refused() {
        let failure = chosen(&[("EDITOR", "vim -- /etc/shadow")]).unwrap_err();
        assert_eq!(failure.status, 2);
        assert_eq!(
            failure.message,
            "EDITOR must not contain --: vim -- /etc/shadow"
        );
        assert!(chosen(&[("EDITOR", "vim '--' x")]).is_err());
        assert!(chosen(&[("EDITOR", "vim --clean")]).is_ok());
    }
}
