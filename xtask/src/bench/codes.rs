//! One TOTP check through our module beside Google's, in one process; both refuse a code that was
//! used before, and every check is of another user.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use elevate_tests::Machine;
use serde_json::{Value, json};

use super::program;
use super::statistics::{Samples, ratio};
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "TOTP check";
/// Ours takes at most this many times as long.
const GOAL: f64 = 1.0;
/// Users, each of whom gives one code to each module.
const USERS: usize = 120;
/// Of the first ones nothing is counted.
const WARM_UP: usize = 20;
/// The length of a time step in seconds (RFC 6238, section 4.1).
const STEP: u64 = 30;
/// How long enrolling everybody may take at most.
const ENROLMENT: Duration = Duration::from_secs(400);

const OURS: &str = "bench-elevate";
const THEIRS: &str = "bench-google";

const SOURCE: &str = include_str!("codes.c");

const PAM_OURS: &str = "auth required pam_elevate.so services=bench-elevate\n";
const PAM_THEIRS: &str =
    "auth required pam_google_authenticator.so user=root secret=/var/lib/bench/${USER}\n";

const POLICY: &str = r#"
[role.coded]
members = ["%coded"]
"#;

/// What both took.
#[derive(Debug)]
pub(super) struct Codes {
    ours: Samples,
    theirs: Samples,
}

/// Enrols users, waits for a time step in which nobody has used a code, and measures.
pub(super) fn measure(machine: &Machine) -> Result<Codes> {
    program::install(machine, "codes", SOURCE, &["-lpam"])?;
    machine.write(&format!("/etc/pam.d/{OURS}"), PAM_OURS, 0o644);
    machine.write(&format!("/etc/pam.d/{THEIRS}"), PAM_THEIRS, 0o644);
    machine.write("/etc/elevate/policy.d/coded.toml", POLICY, 0o644);
    eprintln!("enrolling {USERS} users ...");
    let people = enrol(machine)?;
    let list = codes(machine, &people)?;
    let check = ["/usr/local/lib/bench/codes", OURS, THEIRS];
    let output = machine.command(&check).stdin(list).run();
    ensure!(output.status == 0, "{}", output.describe());
    parse(&output.text())
}

/// Everybody's name and secret.
fn enrol(machine: &Machine) -> Result<Vec<(String, String)>> {
    let begun = SystemTime::now();
    let mut people = Vec::new();
    for number in 0..USERS {
        let user = format!("coded{number}");
        machine.member(&user, &["coded"]);
        let secret = machine.enrol(&user).secret().to_owned();
        let theirs = format!("{secret}\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n");
        machine.write(&format!("/var/lib/bench/{user}"), theirs, 0o400);
        people.push((user, secret));
        ensure!(
            begun.elapsed()? < ENROLMENT,
            "enrolling takes too long: {number} users in {ENROLMENT:?}"
        );
    }
    Ok(people)
}

/// A line with name and code for each of `people`, of a step later than any code used so far.
fn codes(machine: &Machine, people: &[(String, String)]) -> Result<String> {
    let step = this_step()? + 1;
    let mut list = String::new();
    for (user, secret) in people {
        writeln!(list, "{user} {}", machine.totp(secret, step))?;
    }
    let wait = Duration::from_secs(2 * STEP);
    machine.poll("a new time step", wait, || {
        this_step().ok().filter(|now| *now >= step)
    });
    Ok(list)
}

fn this_step() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / STEP)
}

fn parse(output: &str) -> Result<Codes> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut refused_again = 0;
    for line in output.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["again", service, "0"] => bail!("{service} takes a code twice: nothing to compare"),
            ["again", _, _] => refused_again += 1,
            [OURS, nanoseconds] => ours.push(Duration::from_nanos(nanoseconds.parse()?)),
            [THEIRS, nanoseconds] => theirs.push(Duration::from_nanos(nanoseconds.parse()?)),
            _ => bail!("the loop says {line:?}"),
        }
    }
    ensure!(refused_again == 2, "the loop did not come to its end");
    let samples = |mut all: Vec<Duration>| {
        all.drain(..WARM_UP.min(all.len()));
        Samples::new(all).context("no samples")
    };
    Ok(Codes {
        ours: samples(ours)?,
        theirs: samples(theirs)?,
    })
}

impl Codes {
    fn ratio(&self) -> f64 {
        ratio(self.ours.median(), self.theirs.median())
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["", ">median us", ">p95 us", ">of theirs"]);
        let microseconds = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e6);
        for (name, samples) in [
            ("pam_elevate", &self.ours),
            ("pam_google_authenticator", &self.theirs),
        ] {
            let of_theirs = ratio(samples.median(), self.theirs.median());
            table.push([
                name.to_owned(),
                microseconds(samples.median()),
                microseconds(samples.p95()),
                format!("{of_theirs:.2}"),
            ]);
        }
        table
    }

    pub(super) fn verdict(&self) -> (bool, String) {
        let is = self.ratio();
        let text = format!("{NAME}: {is:.2} of pam_google_authenticator, goal {GOAL:.2}");
        (is <= GOAL, text)
    }

    pub(super) fn json(&self) -> Value {
        let microseconds = |time: Duration| time.as_secs_f64() * 1e6;
        let of = |samples: &Samples| {
            json!({
                "samples": samples.count(),
                "median_us": microseconds(samples.median()),
                "p95_us": microseconds(samples.p95()),
            })
        };
        json!({
            "pam_elevate": of(&self.ours),
            "pam_google_authenticator": of(&self.theirs),
            "ratio": self.ratio(),
            "goal": GOAL,
            "met": self.ratio() <= GOAL,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(end: &str) -> String {
        let pair = |number| format!("{OURS} {}\n{THEIRS} {}\n", 1000 * number, 2000 * number);
        let pairs: String = (1..=USERS).map(pair).collect();
        pairs + end
    }

    #[test]
    fn both_are_counted_after_the_warm_up() {
        let codes = parse(&output("again bench-elevate 7\nagain bench-google 7\n")).unwrap();
        assert_eq!(codes.ours.count(), USERS - WARM_UP);
        assert_eq!(codes.ratio(), 0.5);
        assert!(codes.verdict().0);
    }

    #[test]
    fn a_code_taken_twice_or_a_loop_that_ended_early_is_no_result() {
        for end in [
            "again bench-elevate 0\nagain bench-google 7\n",
            "again bench-elevate 7\nagain bench-google 0\n",
            "again bench-elevate 7\n",
            "",
            "bench-google of coded3: status 7\n",
        ] {
            assert!(parse(&output(end)).is_err(), "{end}");
        }
    }
}
