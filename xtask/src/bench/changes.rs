//! How long a change in the directory takes to be what `id` shows.
//!
//! SSSD would be the peer, and is not on the machine: what is compared is ldapsearch(1), listening for
//! changes as `elevate-directory` does, which nobody can be faster than.

use std::time::Duration;

use anyhow::{Context as _, Result};
use elevate_tests::{DirectoryServer, Machine};
use serde_json::{Value, json};

use super::directory;
use super::statistics::Samples;
use crate::table::Table;

/// What a filter may name.
pub(super) const NAME: &str = "LDAP change to id";
/// Every change is seen within it.
const GOAL: Duration = Duration::from_secs(2);
const ROUNDS: usize = 40;
const WARM_UP: usize = 4;
/// Who joins and leaves which group.
const PERSON: &str = "alice";
const GROUP: &str = "web";

const PROGRAM: &str = include_str!("changes.py");

/// Times from the end of ldapmodify(1).
#[derive(Debug)]
pub(super) struct Changes {
    /// Until a listening ldapsearch(1) prints it.
    heard: Samples,
    /// Until the records for NSS are written.
    published: Samples,
    /// Until id(1) shows it.
    id: Samples,
    /// How long one id(1) takes, whatever it shows.
    one_id: Samples,
}

pub(super) fn measure(machine: &Machine) -> Result<Changes> {
    let server = machine.directory_server();
    machine
        .run(&["systemctl", "start", "elevate-directory"])
        .success();
    machine.poll("people", Duration::from_secs(20), || {
        (machine.run(&["id", PERSON]).status == 0).then_some(())
    });
    eprintln!("changing the directory ...");
    let found = directory::measure(machine, PROGRAM, &plan(&server))?;
    let samples = |name: &str| {
        let samples = found[name].as_array().context("no samples")?;
        let samples = samples.iter().filter_map(Value::as_u64);
        Samples::new(samples.map(Duration::from_nanos).collect()).context("no samples")
    };
    Ok(Changes {
        heard: samples("heard")?,
        published: samples("published")?,
        id: samples("id")?,
        one_id: samples("one_id")?,
    })
}

fn plan(server: &DirectoryServer<'_>) -> Value {
    let filter = format!("(cn={GROUP})");
    let listen = [
        directory::LDAPSEARCH,
        &["-E", "!sync=rp", &filter, "memberUid"],
    ];
    json!({
        "rounds": ROUNDS,
        "warm_up": WARM_UP,
        "person": PERSON,
        "group": GROUP,
        "group_dn": server.group_dn(GROUP),
        "listen": listen.concat(),
        "modify": directory::LDAPMODIFY,
    })
}

impl Changes {
    fn longest(&self) -> Duration {
        self.id.longest()
    }

    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["", ">median ms", ">p95 ms", ">longest ms"]);
        for (name, samples) in [
            ("a listening ldapsearch prints it", &self.heard),
            ("the records for NSS are written", &self.published),
            ("id shows it", &self.id),
            ("(of that, one run of id)", &self.one_id),
        ] {
            let times = [samples.median(), samples.p95(), samples.longest()];
            let times = times.map(|time| format!("{:.1}", milliseconds(time)));
            table.push([name.to_owned()].into_iter().chain(times));
        }
        table
    }

    pub(super) fn verdict(&self) -> (bool, String) {
        let (is, most) = (milliseconds(self.longest()), GOAL.as_secs());
        let text = format!("{NAME}: {is:.1} ms at the longest, goal {most} s");
        (self.longest() <= GOAL, text)
    }

    pub(super) fn json(&self) -> Value {
        let of = |samples: &Samples| {
            json!({
                "samples": samples.count(),
                "median_ms": milliseconds(samples.median()),
                "p95_ms": milliseconds(samples.p95()),
                "longest_ms": milliseconds(samples.longest()),
            })
        };
        json!({
            "ldapsearch": of(&self.heard),
            "published": of(&self.published),
            "id": of(&self.id),
            "one_id": of(&self.one_id),
            "goal_ms": milliseconds(GOAL),
            "met": self.longest() <= GOAL,
        })
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(id: u64) -> Changes {
        let samples = |last| {
            let all = [1, 2, last].map(Duration::from_millis);
            Samples::new(all.to_vec()).unwrap()
        };
        Changes {
            heard: samples(3),
            published: samples(4),
            id: samples(id),
            one_id: samples(3),
        }
    }

    #[test]
    fn the_longest_counts_since_a_leaver_may_be_that_one() {
        assert!(changes(2000).verdict().0);
        assert!(!changes(2001).verdict().0);
        assert_eq!(changes(2001).json()["met"], false);
    }

    #[test]
    fn the_table_has_each_part() {
        let table = changes(1999).table().to_string();
        let last = table.lines().find(|line| line.starts_with("id shows"));
        assert!(last.unwrap().ends_with("1999.0"), "{table}");
    }
}
