//! Much output through a terminal: what recording it costs beside sudo's, for one user in one
//! machine.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::{Login, Machine};
use serde_json::{Value, json};

use super::cases::USER;
use super::runner::{self, Done, Job};
use super::statistics::ratio;
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "bytes through a terminal";
/// Each case runs so often, after a warm-up.
const ROUNDS: usize = 5;
/// The same for each amount of bytes.
const GROWTH_ROUNDS: usize = 3;
const LIMIT: Duration = Duration::from_secs(400);
/// Bytes that are shown.
const BYTES: usize = 100_000_000;

/// The same program under a name for each way of running it: settings go by the name.
const FOLDER: &str = "/opt/bench/bulk";

const SUDOERS: &str = "
Defaults!/opt/bench/bulk/cat-logged log_output
";

const POLICY: &str = r#"
[role.bulk]
members = ["ben"]

[rule.bulk-recorded]
roles    = ["bulk"]
run_as   = "root"
commands = ["/opt/bench/bulk/cat-logged ..."]
require  = {}

[rule.bulk-unrecorded]
roles    = ["bulk"]
run_as   = "root"
commands = ["/opt/bench/bulk/cat ..."]
require  = {}
session  = { record = "none", execs = "none" }
"#;

const TEXT: &str = "/opt/bench/bulk/text";
const TENTH: &str = "/opt/bench/bulk/tenth";
const CAT: &str = "/opt/bench/bulk/cat";
const LOGGED: &str = "/opt/bench/bulk/cat-logged";

const RECORDED: &str = "elevate cat, recorded";
const SUDO: &str = "sudo cat";
const SUDO_LOGGED: &str = "sudo cat, log_output";

