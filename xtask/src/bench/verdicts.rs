//! Verdicts over many rules, beside sudo's over as many lines.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::{Machine, target_dir};
use serde_json::{Value, json};

use super::cases::{Case, USER};
use super::program::FOLDER;
use super::statistics::ratio;
use super::timing::{self, Place};
use crate::command::{cargo, succeed};
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "verdicts";
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// What the goals are about.
const MOST: usize = 10_000;
const LOADING: Duration = Duration::from_millis(200);
const VERDICT: Duration = Duration::from_micros(50);
const OF_SUDO: f64 = 0.002;
/// How often sudo is asked.
const ROUNDS: usize = 40;

const SUDOERS: &str = "/etc/sudoers.d/many";
const LAST: &str = "/opt/bench/last";
const ASK: Case = Case {
    name: "sudo -n -l",
    argv: &["/usr/bin/sudo", "-n", "-l", LAST],
};

/// So many rules, and as many lines of sudo's.
#[derive(Debug)]
struct Row {
    rules: usize,
    loading: Duration,
    median: Duration,
    p99: Duration,
    sudo: Duration,
}

#[derive(Debug)]
pub(super) struct Verdicts(Vec<Row>);

/// Measures in `machine`, whose user is prepared.
pub(super) fn measure(machine: &Machine) -> Result<Verdicts> {
    let build = [
        "build",
        "--release",
        "--package",
        "elevate-policy",
        "--example",
        NAME,
    ];
    succeed(&mut cargo(&build))?;
    let built = target_dir().join("release/examples").join(NAME);
    let program = std::fs::read(&built).with_context(|| built.display().to_string())?;
    machine.write(&format!("{FOLDER}/{NAME}"), program, 0o755);
    machine.write(LAST, "#!/bin/sh\n", 0o755);
    eprintln!("measuring ({NAME}) ...");
    let ours = ours(machine)?;
    let rows = ours
        .into_iter()
        .map(|(rules, times)| row(machine, rules, times));
    let rows = rows.collect::<Result<_>>();
    machine.run(&["rm", "-f", SUDOERS]).success();
    rows.map(Verdicts)
}

/// Loading, the median and the 99th percentile of each number of rules.
fn ours(machine: &Machine) -> Result<Vec<(usize, [Duration; 3])>> {
    let sizes = SIZES.map(|size| size.to_string());
    let program = format!("{FOLDER}/{NAME}");
    let words: Vec<&str> = [program.as_str()]
        .into_iter()
        .chain(sizes.iter().map(String::as_str))
        .collect();
    let output = machine.run(&words);
    ensure!(output.status == 0, "{}", output.describe());
    let rows: Vec<_> = output.text().lines().map(parse).collect::<Result<_>>()?;
    ensure!(rows.len() == SIZES.len(), "{}", output.describe());
    Ok(rows)
}

fn parse(line: &str) -> Result<(usize, [Duration; 3])> {
    let numbers: Vec<u64> = line
        .split(' ')
        .map(|word| Ok(word.parse()?))
        .collect::<Result<_>>()?;
    match numbers[..] {
        [rules, loading, median, p99] => {
            let times = [loading, median, p99].map(Duration::from_nanos);
            Ok((rules as usize, times))
        }
        _ => anyhow::bail!("the program says {line:?}"),
    }
}

fn row(machine: &Machine, rules: usize, [loading, median, p99]: [Duration; 3]) -> Result<Row> {
    machine.write(SUDOERS, sudoers(rules), 0o440);
    let login = machine.login(USER);
    let measured = timing::measure(&login, Place::Pipes, &[&ASK], ROUNDS)?;
    let sudo = measured.first().and_then(|one| one.as_ref().ok());
    Ok(Row {
        rules,
        loading,
        median,
        p99,
        sudo: sudo.context("sudo -n -l fails")?.median(),
    })
}

/// Lines for as many users and programs; the last one is the bench's user's.
fn sudoers(lines: usize) -> String {
    let mut text = String::new();
    for line in 1..lines {
        let _ = writeln!(
            text,
            "user{} ALL=(root) /opt/bench/tool{line} restart service{line}",
            line % 500
        );
    }
    text + USER + " ALL=(root) NOPASSWD: " + LAST + "\n"
}

impl Verdicts {
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&[
            ">rules",
            ">load ms",
            ">median us",
            ">p99 us",
            ">sudo -n -l ms",
            ">p99 of sudo",
        ]);
        let microseconds = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e6);
        let milliseconds = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
        for row in &self.0 {
            table.push([
                row.rules.to_string(),
                milliseconds(row.loading),
                microseconds(row.median),
                microseconds(row.p99),
                milliseconds(row.sudo),
                format!("{:.5}", ratio(row.p99, row.sudo)),
            ]);
        }
        table
    }

    pub(super) fn verdicts(&self) -> Vec<(bool, String)> {
        let Some(most) = self.0.iter().find(|row| row.rules == MOST) else {
            return Vec::new();
        };
        let of_sudo = ratio(most.p99, most.sudo);
        vec![
            (
                most.loading <= LOADING,
                format!(
                    "loading {MOST} rules: {:.0?}, goal {LOADING:?}",
                    most.loading
                ),
            ),
            (
                most.p99 <= VERDICT,
                format!(
                    "a verdict over {MOST} rules, p99: {:.1?}, goal {VERDICT:?}",
                    most.p99
                ),
            ),
            (
                of_sudo <= OF_SUDO,
                format!("that beside sudo -n -l: {of_sudo:.5}, goal {OF_SUDO}"),
            ),
        ]
    }

    pub(super) fn json(&self) -> Value {
        let rows = self.0.iter().map(|row| {
            json!({
                "rules": row.rules,
                "loading_us": row.loading.as_secs_f64() * 1e6,
                "median_us": row.median.as_secs_f64() * 1e6,
                "p99_us": row.p99.as_secs_f64() * 1e6,
                "sudo_us": row.sudo.as_secs_f64() * 1e6,
            })
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_says_is_a_row_or_no_result() {
        let (rules, times) = parse("10 2000 30 40").unwrap();
        assert_eq!(rules, 10);
        assert_eq!(times.map(|time| time.as_nanos()), [2000, 30, 40]);
        for wrong in ["", "10 2000 30", "10 2000 30 x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sudo_gets_as_many_lines() {
        for lines in SIZES {
            assert_eq!(sudoers(lines).lines().count(), lines);
        }
    }

    #[test]
    fn goals_are_about_the_most_rules() {
        let row = |rules, p99| Row {
            rules,
            loading: Duration::from_millis(150),
            median: Duration::from_micros(1),
            p99: Duration::from_micros(p99),
            sudo: Duration::from_millis(25),
        };
        let met = |row| {
            Verdicts(vec![row])
                .verdicts()
                .iter()
                .map(|one| one.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(met(row(MOST, 40)), [true, true, true]);
        assert_eq!(met(row(MOST, 60)), [true, false, false]);
        assert!(met(row(10, 60)).is_empty());
    }
}
