//! Times commands that do much, in turn, inside the machine.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use elevate_tests::{Login, Machine};

use super::program;
use super::statistics::Samples;

/// A small program that starts a command and reads what it shows, faster than a terminal can carry it.
const SOURCE: &str = include_str!("bulk.c");

/// One command: its name, whether it gets a terminal, and its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) name: &'static str,
    pub(super) terminal: bool,
    pub(super) words: &'static [&'static str],
}

/// What one command took.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) samples: Samples,
    /// What it showed each time.
    pub(super) bytes: u64,
}

pub(super) fn install(machine: &Machine) -> Result<()> {
    program::install(machine, "bulk", SOURCE, &["-lutil"])
}

/// Runs every job so many `rounds` after a warm-up. A command that fails, or does not always show as
/// much, is an error.
pub(super) fn run(
    login: &Login<'_>,
    jobs: &[Job],
    rounds: usize,
    limit: Duration,
) -> Result<Vec<Done>> {
    let mut list = String::new();
    for job in jobs {
        let place = if job.terminal { "pty" } else { "pipe" };
        writeln!(list, "{place} {}", job.words.join(" "))?;
    }
    let line = format!("{}/bulk {}", program::FOLDER, rounds + 1);
    let output = login.command(&line).stdin(list).timeout(limit).run();
    ensure!(output.status == 0, "{}", output.describe());
    parse(&output.text(), jobs, rounds)
}

fn parse(text: &str, jobs: &[Job], rounds: usize) -> Result<Vec<Done>> {
    let mut times = vec![(Vec::new(), None); jobs.len()];
    for line in text.lines() {
        let numbers: Vec<u64> = line.split(' ').filter_map(|n| n.parse().ok()).collect();
        let &[number, nanoseconds, bytes] = &numbers[..] else {
            bail!("the loop says {line:?}");
        };
        let name = jobs.get(number as usize).context("no such job")?.name;
        let (times, shown) = &mut times[number as usize];
        times.push(Duration::from_nanos(nanoseconds));
        let before = *shown.get_or_insert(bytes);
        ensure!(
            before == bytes,
            "{name} showed {before} bytes, then {bytes}"
        );
    }
    let done = times.into_iter().zip(jobs).map(|((times, shown), job)| {
        ensure!(times.len() == rounds + 1, "{} ran too seldom", job.name);
        Ok(Done {
            samples: Samples::new(times[1..].to_vec()).context("no samples")?,
            bytes: shown.unwrap_or(0),
        })
    });
    done.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: Job = Job {
        name: "cat",
        terminal: true,
        words: &["/bin/cat"],
    };

    #[test]
    fn the_first_round_is_not_counted() {
        let text = "0 9000 5\n1 9 5\n0 3000 5\n1 3 5\n0 1000 5\n1 1 5\n";
        let done = parse(text, &[JOB, JOB], 2).unwrap();
        assert_eq!(done[0].samples.median(), Duration::from_micros(2));
        assert_eq!((done[1].samples.count(), done[1].bytes), (2, 5));
    }

    #[test]
    fn bytes_that_are_lost_and_rounds_that_are_missing_are_no_result() {
        for text in [
            "0 9 5\n0 3 4\n",
            "0 9 5\n",
            "1 9 5\n0 9 5\n",
            "/bin/cat ended with status 256\n",
        ] {
            assert!(parse(text, &[JOB], 1).is_err(), "{text}");
        }
    }
}
