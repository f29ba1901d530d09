//! `elevatectl policy test`: an admin's own expectations, as a test runner.

use elevate_policy::{Checked, Expectations, Policy};
use serde::Serialize;

use super::{check, count, files};
use crate::cli::Test;
use crate::ctl::output;
use crate::ctl::text::escaped;
use crate::failure::Failure;

/// What became of all expectations.
#[derive(Debug, Serialize)]
struct Report {
    passed: usize,
    failed: usize,
    expectations: Vec<Checked>,
}

/// Test a policy.
pub(in crate::ctl) fn test(asked: &Test) -> Result<(), Failure> {
    let policy = match &asked.policy[..] {
        [] => files::sources_in_force()?,
        paths => files::sources(paths)?,
    };
    let policy = check::loaded(&policy)?;
    let report = run(asked, &policy)?;
    match asked.json {
        true => output::json(&report)?,
        false => output::write(report.lines().as_bytes())?,
    }
    report.outcome()
}

fn run(asked: &Test, policy: &Policy) -> Result<Report, Failure> {
    let zones = files::host().zones;
    let mut expectations = Vec::new();
    for file in &asked.files {
        let source = files::source(file)?;
        match Expectations::parse(&source, &zones) {
            Ok(parsed) => expectations.extend(parsed.check(policy)),
            Err(errors) => return check::refused(&errors, "nothing is tested"),
        }
    }
    Ok(Report::new(expectations))
}

impl Report {
    fn new(expectations: Vec<Checked>) -> Self {
        let failed = expectations
            .iter()
            .filter(|one| one.wrong.is_some())
            .count();
        Self {
            passed: expectations.len() - failed,
            failed,
            expectations,
        }
    }

    fn lines(&self) -> String {
        let mut lines = String::new();
        for Checked { place, text, wrong } in &self.expectations {
            let at = format!("{}:{}", escaped(&place.file), place.line);
            let text = escaped(text);
            lines += &match wrong {
                None => format!("ok    {at}: {text}\n"),
                Some(why) => format!("FAIL  {at}: {text}\n      but: {}\n", escaped(why)),
            };
        }
        lines + &format!("{} passed, {} failed\n", self.passed, self.failed)
    }

    fn outcome(&self) -> Result<(), Failure> {
        match (self.failed, self.passed) {
            // Whoever lost all of their sentences must hear of it.
            (0, 0) => Err(Failure::new("there is no expectation in what was given")),
            (0, _) => Ok(()),
            (failed, passed) => {
                let all = count(failed + passed, "expectation");
                Err(Failure::new(format!("{failed} of {all} failed")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const POLICY: &str = "[role.ops]\nmembers = [\"alice\"]\n[rule.reload]\nroles = [\"ops\"]\n\
                          run_as = \"root\"\ncommands = [\"/usr/bin/id\"]\nrequire = {}\n";

    fn report(folder: &Path, expectations: &str) -> Result<Report, Failure> {
        let (policy, file) = (folder.join("p.toml"), folder.join("e"));
        std::fs::write(&policy, POLICY).unwrap();
        std::fs::write(&file, expectations).unwrap();
        let asked = Test {
            files: vec![file],
            policy: vec![policy],
            json: false,
        };
        let policy = check::loaded(&files::sources(&asked.policy)?)?;
        run(&asked, &policy)
    }

    #[test]
    fn each_expectation_has_its_line_and_those_that_fail_their_reason() {
        let folder = tempfile::tempdir().unwrap();
        let report = report(folder.path(), "alice may \"id\"\n\nalice may not \"id\"\n").unwrap();
        let (file, policy) = (folder.path().join("e"), folder.path().join("p.toml"));
        let (file, policy) = (file.display(), policy.display());
        assert_eq!(
            report.lines(),
            format!(
                "ok    {file}:1: alice may \"id\"\n\
                 FAIL  {file}:3: alice may not \"id\"\n      \
                 but: rule `reload` ({policy}:3:7) allows it, and needs nothing\n\
                 1 passed, 1 failed\n"
            )
        );
        let failure = report.outcome().unwrap_err();
        assert_eq!(
            (failure.status, &*failure.message),
            (1, "1 of 2 expectations failed")
        );
    }

    #[test]
    fn what_cannot_be_read_or_says_nothing_is_no_success() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = report(folder.path(), "# none yet\n").unwrap();
        assert_eq!(nothing.outcome().unwrap_err().status, 1);
        let wrong = report(folder.path(), "alice may id\n").unwrap_err();
        assert!(wrong.message.contains("nothing is tested"), "{wrong}");
    }
}
