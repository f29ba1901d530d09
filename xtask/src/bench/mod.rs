//! Elevate beside its peers, on one machine in one run.

mod cases;
mod memory;
mod report;
mod statistics;
mod timing;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::{Machine, Release, Spec, target_dir};

use self::cases::{CASES, Case};
use self::memory::Memory;
use self::report::Group;
use self::timing::Place;
use crate::dist;
use crate::style::Style;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains this
    filter: Option<String>,
    /// How often each case runs, after a warm-up
    #[arg(long, default_value_t = 300)]
    rounds: usize,
    /// The Debian release: trixie or bookworm
    #[arg(long, default_value = "trixie")]
    release: Release,
}

/// Measures, prints, and writes target/bench/results.json. A goal that is missed is no failure.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let cases = chosen(arguments.filter.as_deref())?;
    let debs = dist::run()?;
    let machine = Machine::boot(Spec::new("bench").release(arguments.release).debs(debs))?;
    cases::prepare(&machine);
    let mut memory = memory::idle(&machine)?;
    let login = machine.login(cases::USER);

    let load = load()?;
    let mut groups = Vec::new();
    for place in Place::ALL {
        eprintln!("measuring ({}) ...", place.name());
        let measured = timing::measure(&login, place, &cases, arguments.rounds)?;
        groups.push(Group::new(place, &cases, measured));
    }
    memory.extend(memory::busy(&machine, &login)?);

    print(&groups, &memory);
    println!("{}", host(load));
    let results = report::json(arguments.release.name(), load, &groups, &memory);
    let path = write(&serde_json::to_string_pretty(&results)?)?;
    println!("All of it: {}", path.display());
    Ok(())
}

fn chosen(filter: Option<&str>) -> Result<Vec<&'static Case>> {
    let filter = filter.unwrap_or_default();
    let chosen: Vec<_> = CASES
        .iter()
        .filter(|case| case.name.contains(filter))
        .collect();
    ensure!(!chosen.is_empty(), "no case is called {filter:?}");
    Ok(chosen)
}

fn print(groups: &[Group], memory: &[Memory]) {
    for group in groups {
        let kind = match group.place {
            Place::Terminal => "At a terminal",
            Place::Pipes => "With pipes, as in scripts",
        };
        println!("{kind}:\n\n{}", group.table());
    }
    println!("Memory:\n\n{}", report::memory_table(memory));
    let verdicts = groups.iter().flat_map(Group::verdicts);
    let style = Style::of_output();
    for (met, text) in verdicts.chain(report::memory_verdicts(memory)) {
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
            let cases = chosen(Some(filter)).unwrap();
            cases.iter().map(|case| case.name).collect()
        };
        assert_eq!(names("sudo"), ["sudo -n true", "sudo-rs -n true"]);
        assert!(chosen(Some("su -c")).is_err());
        assert!(chosen(None).unwrap().len() > 5);
    }
}
