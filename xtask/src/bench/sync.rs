//! How long a directory of thousands of people takes to be known and published, beside ldapsearch(1) of the
//! same to a file.

use std::time::Duration;

use anyhow::{Context as _, Result};
use elevate_tests::Machine;
use serde_json::{Value, json};

use super::directory;
use super::statistics::{Samples, ratio};
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "first sync";
/// Until everybody is known, it takes at most this many times as long as ldapsearch.
const GOAL: f64 = 1.5;
const ROUNDS: usize = 5;
/// The first uid of the crowd. Beside them are the twenty of the tests' directory.
const FIRST_UID: u32 = 100_000;
const OTHERS: u32 = 20;

const PROGRAM: &str = include_str!("sync.py");

/// Nobody of the crowd is let in.
const KNOWN: &str = "[role.bench]\nmembers = [\"attr:department=dba\"]\n";
/// Everybody is.
const PUBLISHED: &str = "[role.bench]\nmembers = [\"attr:department=crowd\"]\n";

/// What both took, and what `elevated` holds then, in KiB.
#[derive(Debug)]
pub(super) struct Sync {
    people: u32,
    ldapsearch: Samples,
    /// Until `elevate-directory` runs.
    started: Samples,
    known: Samples,
    published: Samples,
    rss: [(&'static str, u64); 3],
}

pub(super) fn measure(machine: &Machine, people: u32) -> Result<Sync> {
    eprintln!("loading {people} people into the directory ...");
    let crowd = FIRST_UID..FIRST_UID + people;
    machine.directory_server().crowd(crowd);
    eprintln!("synchronising them ...");
    let found = directory::measure(machine, PROGRAM, &plan(people))?;
    let numbers = |name: &str| {
        let numbers = found[name].as_array().context("no samples")?;
        anyhow::Ok(numbers.iter().filter_map(Value::as_u64).collect::<Vec<_>>())
    };
    let samples = |name| {
        let times = numbers(name)?.into_iter().map(Duration::from_nanos);
        Samples::new(times.collect()).context("no samples")
    };
    let most = |name| numbers(name)?.into_iter().max().context("no samples");
    Ok(Sync {
        people,
        ldapsearch: samples("ldapsearch")?,
        started: samples("started")?,
        known: samples("known")?,
        published: samples("published")?,
        rss: [
            ("elevated, nobody known", most("rss_before")?),
            ("elevated, all known", most("rss_known")?),
            ("elevated, all published", most("rss_published")?),
        ],
    })
}

fn plan(people: u32) -> Value {
    let filter = ["(|(objectClass=posixAccount)(objectClass=posixGroup))"];
    let search = [directory::LDAPSEARCH, &filter, directory::ATTRIBUTES];
    json!({
        "rounds": ROUNDS,
        "people": people + OTHERS,
        "crowd": people,
        "last": format!("p{}", FIRST_UID + people - 1),
        "policies": {"known": KNOWN, "published": PUBLISHED},
        "search": search.concat(),
    })
}

impl Sync {
    fn ratio(&self) -> f64 {
        ratio(self.known.median(), self.ldapsearch.median())
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["", ">median ms", ">longest ms", ">of ldapsearch"]);
        for (name, samples) in [
            ("ldapsearch to a file", &self.ldapsearch),
            ("elevate-directory is started", &self.started),
            ("everybody is known", &self.known),
            ("everybody is published", &self.published),
        ] {
            table.push([
                name.to_owned(),
                format!("{:.0}", milliseconds(samples.median())),
                format!("{:.0}", milliseconds(samples.longest())),
                format!("{:.2}", ratio(samples.median(), self.ldapsearch.median())),
            ]);
        }
        table
    }

    /// What `elevated` holds, as lines.
    pub(super) fn memory(&self) -> String {
        let line = |(name, kib): &(&str, u64)| {
            format!("{name}: {:.1} MiB resident\n", *kib as f64 / 1024.0)
        };
        self.rss.iter().map(line).collect()
    }

    pub(super) fn verdict(&self) -> (bool, String) {
        let is = self.ratio();
        let text = format!(
            "{NAME} of {} people: {is:.2} of ldapsearch, goal {GOAL:.2}",
            self.people
        );
        (is <= GOAL, text)
    }

    pub(super) fn json(&self) -> Value {
        let of = |samples: &Samples| {
            json!({
                "samples": samples.count(),
                "median_ms": milliseconds(samples.median()),
                "longest_ms": milliseconds(samples.longest()),
            })
        };
        let [before, known, published] = self.rss.map(|(_, kib)| kib);
        json!({
            "people": self.people,
            "ldapsearch": of(&self.ldapsearch),
            "started": of(&self.started),
            "known": of(&self.known),
            "published": of(&self.published),
            "rss_kib": {"before": before, "known": known, "published": published},
            "ratio": self.ratio(),
            "goal": GOAL,
            "met": self.ratio() <= GOAL,
        })
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goal_is_about_knowing_everybody() {
        let samples = |time| Samples::new(vec![Duration::from_millis(time)]).unwrap();
        let sync = |known| Sync {
            people: 10_000,
            ldapsearch: samples(200),
            started: samples(90),
            known: samples(known),
            published: samples(900),
            rss: [("a", 1024), ("b", 2048), ("c", 4096)],
        };
        assert!(sync(300).verdict().0);
        assert!(!sync(301).verdict().0);
        assert_eq!(sync(300).json()["rss_kib"]["published"], 4096);
        assert!(sync(300).memory().contains("b: 2.0 MiB"));
    }
}
