//! Elevate beside its peers, on one machine in one run.

mod bulk;
mod cases;
mod changes;
mod codes;
mod crowd;
mod directory;
mod endings;
mod execs;
mod memory;
mod program;
mod report;
mod runner;
mod statistics;
mod sync;
mod timing;
mod verdicts;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::{Machine, Release, Spec, target_dir};

use self::bulk::Bulk;
use self::cases::{CASES, Case};
use self::changes::Changes;
use self::codes::Codes;
use self::crowd::Crowd;
use self::endings::Endings;
use self::execs::ManyExecs;
use self::memory::Memory;
use self::report::Group;
use self::sync::Sync;
use self::timing::Place;
use self::verdicts::Verdicts;
use crate::dist;
use crate::style::Style;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains this
    filter: Option<String>,
    /// How often each case runs, after a warm-up
    #[arg(long, default_value_t = 300)]
    rounds: usize,
    /// How many people the directory of the first synchronisation has
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    people: u32,
    /// The Debian release: trixie or bookworm
    #[arg(long, default_value = "trixie")]
    release: Release,
    /// A folder of .debs to measure, of an earlier version perhaps, in place of what is here
    #[arg(long)]
    packages: Option<PathBuf>,
}

/// Measures, prints, and writes target/bench/results.json. A goal that is missed is no failure.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let chosen = chosen(arguments.filter.as_deref())?;
    let debs = match &arguments.packages {
        Some(folder) => dist::debs(folder)?,
        None => dist::run()?,
    };
    let load = load()?;
    let mut results = Results::default();
    let boot = |name| {
        Machine::boot(
            Spec::new(name)
                .release(arguments.release)
                .debs(debs.clone()),
        )
    };
    if chosen.needs_commands() {
        let machine = boot("bench")?;
        cases::prepare(&machine);
        if !chosen.cases.is_empty() {
            commands(&machine, &chosen.cases, arguments.rounds, &mut results)?;
        }
        much(&machine, &chosen, &mut results)?;
        if chosen.codes {
            results.codes = Some(codes::measure(&machine)?);
        }
    }
    if chosen.changes || chosen.sync {
        let machine = boot("directory")?;
        directory::prepare(&machine);
        if chosen.changes {
            results.changes = Some(changes::measure(&machine)?);
        }
        if chosen.sync {
            results.sync = Some(sync::measure(&machine, arguments.people)?);
        }
    }

    print(&results);
    println!("{}", host(load));
    let results = report::json(arguments.release.name(), load, &results);
    let path = write(&serde_json::to_string_pretty(&results)?)?;
    println!("All of it: {}", path.display());
    Ok(())
}

/// What to measure.
#[derive(Debug)]
struct Chosen {
    cases: Vec<&'static Case>,
    bulk: bool,
    execs: bool,
    endings: bool,
    crowd: bool,
    verdicts: bool,
    codes: bool,
    changes: bool,
    sync: bool,
}

impl Chosen {
    fn needs_commands(&self) -> bool {
        let much = self.bulk || self.execs || self.endings || self.crowd || self.verdicts;
        !self.cases.is_empty() || much || self.codes
    }
}

/// What was measured.
#[derive(Debug, Default)]
struct Results {
    groups: Vec<Group>,
    memory: Vec<Memory>,
    bulk: Option<Bulk>,
    execs: Option<ManyExecs>,
    endings: Option<Endings>,
    crowd: Option<Crowd>,
    verdicts: Option<Verdicts>,
    codes: Option<Codes>,
    changes: Option<Changes>,
    sync: Option<Sync>,
}

fn chosen(filter: Option<&str>) -> Result<Chosen> {
    let filter = filter.unwrap_or_default();
    let cases: Vec<_> = CASES
        .iter()
        .filter(|case| case.name.contains(filter))
        .collect();
    let is_chosen = |name: &str| name.contains(filter);
    let chosen = Chosen {
        cases,
        bulk: is_chosen(bulk::NAME),
        execs: is_chosen(execs::NAME),
        endings: is_chosen(endings::NAME),
        crowd: is_chosen(crowd::NAME),
        verdicts: is_chosen(verdicts::NAME),
        codes: is_chosen(codes::NAME),
        changes: is_chosen(changes::NAME),
        sync: is_chosen(sync::NAME),
    };
    ensure!(
        chosen.needs_commands() || chosen.changes || chosen.sync,
        "no case is called {filter:?}"
    );
    Ok(chosen)
}

