//! `elevatectl policy check`: the daemon's own reading of files, without the daemon.

use std::path::PathBuf;

use elevate_policy::{Defaults, Diagnostics, HostFacts, Source, TimeZoneDatabase, load};
use elevate_protocol::{escape, paths};
use std::os::unix::ffi::OsStrExt as _;

use super::output;
use crate::failure::Failure;

/// Check `files` together, as one policy.
pub(super) fn check(files: &[PathBuf]) -> Result<(), Failure> {
    let sources = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let host = HostFacts {
        zones: TimeZoneDatabase::from_dir(paths::ZONES)
            .unwrap_or_else(|_| TimeZoneDatabase::none()),
        ..HostFacts::default()
    };
    match load(&sources, &host, &Defaults::default()) {
        Ok(_) => output::line(&format!("{} ok", count(files.len(), "file"))),
        Err(diagnostics) => {
            output::write(lines(&diagnostics).as_bytes())?;
            let problems = count(diagnostics.iter().count(), "problem");
            Err(Failure::new(format!(
                "{problems} found; such a policy is not loaded"
            )))
        }
    }
}

fn read(file: &PathBuf) -> Result<Source, Failure> {
    let name = escape::line(file.as_os_str().as_bytes());
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Source { name, text }),
        Err(error) => Err(Failure::new(format!("{name}: {error}"))),
    }
}

fn lines(diagnostics: &Diagnostics) -> String {
    let mut lines = String::new();
    for problem in diagnostics {
        let (file, message) = (escaped(&problem.file), escaped(&problem.message));
        lines += &format!("{file}:{}:{}: {message}\n", problem.line, problem.column);
        if let Some(word) = &problem.suggestion {
            lines += &format!("  help: did you mean `{}`?\n", escaped(word));
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    super::text::escaped(text)
}

fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_place_and_the_likely_word() {
        let source = Source {
            name: "a.toml".into(),
            text: "[role.dba]\nmembrs = [\"alice\"]\n".into(),
        };
        let wrong = load(&[source], &HostFacts::default(), &Defaults::default()).unwrap_err();
        let lines = lines(&wrong);
        assert!(lines.starts_with("a.toml:2:1: "), "{lines}");
        assert!(lines.contains("help: did you mean `members`?"), "{lines}");
    }
}
