//! What the measurements come to, for people and for programs.

use serde_json::{Value, json};

use super::Results;
use super::bulk::Bulk;
use super::cases::{Case, DOAS, OURS, SUDO};
use super::changes::Changes;
use super::codes::Codes;
use super::crowd::Crowd;
use super::endings::Endings;
use super::execs::ManyExecs;
use super::memory::Memory;
use super::statistics::{Samples, ratio};
use super::sync::Sync;
use super::timing::{Measured, Place};
use super::verdicts::Verdicts;
use crate::table::Table;

/// What `elevate true` should reach: at most this many times the other's median.
const GOALS: &[(&str, f64)] = &[(SUDO, 0.6), (DOAS, 1.0)];

/// All cases in one place.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) place: Place,
    pub(super) results: Vec<(&'static str, Measured)>,
}

/// A goal, and where we stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Goal {
    against: &'static str,
    most: f64,
    is: f64,
}

impl Group {
    pub(super) fn new(place: Place, cases: &[&Case], measured: Vec<Measured>) -> Self {
        let names = cases.iter().map(|case| case.name);
        Self {
            place,
            results: names.zip(measured).collect(),
        }
    }

    fn samples(&self, name: &str) -> Option<&Samples> {
        let result = self.results.iter().find(|(known, _)| *known == name);
        result?.1.as_ref().ok()
    }

    fn ratio(&self, name: &str, other: &str) -> Option<f64> {
        let (one, other) = (self.samples(name)?, self.samples(other)?);
        Some(ratio(one.median(), other.median()))
    }

    /// The goals that can be judged here.
    fn goals(&self) -> Vec<Goal> {
        let goal = |(against, most): &(&'static str, f64)| {
            let is = self.ratio(OURS, against)?;
            Some(Goal {
                against,
                most: *most,
                is,
            })
        };
        GOALS.iter().filter_map(goal).collect()
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["", ">median ms", ">p95 ms", ">of sudo", ">of doas"]);
        for (name, measured) in &self.results {
            let of = |other| {
                let ratio = self.ratio(name, other);
                ratio.map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"))
            };
            let (median, p95) = match measured {
                Ok(samples) => (milliseconds(samples.median()), milliseconds(samples.p95())),
                Err(status) => (format!("fails here ({status})"), "-".into()),
            };
            table.push([(*name).to_owned(), median, p95, of(SUDO), of(DOAS)]);
        }
        table
    }

    /// A line for each goal.
    pub(super) fn verdicts(&self) -> Vec<(bool, String)> {
        let place = self.place.name();
        let goals = self.goals();
        let lines = goals.iter().map(|goal| {
            let Goal { against, most, is } = goal;
            let text = format!("{OURS} ({place}): {is:.2} of {against}, goal {most:.2}");
            (goal.met(), text)
        });
        lines.collect()
    }

    fn json(&self) -> Vec<Value> {
        let results = self.results.iter().map(|(name, measured)| match measured {
            Ok(samples) => json!({
                "name": name,
                "place": self.place.name(),
                "samples": samples.count(),
                "median_us": samples.median().as_secs_f64() * 1e6,
                "p95_us": samples.p95().as_secs_f64() * 1e6,
                "ratio_to": {"sudo": self.ratio(name, SUDO), "doas": self.ratio(name, DOAS)},
                "goals": self.goals_of(name),
            }),
            Err(status) => {
                json!({"name": name, "place": self.place.name(), "samples": 0, "failed": status})
            }
        });
        results.collect()
    }

    fn goals_of(&self, name: &str) -> Vec<Value> {
        if name != OURS {
            return Vec::new();
        }
        let goals = self.goals();
        let goals = goals.iter().map(|goal| {
            let Goal { against, most, is } = goal;
            json!({"against": against, "goal": most, "ratio": is, "met": goal.met()})
        });
        goals.collect()
    }
}

impl Goal {
    fn met(&self) -> bool {
        self.is <= self.most
    }
}

