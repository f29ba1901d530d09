//! Many execs: what the log of them adds to each, beside sudo's and beside what the kernel's
//! notification alone adds.

use std::time::Duration;

use anyhow::Result;
use elevate_tests::Machine;
use serde_json::{Value, json};

use super::cases::USER;
use super::program;
use super::runner::{self, Done, Job};
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "execs";
/// Each case runs so often, after a warm-up.
const ROUNDS: usize = 5;
const LIMIT: Duration = Duration::from_secs(400);
/// Execs of the script.
const EXECS: u32 = 1000;
/// Ours adds at most this much of what sudo's does.
const GOAL: f64 = 0.15;

const NOTIFIED: &str = include_str!("notified.c");

const SUDOERS: &str = "
Defaults!/opt/bench/execs/logged log_subcmds
";

const POLICY: &str = r#"
[role.execs]
members = ["ben"]

[rule.execs-logged]
roles    = ["execs"]
run_as   = "root"
commands = ["/opt/bench/execs/logged"]
require  = {}

[rule.execs-unlogged]
roles    = ["execs"]
run_as   = "root"
commands = ["/opt/bench/execs/plain"]
require  = {}
session  = { execs = "none" }
"#;

const PLAIN: &str = "/opt/bench/execs/plain";
const LOGGED: &str = "/opt/bench/execs/logged";

const fn job(name: &'static str, words: &'static [&'static str]) -> Job {
    Job {
        name,
        terminal: false,
        words,
    }
}

/// In pairs: without and with.
const JOBS: &[Job] = &[
    job("as oneself", &[PLAIN]),
    job(
        "the kernel's notification alone",
        &["/usr/local/lib/bench/notified", PLAIN],
    ),
    job("elevate", &["/usr/bin/elevate", PLAIN]),
    job("elevate, logged", &["/usr/bin/elevate", LOGGED]),
    job("sudo", &["/usr/bin/sudo", "-n", PLAIN]),
    job("sudo, log_subcmds", &["/usr/bin/sudo", "-n", LOGGED]),
];

/// What each case took.
#[derive(Debug)]
pub(super) struct ManyExecs(Vec<Done>);

/// Measures in `machine`, whose user is prepared.
pub(super) fn measure(machine: &Machine) -> Result<ManyExecs> {
    runner::install(machine)?;
    program::install(machine, "notified", NOTIFIED, &[])?;
    let script =
        format!("#!/bin/sh\ni=0; while [ $i -lt {EXECS} ]; do /usr/bin/true; i=$((i+1)); done\n");
    for path in [PLAIN, LOGGED] {
        machine.write(path, &script, 0o755);
    }
    machine.write("/etc/sudoers.d/execs", SUDOERS, 0o440);
    machine.write("/etc/elevate/policy.d/execs.toml", POLICY, 0o644);
    eprintln!("measuring ({NAME}) ...");
    let done = runner::run(&machine.login(USER), JOBS, ROUNDS, LIMIT)?;
    Ok(ManyExecs(done))
}

impl ManyExecs {
    /// Microseconds that the job of this number takes for each exec.
    fn each(&self, number: usize) -> f64 {
        self.0[number].samples.median().as_secs_f64() * 1e6 / f64::from(EXECS)
    }

    /// What the second of a pair adds to each.
    fn added(&self, pair: usize) -> f64 {
        self.each(2 * pair + 1) - self.each(2 * pair)
    }

    /// What the kernel, we and sudo add.
    fn all_added(&self) -> [f64; 3] {
        [0, 1, 2].map(|pair| self.added(pair))
    }

    /// Where sudo's log seems to cost nothing, the noise was greater than what is measured: nothing
    /// is reached then.
    fn ratio(&self) -> f64 {
        let [_, ours, theirs] = self.all_added();
        if theirs > 0.0 {
            ours / theirs
        } else {
            f64::INFINITY
        }
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["", ">median ms", ">p95 ms", ">us each", ">us added"]);
        for (number, (job, done)) in JOBS.iter().zip(&self.0).enumerate() {
            let milliseconds = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e3);
            let added = match number % 2 {
                0 => "-".to_owned(),
                _ => format!("{:.0}", self.added(number / 2)),
            };
            table.push([
                job.name.to_owned(),
                milliseconds(done.samples.median()),
                milliseconds(done.samples.p95()),
                format!("{:.0}", self.each(number)),
                added,
            ]);
        }
        table
    }

    pub(super) fn title() -> String {
        format!("{EXECS} execs of a shell's:")
    }

    pub(super) fn verdict(&self) -> (bool, String) {
        let [kernel, ours, theirs] = self.all_added();
        let is = self.ratio();
        let text = format!(
            "exec log: {ours:.0} us added to each, {is:.2} of sudo log_subcmds' {theirs:.0} us, goal \
             {GOAL:.2} (the kernel's notification alone: {kernel:.0} us)"
        );
        (is <= GOAL, text)
    }

    pub(super) fn json(&self) -> Value {
        let cases = JOBS.iter().zip(&self.0).map(|(job, done)| {
            json!({
                "name": job.name,
                "samples": done.samples.count(),
                "median_us": done.samples.median().as_secs_f64() * 1e6,
                "p95_us": done.samples.p95().as_secs_f64() * 1e6,
            })
        });
        let [kernel, ours, theirs] = self.all_added();
        json!({
            "execs": EXECS,
            "cases": cases.collect::<Vec<_>>(),
            "added_us": {"kernel": kernel, "elevate": ours, "sudo": theirs},
            "ratio": self.ratio(),
            "goal": GOAL,
            "met": self.ratio() <= GOAL,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::statistics::Samples;
    use super::*;

    #[test]
    fn what_a_log_adds_is_what_its_pair_takes_longer_for_each_exec() {
        let done = [100, 120, 300, 340, 300, 500].map(|milliseconds| Done {
            samples: Samples::new(vec![Duration::from_millis(milliseconds)]).unwrap(),
            bytes: 0,
        });
        let execs = ManyExecs(done.into());
        assert_eq!(execs.all_added().map(f64::round), [20.0, 40.0, 200.0]);
        assert!(!execs.verdict().0 && execs.verdict().1.contains("0.20"));
        assert_eq!(execs.json()["met"], false);
    }

    #[test]
    fn noise_reaches_no_goal() {
        let done = [100, 90, 300, 310, 300, 290].map(|milliseconds| Done {
            samples: Samples::new(vec![Duration::from_millis(milliseconds)]).unwrap(),
            bytes: 0,
        });
        assert!(!ManyExecs(done.into()).verdict().0);
    }
}
