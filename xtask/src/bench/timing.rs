//! Runs the cases in turn inside the machine.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::Login;
use serde_json::{Value, json};

use super::cases::Case;
use super::statistics::Samples;

/// A small loop that starts a program and waits for it, so that nothing of ssh is measured.
const LOOP: &str = include_str!("timing.py");
const LIMIT: Duration = Duration::from_secs(540);
const WARM_UP: usize = 20;
/// Between two commands. Longer than what any of them leaves behind takes.
const REST: Duration = Duration::from_millis(20);

/// Where standard input, output and error of the measured commands lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To a terminal, as for a person.
    Terminal,
    /// To pipes, as for a script.
    Pipes,
}

impl Place {
    pub(super) const ALL: [Self; 2] = [Self::Terminal, Self::Pipes];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Pipes => "pipes",
        }
    }
}

/// What was measured, or how the command ended where it does not work here.
pub(super) type Measured = Result<Samples, i64>;

/// Times every case `rounds` times.
pub(super) fn measure(
    login: &Login<'_>,
    place: Place,
    cases: &[&Case],
    rounds: usize,
) -> Result<Vec<Measured>> {
    let machine = login.machine();
    let words: Vec<_> = cases.iter().map(|case| case.argv).collect();
    let rest = REST.as_secs_f64();
    let plan = json!({"cases": words, "rounds": rounds, "warm_up": WARM_UP, "rest": rest});
    machine.write("/usr/local/lib/bench/timing.py", LOOP, 0o644);
    machine.write("/usr/local/lib/bench/plan.json", plan.to_string(), 0o644);

    let line = "python3 /usr/local/lib/bench/timing.py /usr/local/lib/bench/plan.json ~/results";
    let (status, said) = match place {
        Place::Terminal => {
            let mut terminal = login.terminal(line);
            (terminal.wait_within(LIMIT), terminal.screen())
        }
        Place::Pipes => {
            let output = login.command(line).timeout(LIMIT).run();
            (output.status, output.describe())
        }
    };
    ensure!(status == 0, "the timing loop failed: {said}");
    let path = format!("/home/{}/results", login.user());
    parse(&machine.read(&path))
}

fn parse(results: &[u8]) -> Result<Vec<Measured>> {
    let results: Vec<Value> = serde_json::from_slice(results)?;
    results.iter().map(one).collect()
}

fn one(result: &Value) -> Result<Measured> {
    if let Some(status) = result["failed"].as_i64() {
        return Ok(Err(status));
    }
    let samples = result["samples"].as_array().context("no samples")?;
    let samples = samples.iter().filter_map(Value::as_u64);
    let samples = Samples::new(samples.map(Duration::from_nanos).collect());
    Ok(Ok(samples.context("no samples")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_work_is_told_from_what_was_measured() {
        let measured = parse(br#"[{"failed": 126}, {"samples": [3000, 1000, 2000]}]"#).unwrap();
        assert_eq!(measured[0], Err(126));
        let samples = measured[1].as_ref().unwrap();
        assert_eq!(
            (samples.count(), samples.median()),
            (3, Duration::from_micros(2))
        );
        assert!(parse(br#"[{"samples": []}]"#).is_err());
        assert!(parse(b"no json").is_err());
    }
}