/// Everything, for target/bench/results.json.
pub(super) fn json(release: &str, load: f64, results: &Results) -> Value {
    json!({
        "release": release,
        "load": load,
        "timings": results.groups.iter().flat_map(Group::json).collect::<Vec<_>>(),
        "memory": results.memory.iter().map(Memory::json).collect::<Vec<_>>(),
        "bulk": results.bulk.as_ref().map(Bulk::json),
        "execs": results.execs.as_ref().map(ManyExecs::json),
        "endings": results.endings.as_ref().map(Endings::json),
        "crowd": results.crowd.as_ref().map(Crowd::json),
        "verdicts": results.verdicts.as_ref().map(Verdicts::json),
        "codes": results.codes.as_ref().map(Codes::json),
        "changes": results.changes.as_ref().map(Changes::json),
        "sync": results.sync.as_ref().map(Sync::json),
    })
}

pub(super) fn memory_table(memory: &[Memory]) -> Table {
    let mut table = Table::new(&["", ">RSS MiB", ">PSS MiB", ">own MiB", ">goal (RSS)"]);
    for process in memory {
        let goal = process.goal.map_or_else(|| "-".into(), mebibytes);
        let held = [process.rss, process.pss, process.own].map(mebibytes);
        let cells = [process.name.to_owned()].into_iter().chain(held);
        table.push(cells.chain([goal]));
    }
    table
}

pub(super) fn memory_verdicts(memory: &[Memory]) -> Vec<(bool, String)> {
    let lines = memory.iter().filter_map(|process| {
        let (met, goal) = (process.met()?, mebibytes(process.goal?));
        let (rss, own) = (mebibytes(process.rss), mebibytes(process.own));
        let name = process.name;
        Some((
            met,
            format!("{name}: {rss} MiB, goal {goal} ({own} of it its own, the rest shared files)"),
        ))
    });
    lines.collect()
}

fn milliseconds(time: std::time::Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

fn mebibytes(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn group(ours: u64, sudo: u64) -> Group {
        let samples = |micros| Ok(Samples::new(vec![Duration::from_micros(micros)]).unwrap());
        Group {
            place: Place::Pipes,
            results: vec![
                (OURS, samples(ours)),
                (SUDO, samples(sudo)),
                (DOAS, Err(127)),
            ],
        }
    }

    #[test]
    fn a_goal_is_judged_by_medians_and_only_where_both_were_measured() {
        let verdicts = group(1800, 3000).verdicts();
        assert_eq!(verdicts.len(), 1, "doas fails here");
        assert!(verdicts[0].0, "{verdicts:?}");
        assert!(verdicts[0].1.contains("0.60 of sudo -n true, goal 0.60"));
        assert!(!group(1801, 3000).verdicts()[0].0);
    }

    #[test]
    fn the_table_says_what_did_not_work() {
        let table = group(1500, 3000).table().to_string();
        let rows: Vec<_> = table.lines().collect();
        assert!(rows[1].starts_with("elevate true"), "{table}");
        assert!(
            rows[1].contains("1.50") && rows[1].contains("0.50"),
            "{table}"
        );
        assert!(rows[3].contains("fails here (127)"), "{table}");
    }

    #[test]
    fn programs_get_the_same_numbers() {
        let memory = Memory {
            name: "one leader",
            rss: 4096,
            pss: 1024,
            own: 512,
            goal: Some(3072),
        };
        let results = Results {
            groups: vec![group(1500, 3000)],
            memory: vec![memory],
            ..Results::default()
        };
        let value = json("trixie", 0.5, &results);
        let ours = &value["timings"][0];
        assert_eq!(ours["median_us"], 1500.0);
        assert_eq!(ours["ratio_to"]["sudo"], 0.5);
        assert_eq!(ours["goals"][0]["met"], true);
        assert_eq!(value["timings"][1]["goals"], json!([]));
        assert_eq!(value["timings"][2]["failed"], 127);
        assert_eq!(value["memory"][0]["met"], false);
    }
}
