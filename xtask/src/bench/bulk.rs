//! Much output through a terminal, and many execs: what recording and the log of execs cost beside
//! sudo's, for one user in one machine.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::Machine;
use serde_json::{Value, json};

use super::cases::USER;
use super::statistics::{Samples, ratio};
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "bytes and execs";
/// Each case runs so often, after a warm-up.
const ROUNDS: usize = 5;
const LIMIT: Duration = Duration::from_secs(560);
/// Execs of the script.
pub(super) const EXECS: u32 = 300;
/// Bytes that are shown.
const BYTES: usize = 100_000_000;

const LOOP: &str = include_str!("bulk.py");

/// The same program under a name for each way of running it: settings go by the name.
const FOLDER: &str = "/opt/bench/bulk";

const SUDOERS: &str = "
Defaults!/opt/bench/bulk/cat-logged log_output
Defaults!/opt/bench/bulk/execs-logged log_subcmds
";

const POLICY: &str = r#"
[role.bulk]
members = ["ben"]

[rule.bulk-recorded]
roles    = ["bulk"]
run_as   = "root"
commands = ["/opt/bench/bulk/{cat-logged,execs-logged} ..."]
require  = {}

[rule.bulk-unrecorded]
roles    = ["bulk"]
run_as   = "root"
commands = ["/opt/bench/bulk/{cat,execs} ..."]
require  = {}
session  = { record = "none", execs = "none" }
"#;

struct Case {
    name: &'static str,
    prefix: &'static [&'static str],
    program: &'static str,
    pty: bool,
}

const fn case(
    name: &'static str,
    prefix: &'static [&'static str],
    program: &'static str,
    pty: bool,
) -> Case {
    Case {
        name,
        prefix,
        program,
        pty,
    }
}

const ELEVATE: &[&str] = &["/usr/bin/elevate"];
const SUDO: &[&str] = &["/usr/bin/sudo", "-n"];

const CASES: &[Case] = &[
    case("cat, as oneself", &[], "cat", true),
    case("elevate cat, recorded", ELEVATE, "cat-logged", true),
    case("elevate cat", ELEVATE, "cat", true),
    case("sudo cat", SUDO, "cat", true),
    case("sudo cat, log_output", SUDO, "cat-logged", true),
    case("execs, as oneself", &[], "execs", false),
    case("elevate execs, logged", ELEVATE, "execs-logged", false),
    case("elevate execs", ELEVATE, "execs", false),
    case("sudo execs", SUDO, "execs", false),
    case("sudo execs, log_subcmds", SUDO, "execs-logged", false),
];

