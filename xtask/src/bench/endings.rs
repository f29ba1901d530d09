//! How long a session takes to end, by how many processes it has.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::Machine;
use serde_json::{Value, json};

use super::cases::USER;
use super::statistics::Samples;
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "processes at the end";
const COUNTS: [u32; 4] = [1, 10, 100, 1000];
const ROUNDS: usize = 5;
const LIMIT: Duration = Duration::from_secs(300);

const PROGRAM: &str = include_str!("endings.py");

/// Processes that would go on for long; the command's end is the session's, and theirs.
const COMMAND: &str = "#!/bin/sh
i=1; while [ $i -lt $1 ]; do sleep 600 & i=$((i+1)); done; date +%s%N
";

const POLICY: &str = r#"
[role.processes]
members = ["ben"]

[rule.processes]
roles    = ["processes"]
run_as   = "root"
commands = ["/opt/bench/processes ..."]
require  = {}
"#;

/// From a command's last word to its client's end, by the number of processes.
#[derive(Debug)]
pub(super) struct Endings(Vec<(u32, Samples)>);

/// Measures in `machine`, whose user is prepared.
pub(super) fn measure(machine: &Machine) -> Result<Endings> {
    let program = "/usr/local/lib/bench/endings.py";
    machine.write(program, PROGRAM, 0o644);
    machine.write("/opt/bench/processes", COMMAND, 0o755);
    machine.write("/etc/elevate/policy.d/processes.toml", POLICY, 0o644);
    eprintln!("measuring ({NAME}) ...");
    let login = machine.login(USER);
    let plan = json!({"counts": COUNTS, "rounds": ROUNDS}).to_string();
    let line = format!("python3 {program}");
    let output = login.command(&line).stdin(plan).timeout(LIMIT).run();
    ensure!(output.status == 0, "{}", output.describe());
    parse(&output.stdout)
}

fn parse(results: &[u8]) -> Result<Endings> {
    let results: Value = serde_json::from_slice(results)?;
    let one = |count: u32| {
        let times = results[count.to_string()].as_array();
        let times = times.into_iter().flatten().filter_map(Value::as_u64);
        let samples = Samples::new(times.map(Duration::from_nanos).collect());
        Ok((count, samples.context("no samples")?))
    };
    Ok(Endings(COUNTS.map(one).into_iter().collect::<Result<_>>()?))
}

impl Endings {
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&[">processes", ">median ms", ">longest ms"]);
        for (count, samples) in &self.0 {
            let times = [samples.median(), samples.longest()];
            let times = times.map(|time| format!("{:.1}", time.as_secs_f64() * 1e3));
            table.push([count.to_string()].into_iter().chain(times));
        }
        table
    }

    pub(super) fn json(&self) -> Value {
        let rows = self.0.iter().map(|(count, samples)| {
            json!({
                "processes": count,
                "samples": samples.count(),
                "median_ms": samples.median().as_secs_f64() * 1e3,
                "longest_ms": samples.longest().as_secs_f64() * 1e3,
            })
        });
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn every_number_of_processes_has_a_row_of_its_own() {
        let results =
            br#"{"1": [1000000], "10": [3000000, 2000000, 4000000], "100": [5], "1000": [7]}"#;
        let endings = parse(results).unwrap();
        let table = endings.table().to_string();
        let row = table.lines().nth(2).unwrap();
        assert!(row.trim_start().starts_with("10 "), "{table}");
        assert!(row.contains("3.0") && row.contains("4.0"), "{table}");
        assert!(parse(br#"{"1": [1], "10": []}"#).is_err());
    }
}