/// Whole commands, from their start to their end.
fn commands(
    machine: &Machine,
    cases: &[&'static Case],
    rounds: usize,
    results: &mut Results,
) -> Result<()> {
    let mut memory = memory::idle(machine)?;
    let login = machine.login(cases::USER);
    for place in Place::ALL {
        eprintln!("measuring ({}) ...", place.name());
        let measured = timing::measure(&login, place, cases, rounds)?;
        results.groups.push(Group::new(place, cases, measured));
    }
    memory.extend(memory::busy(machine, &login)?);
    results.memory = memory;
    Ok(())
}

/// Much of something: bytes, execs, processes, sessions, rules.
fn much(machine: &Machine, chosen: &Chosen, results: &mut Results) -> Result<()> {
    if chosen.bulk {
        results.bulk = Some(bulk::measure(machine)?);
    }
    if chosen.execs {
        results.execs = Some(execs::measure(machine)?);
    }
    if chosen.endings {
        results.endings = Some(endings::measure(machine)?);
    }
    if chosen.crowd {
        results.crowd = Some(crowd::measure(machine)?);
    }
    if chosen.verdicts {
        results.verdicts = Some(verdicts::measure(machine)?);
    }
    Ok(())
}

fn print(results: &Results) {
    for group in &results.groups {
        let kind = match group.place {
            Place::Terminal => "At a terminal",
            Place::Pipes => "With pipes, as in scripts",
        };
        println!("{kind}:\n\n{}", group.table());
    }
    if !results.memory.is_empty() {
        println!("Memory:\n\n{}", report::memory_table(&results.memory));
    }
    if let Some(bulk) = &results.bulk {
        println!("100 MB through a terminal:\n\n{}", bulk.table());
        println!("{}", bulk.sizes());
        println!("\nBy how much is shown:\n\n{}", bulk.growth());
    }
    if let Some(execs) = &results.execs {
        println!("{}\n\n{}", ManyExecs::title(), execs.table());
    }
    if let Some(endings) = &results.endings {
        let table = endings.table();
        println!("From a command's end to its client's:\n\n{table}");
    }
    if let Some(crowd) = &results.crowd {
        println!("Many sessions at once:\n\n{}", crowd.table());
    }
    if let Some(verdicts) = &results.verdicts {
        println!(
            "A verdict, and sudo's, over many rules:\n\n{}",
            verdicts.table()
        );
    }
    if let Some(codes) = &results.codes {
        println!("One TOTP check, in one process:\n\n{}", codes.table());
    }
    if let Some(changes) = &results.changes {
        let table = changes.table();
        println!("From a change in the directory until:\n\n{table}");
    }
    if let Some(sync) = &results.sync {
        println!("A directory read from nothing:\n\n{}", sync.table());
        println!("{}", sync.memory());
    }
    let verdicts = results.groups.iter().flat_map(Group::verdicts);
    let verdicts = verdicts.chain(report::memory_verdicts(&results.memory));
    let verdicts = verdicts.chain(results.bulk.iter().flat_map(Bulk::verdicts));
    let verdicts = verdicts.chain(results.execs.iter().map(ManyExecs::verdict));
    let verdicts = verdicts.chain(results.verdicts.iter().flat_map(Verdicts::verdicts));
    let verdicts = verdicts.chain(results.codes.iter().map(Codes::verdict));
    let verdicts = verdicts.chain(results.changes.iter().map(Changes::verdict));
    let verdicts = verdicts.chain(results.sync.iter().map(Sync::verdict));
    let style = Style::of_output();
    for (met, text) in verdicts {
        match met {
            true => println!("{} {text}", style.good("met   ")),
            false => println!("{} {text}", style.bad("missed")),
        }
    }
}

/// How many programs wanted the processor in the last minute (proc_loadavg(5)).
fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("/proc/loadavg")?;
    let first = text.split_whitespace().next().unwrap_or_default();
    first.parse().context("/proc/loadavg")
}

fn host(load: f64) -> String {
    let care = if load > 1.0 {
        ": other work made all of these numbers larger, and those of short commands most"
    } else {
        ""
    };
    format!("The host's load was {load} when measuring began{care}.")
}

fn write(results: &str) -> Result<PathBuf> {
    let folder = target_dir().join("bench");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let path = folder.join("results.json");
    fs::write(&path, format!("{results}\n")).with_context(|| path.display().to_string())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::chosen;

    #[test]
    fn a_filter_takes_what_contains_it_and_refuses_to_measure_nothing() {
        let names = |filter| -> Vec<_> {
            let chosen = chosen(Some(filter)).unwrap();
            assert!(!chosen.codes);
            chosen.cases.iter().map(|case| case.name).collect()
        };
        assert_eq!(names("sudo"), ["sudo -n true", "sudo-rs -n true"]);
        assert!(chosen(Some("su -c")).is_err());
        let all = chosen(None).unwrap();
        assert!(all.cases.len() > 5 && all.codes && all.changes && all.sync);
        let codes = chosen(Some("TOTP")).unwrap();
        assert!(codes.cases.is_empty() && codes.codes);
    }
}
