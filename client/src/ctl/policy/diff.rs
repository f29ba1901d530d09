//! `elevatectl policy diff`: who gains and who loses what.

use std::path::PathBuf;

use elevate_policy::Policy;
use elevate_policy::difference::{Change, Demands, Detail, Difference, Kind, Who};

use super::{check, count, files};
use crate::cli::Diff;
use crate::ctl::output;
use crate::ctl::text::escaped;
use crate::failure::Failure;

/// As diff(1) ends where it cannot compare.
const TROUBLE: u8 = 2;

/// Compare two policies.
pub(in crate::ctl) fn diff(asked: &Diff) -> Result<(), Failure> {
    let trouble = |failure: Failure| Failure {
        status: TROUBLE,
        ..failure
    };
    let old = read(&asked.old).map_err(trouble)?;
    let new = read(&asked.new).map_err(trouble)?;
    let difference = old.difference(&new);
    match asked.json {
        true => output::json(&difference)?,
        false => output::write(lines(&difference).as_bytes())?,
    }
    match difference.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(summary(&difference))),
    }
}

fn read(path: &PathBuf) -> Result<Policy, Failure> {
    check::loaded(&files::sources(std::slice::from_ref(path))?)
}

fn lines(difference: &Difference) -> String {
    let mut lines = String::new();
    let mut last: Option<&Who> = None;
    for change in &difference.changes {
        if last != Some(&change.who) {
            lines += &format!("{}\n", escaped(&change.who.to_string()));
            last = Some(&change.who);
        }
        lines += &told(change);
    }
    lines
}

fn told(change: &Change) -> String {
    let deed = escaped(&change.deed.to_string());
    match change.kind {
        Kind::Gained => {
            let terms: Vec<_> = change.details.iter().map(term).collect();
            match terms.is_empty() {
                true => format!("  + {deed}\n"),
                false => format!("  + {deed} ({})\n", terms.join(", ")),
            }
        }
        Kind::Lost => format!("  - {deed}\n"),
        Kind::Forbidden => format!("  ! {deed}: forbidden now\n"),
        Kind::NoLongerForbidden => format!("  ! {deed}: no longer forbidden\n"),
        Kind::Changed => {
            let details = change.details.iter().map(detail);
            format!("  ~ {deed}\n{}", details.collect::<String>())
        }
    }
}

/// What is owed or lent, of something new: `require.mfa 15m`.
fn term(detail: &Detail) -> String {
    let now = detail.now.as_deref().unwrap_or("none");
    let under = detail
        .under
        .as_deref()
        .map(|under| format!(" with {}", escaped(under)));
    format!(
        "{} {}{}",
        detail.key,
        escaped(now),
        under.unwrap_or_default()
    )
}

fn detail(detail: &Detail) -> String {
    let value = |text: &Option<String>| escaped(text.as_deref().unwrap_or("none"));
    let (was, now) = (value(&detail.was), value(&detail.now));
    let demands = match detail.demands {
        Demands::More => "more: ",
        Demands::Less => "less: ",
        Demands::Other => "",
    };
    let under = detail
        .under
        .as_deref()
        .map(|under| format!(" (with {})", escaped(under)));
    let under = under.unwrap_or_default();
    format!("      {demands}{} was {was}, is {now}{under}\n", detail.key)
}

fn summary(difference: &Difference) -> String {
    let number = |kinds: &[Kind]| {
        let of_it = |change: &&Change| kinds.contains(&change.kind);
        difference.changes.iter().filter(of_it).count()
    };
    let parts = [
        (number(&[Kind::Gained]), "gained"),
        (number(&[Kind::Lost]), "lost"),
        (number(&[Kind::Changed]), "changed"),
        (
            number(&[Kind::Forbidden, Kind::NoLongerForbidden]),
            "of denies",
        ),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    let all = count(difference.changes.len(), "difference");
    format!("{all}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &tempfile::TempDir, name: &str, rest: &str) -> PathBuf {
        let path = folder.path().join(name);
        let text = format!(
            "[role.ops]\nmembers = [\"alice\"]\n[rule.a]\nroles = [\"ops\"]\nrun_as = \"root\"\n{rest}\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    fn asked(old: PathBuf, new: PathBuf) -> Diff {
        let json = false;
        Diff { old, new, json }
    }

    #[test]
    fn what_differs_is_told_role_by_role_and_the_end_is_that_of_diff() {
        let folder = tempfile::tempdir().unwrap();
        let old = written(
            &folder,
            "old",
            "commands = [\"/usr/bin/{id,w}\"]\nrequire = { mfa = \"1h\" }",
        );
        let new = written(
            &folder,
            "new",
            "commands = [\"/usr/bin/{id,ls}\"]\nrequire = { reason = true }",
        );
        let difference = read(&old).unwrap().difference(&read(&new).unwrap());
        assert_eq!(
            lines(&difference),
            "role ops\n  \
             ~ /usr/bin/id as root\n      \
             less: require.mfa was 1h, is none\n      \
             more: require.reason was false, is true\n  \
             + /usr/bin/ls as root (limit.max 8h, require.reason true)\n  \
             - /usr/bin/w as root\n"
        );
        assert_eq!(
            summary(&difference),
            "3 differences: 1 gained, 1 lost, 1 changed"
        );
        assert_eq!(
            diff(&asked(old.clone(), new.clone())).unwrap_err().status,
            1
        );
        assert_eq!(diff(&asked(old.clone(), old.clone())), Ok(()));
        let nowhere = folder.path().join("nowhere");
        assert_eq!(diff(&asked(old, nowhere)).unwrap_err().status, 2);
    }
}
