//! `elevatectl policy check`: the daemon's own reading of files, and what is suspicious in them.

use elevate_policy::{Defaults, Diagnostic, Diagnostics, Policy, Source, Warning, load};
use serde::Serialize;

use super::{count, files, here};
use crate::cli::Check;
use crate::ctl::output;
use crate::ctl::text::escaped;
use crate::failure::Failure;

/// What a look at files found.
#[derive(Debug, Serialize)]
struct Report {
    /// How many files there are.
    files: usize,
    errors: Diagnostics,
    warnings: Vec<Warning>,
}

/// Check files together, as one policy.
pub(in crate::ctl) fn check(asked: &Check) -> Result<(), Failure> {
    let sources = files::sources(&asked.files)?;
    let (mut errors, mut warnings) = (Diagnostics::default(), Vec::new());
    match load(&sources, &files::host(), &Defaults::default()) {
        Ok(policy) => {
            warnings = policy.suspicions();
            if asked.here {
                errors = look_here(&policy, &mut warnings);
            }
        }
        Err(found) => errors = found,
    }
    let report = Report {
        files: sources.len(),
        errors,
        warnings,
    };
    match asked.json {
        true => output::json(&report)?,
        false => output::write(report.lines().as_bytes())?,
    }
    report.outcome(asked.strict)
}

/// A policy that loads; why it doesn't is written as `check` writes it.
pub(super) fn loaded(sources: &[Source]) -> Result<Policy, Failure> {
    match load(sources, &files::host(), &Defaults::default()) {
        Ok(policy) => Ok(policy),
        Err(errors) => refused(&errors, "such a policy is not loaded"),
    }
}

/// Writes what is wrong with files, of which therefore nothing comes.
pub(super) fn refused<T>(errors: &Diagnostics, so: &str) -> Result<T, Failure> {
    let lines: String = errors.iter().map(|error| line("", error)).collect();
    output::write(lines.as_bytes())?;
    let problems = count(errors.iter().count(), "problem");
    Err(Failure::new(format!("{problems} found; {so}")))
}

/// Compares a policy with this host's files.
fn look_here(policy: &Policy, warnings: &mut Vec<Warning>) -> Diagnostics {
    warnings.extend(policy.writable_commands(here::parts, here::uid));
    warnings.sort();
    policy.check_links(here::resolved)
}

impl Report {
    fn lines(&self) -> String {
        let errors = self.errors.iter().map(|error| line("", error));
        let warnings = self.warnings.iter();
        let warnings = warnings.map(|warning| line("warning: ", &warning.diagnostic));
        let mut lines: String = errors.chain(warnings).collect();
        if self.errors.is_empty() {
            let files = count(self.files, "file");
            lines += &match self.warnings.len() {
                0 => format!("{files} ok\n"),
                many => format!("{files} ok, {}\n", count(many, "warning")),
            };
        }
        lines
    }

    fn outcome(&self, strict: bool) -> Result<(), Failure> {
        let problems = self.errors.iter().count();
        if problems > 0 {
            let problems = count(problems, "problem");
            return Err(Failure::new(format!(
                "{problems} found; such a policy is not loaded"
            )));
        }
        match self.warnings.len() {
            warnings @ 1.. if strict => {
                let warnings = count(warnings, "warning");
                Err(Failure::new(format!(
                    "{warnings}, and --strict lets none pass"
                )))
            }
            _ => Ok(()),
        }
    }
}

fn line(kind: &str, found: &Diagnostic) -> String {
    let (file, message) = (escaped(&found.file), escaped(&found.message));
    let line = format!("{file}:{}:{}: {kind}{message}\n", found.line, found.column);
    match &found.suggestion {
        Some(word) => format!("{line}  help: did you mean `{}`?\n", escaped(word)),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use elevate_policy::HostFacts;

    use super::*;

    fn report(text: &str) -> Report {
        let source = Source {
            name: "a.toml".into(),
            text: text.into(),
        };
        let loaded = load(&[source], &HostFacts::default(), &Defaults::default());
        let (errors, warnings) = match loaded {
            Ok(policy) => (Diagnostics::default(), policy.suspicions()),
            Err(errors) => (errors, Vec::new()),
        };
        Report {
            files: 1,
            errors,
            warnings,
        }
    }

    const EDITOR: &str = "[role.ops]\nmembers = [\"alice\"]\n[rule.edit]\nroles = [\"ops\"]\n\
                          run_as = \"root\"\ncommands = [\"/usr/bin/vim ...\"]\nrequire = {}\n";

    #[test]
    fn a_mistake_is_told_with_its_place_and_the_likely_word() {
        let report = report("[role.dba]\nmembrs = [\"alice\"]\n");
        let lines = report.lines();
        assert!(
            lines.starts_with("a.toml:2:1: unknown key `membrs`"),
            "{lines}"
        );
        assert!(
            lines.ends_with("help: did you mean `members`?\n"),
            "{lines}"
        );
        let failure = report.outcome(false).unwrap_err();
        assert_eq!(failure.status, 1);
    }

    #[test]
    fn a_warning_passes_unless_it_must_not() {
        let report = report(EDITOR);
        let lines = report.lines();
        assert!(
            lines.starts_with("a.toml:6:13: warning: this hands out"),
            "{lines}"
        );
        assert!(lines.ends_with("1 file ok, 1 warning\n"), "{lines}");
        assert_eq!(report.outcome(false), Ok(()));
        assert_eq!(report.outcome(true).unwrap_err().status, 1);
    }

    #[test]
    fn in_json_a_warning_says_which_kind_it_is() {
        let json = serde_json::to_value(report(EDITOR)).unwrap();
        assert_eq!(json["errors"], serde_json::json!([]));
        let warning = &json["warnings"][0];
        assert_eq!(
            (&warning["kind"], &warning["line"]),
            (&"root-shell".into(), &6.into())
        );
        assert_eq!(warning["word"], "/usr/bin/vim ...");
    }
}