/// What each case took, and what was written of the output.
#[derive(Debug)]
pub(super) struct Bulk {
    samples: Vec<(&'static str, Samples)>,
    recording: u64,
    sudo_log: u64,
}

/// Measures in `machine`, whose user is prepared.
pub(super) fn measure(machine: &Machine) -> Result<Bulk> {
    prepare(machine);
    let cases: Vec<Value> = CASES.iter().map(plan).collect();
    let plan = json!({"cases": cases, "rounds": ROUNDS});
    machine.write("/usr/local/lib/bench/bulk.py", LOOP, 0o644);
    machine.write("/usr/local/lib/bench/bulk.json", plan.to_string(), 0o644);
    eprintln!("measuring ({NAME}) ...");
    let login = machine.login(USER);
    let line = "python3 /usr/local/lib/bench/bulk.py /usr/local/lib/bench/bulk.json ~/bulk";
    let output = login.command(line).timeout(LIMIT).run();
    ensure!(output.status == 0, "{}", output.describe());
    let results = machine.read(&format!("/home/{USER}/bulk"));
    let results: Vec<Vec<u64>> = serde_json::from_slice(&results)?;
    let samples = CASES.iter().zip(results).map(|(case, nanoseconds)| {
        let all = nanoseconds.into_iter().map(Duration::from_nanos).collect();
        Ok((case.name, Samples::new(all).context("no samples")?))
    });
    let each = ROUNDS as u64 + 1;
    Ok(Bulk {
        samples: samples.collect::<Result<_>>()?,
        recording: size(machine, "/var/log/elevate/sessions")? / each,
        sudo_log: size(machine, "/var/log/sudo-io")? / each,
    })
}

fn prepare(machine: &Machine) {
    let copies = format!(
        "mkdir -p {FOLDER}; cd {FOLDER}
         cp /usr/bin/cat cat; cp cat cat-logged
         echo 'i=0; while [ $i -lt {EXECS} ]; do /usr/bin/true; i=$((i+1)); done' > loop
         (echo '#!/bin/sh'; cat loop) > execs; cp execs execs-logged; chmod 755 *
         ls -lR /usr > text; while [ $(stat -c %s text) -lt {BYTES} ]; do cat text text > more; mv more text; done
         truncate -s {BYTES} text; chmod 644 text
         rm -rf /var/log/sudo-io /var/log/elevate/sessions/*"
    );
    machine.run(&["sh", "-euc", &copies]).success();
    machine.write("/etc/sudoers.d/bulk", SUDOERS, 0o440);
    machine.write("/etc/elevate/policy.d/bulk.toml", POLICY, 0o644);
}

fn plan(case: &Case) -> Value {
    let mut argv: Vec<String> = case.prefix.iter().map(|&word| word.into()).collect();
    argv.push(format!("{FOLDER}/{}", case.program));
    if case.pty {
        argv.push(format!("{FOLDER}/text"));
    }
    json!({"argv": argv, "pty": case.pty, "length": if case.pty { "text" } else { "none" }})
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
        let found = self.samples.iter().find(|(known, _)| *known == name);
        found.map_or(Duration::ZERO, |(_, samples)| samples.median())
    }

    /// How many times as fast the first is.
    fn speed(&self, name: &str, other: &str) -> f64 {
        ratio(self.median(other), self.median(name))
    }

    /// What a log adds to each exec, in microseconds.
    fn added(&self, logged: &str, plain: &str) -> f64 {
        let added = self.median(logged).as_secs_f64() - self.median(plain).as_secs_f64();
        added * 1e6 / f64::from(EXECS)
    }

    fn ours_added(&self) -> f64 {
        self.added("elevate execs, logged", "elevate execs")
    }

    fn sudo_added(&self) -> f64 {
        self.added("sudo execs, log_subcmds", "sudo execs")
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["", ">median ms", ">p95 ms", ">MB/s"]);
        let milliseconds = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e3);
        for (case, (name, samples)) in CASES.iter().zip(&self.samples) {
            let speed = BYTES as f64 / 1e6 / samples.median().as_secs_f64();
            table.push([
                (*name).to_owned(),
                milliseconds(samples.median()),
                milliseconds(samples.p95()),
                if case.pty {
                    format!("{speed:.0}")
                } else {
                    "-".into()
                },
            ]);
        }
        table
    }

    /// What is written of 100 MB of text.
    pub(super) fn sizes(&self) -> String {
        format!(
            "Of 100 MB of text a recording holds {:.1} MB, sudo's log_output {:.1} MB.",
            self.recording as f64 / 1e6,
            self.sudo_log as f64 / 1e6
        )
    }

    pub(super) fn verdicts(&self) -> Vec<(bool, String)> {
        let recorded = "elevate cat, recorded";
        let plain = self.speed(recorded, "sudo cat");
        let logged = self.speed(recorded, "sudo cat, log_output");
        let (ours, theirs) = (self.ours_added(), self.sudo_added());
        let execs = ours / theirs;
        vec![
            (
                plain >= 1.0,
                format!("{recorded}: {plain:.2} times sudo's speed, goal 1.00"),
            ),
            (
                logged >= 4.0,
                format!("{recorded}: {logged:.2} times sudo's speed with log_output, goal 4.00"),
            ),
            (
                execs <= 0.15,
                format!(
                    "exec log: {ours:.0} us added to each, {execs:.2} of sudo log_subcmds' \
                     {theirs:.0} us, goal 0.15"
                ),
            ),
        ]
    }

    pub(super) fn json(&self) -> Value {
        let cases = self.samples.iter().map(|(name, samples)| {
            json!({
                "name": name,
                "samples": samples.count(),
                "median_us": samples.median().as_secs_f64() * 1e6,
                "p95_us": samples.p95().as_secs_f64() * 1e6,
            })
        });
        json!({
            "cases": cases.collect::<Vec<_>>(),
            "exec_added_us": {"elevate": self.ours_added(), "sudo": self.sudo_added()},
            "recorded_bytes": {"elevate": self.recording, "sudo": self.sudo_log},
        })
    }
}