const fn job(name: &'static str, words: &'static [&'static str]) -> Job {
    Job {
        name,
        terminal: true,
        words,
    }
}

const JOBS: &[Job] = &[
    job("cat, as oneself", &[CAT, TEXT]),
    job(RECORDED, &["/usr/bin/elevate", LOGGED, TEXT]),
    job("elevate cat", &["/usr/bin/elevate", CAT, TEXT]),
    job(SUDO, &["/usr/bin/sudo", "-n", CAT, TEXT]),
    job(SUDO_LOGGED, &["/usr/bin/sudo", "-n", LOGGED, TEXT]),
];

/// How a recording grows with what is shown.
const GROWTH: &[Job] = &[
    job("10 MB", &["/usr/bin/elevate", LOGGED, TENTH]),
    job("100 MB", &["/usr/bin/elevate", LOGGED, TEXT]),
    job(
        "500 MB",
        &["/usr/bin/elevate", LOGGED, TEXT, TEXT, TEXT, TEXT, TEXT],
    ),
];

/// What each case took, and what was written of the output.
#[derive(Debug)]
pub(super) struct Bulk {
    done: Vec<Done>,
    recording: u64,
    sudo_log: u64,
    growth: Vec<Grown>,
}

/// One amount of bytes.
#[derive(Debug)]
struct Grown {
    done: Done,
    recording: u64,
}

/// Measures in `machine`, whose user is prepared.
pub(super) fn measure(machine: &Machine) -> Result<Bulk> {
    prepare(machine)?;
    eprintln!("measuring ({NAME}) ...");
    let login = machine.login(USER);
    let done = runner::run(&login, JOBS, ROUNDS, LIMIT)?;
    let shown = done[0].bytes;
    for (done, job) in done.iter().zip(JOBS) {
        let (bytes, name) = (done.bytes, job.name);
        ensure!(bytes == shown, "{name} showed {bytes} bytes, not {shown}");
    }
    let each = ROUNDS as u64 + 1;
    let (recording, sudo_log) = (size(machine, RECORDINGS)?, size(machine, SUDO_LOGS)?);
    let growth = GROWTH.iter().map(|job| grow(machine, &login, job));
    Ok(Bulk {
        done,
        recording: recording / each,
        sudo_log: sudo_log / each,
        growth: growth.collect::<Result<_>>()?,
    })
}

fn grow(machine: &Machine, login: &Login<'_>, job: &Job) -> Result<Grown> {
    forget(machine);
    let mut done = runner::run(login, &[*job], GROWTH_ROUNDS, LIMIT)?;
    Ok(Grown {
        done: done.pop().context("nothing was measured")?,
        recording: size(machine, RECORDINGS)? / (GROWTH_ROUNDS as u64 + 1),
    })
}

const RECORDINGS: &str = "/var/log/elevate/sessions";
const SUDO_LOGS: &str = "/var/log/sudo-io";

/// Remove what was recorded so far.
fn forget(machine: &Machine) {
    let line = format!("rm -rf {SUDO_LOGS} {RECORDINGS}/*");
    machine.run(&["sh", "-c", &line]).success();
}

fn prepare(machine: &Machine) -> Result<()> {
    runner::install(machine)?;
    let tenth = BYTES / 10;
    let copies = format!(
        "mkdir -p {FOLDER}; cd {FOLDER}
         cp /usr/bin/cat cat; cp cat cat-logged
         ls -lR /usr > text; while [ $(stat -c %s text) -lt {BYTES} ]; do cat text text > more; mv more text; done
         truncate -s {BYTES} text; head -c {tenth} text > tenth; chmod 644 text tenth"
    );
    machine.run(&["sh", "-euc", &copies]).success();
    forget(machine);
    machine.write("/etc/sudoers.d/bulk", SUDOERS, 0o440);
    machine.write("/etc/elevate/policy.d/bulk.toml", POLICY, 0o644);
    Ok(())
}

fn size(machine: &Machine, folder: &str) -> Result<u64> {
    let size = machine
        .run(&["du", "--bytes", "--summarize", folder])
        .success();
    let text = size.text();
    let bytes = text.split_whitespace().next().context("du says nothing")?;
    Ok(bytes.parse()?)
}

impl Bulk {
    fn median(&self, name: &str) -> Duration {
        let mut known = JOBS.iter().zip(&self.done);
        let found = known.find(|(job, _)| job.name == name);
        found.map_or(Duration::ZERO, |(_, done)| done.samples.median())
    }

    /// How many times as fast as the `other` a recorded session is.
    fn speed(&self, other: &str) -> f64 {
        ratio(self.median(other), self.median(RECORDED))
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["", ">median ms", ">p95 ms", ">MB/s", ">of sudo's speed"]);
        for (job, done) in JOBS.iter().zip(&self.done) {
            let of_sudo = ratio(self.median(SUDO), done.samples.median());
            table.push([
                job.name.to_owned(),
                milliseconds(done.samples.median()),
                milliseconds(done.samples.p95()),
                speed(done),
                format!("{of_sudo:.2}"),
            ]);
        }
        table
    }

    /// How time and recording grow.
    pub(super) fn growth(&self) -> Table {
        let mut table = Table::new(&["", ">median ms", ">MB/s", ">recorded MB", ">of it"]);
        for (job, grown) in GROWTH.iter().zip(&self.growth) {
            let of_it = 100.0 * grown.recording as f64 / grown.done.bytes as f64;
            table.push([
                job.name.to_owned(),
                milliseconds(grown.done.samples.median()),
                speed(&grown.done),
                megabytes(grown.recording),
                format!("{of_it:.1}%"),
            ]);
        }
        table
    }

    /// What is written of the output.
    pub(super) fn sizes(&self) -> String {
        let (ours, theirs) = (megabytes(self.recording), megabytes(self.sudo_log));
        let part = self.recording as f64 / self.sudo_log as f64;
        format!(
            "Of 100 MB of text a recording holds {ours} MB, {part:.2} of what sudo's log_output \
             holds ({theirs} MB)."
        )
    }

    pub(super) fn verdicts(&self) -> Vec<(bool, String)> {
        let goals = [(SUDO, 1.0), (SUDO_LOGGED, 4.0)];
        let verdicts = goals.map(|(other, least)| {
            let is = self.speed(other);
            let text = format!("{RECORDED}: {is:.2} times the speed of {other}, goal {least:.2}");
            (is >= least, text)
        });
        verdicts.into()
    }

    pub(super) fn json(&self) -> Value {
        let one = |name: &str, done: &Done| {
            json!({
                "name": name,
                "samples": done.samples.count(),
                "median_us": done.samples.median().as_secs_f64() * 1e6,
                "p95_us": done.samples.p95().as_secs_f64() * 1e6,
                "bytes": done.bytes,
            })
        };
        let cases = JOBS.iter().zip(&self.done);
        let cases = cases.map(|(job, done)| one(job.name, done));
        let growth = GROWTH.iter().zip(&self.growth).map(|(job, grown)| {
            json!({"run": one(job.name, &grown.done), "recorded_bytes": grown.recording})
        });
        json!({
            "cases": cases.collect::<Vec<_>>(),
            "growth": growth.collect::<Vec<_>>(),
            "recorded_bytes": {"elevate": self.recording, "sudo": self.sudo_log},
            "speed_of": {"sudo": self.speed(SUDO), "sudo log_output": self.speed(SUDO_LOGGED)},
        })
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// In megabytes a second.
fn speed(done: &Done) -> String {
    let speed = done.bytes as f64 / 1e6 / done.samples.median().as_secs_f64();
    format!("{speed:.0}")
}
