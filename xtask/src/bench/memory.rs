//! How much memory our processes hold.

use std::time::Duration;

use anyhow::{Context as _, Result};
use elevate_tests::{Login, Machine};
use serde_json::{Value, json};

/// One process of ours.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) name: &'static str,
    /// Resident, in KiB; pages shared with others count fully.
    pub(super) rss: u64,
    /// The proportional share of what it holds, in KiB: shared pages count in parts.
    pub(super) pss: u64,
    /// What belongs to no file, in KiB: its data, which nobody else could use.
    pub(super) own: u64,
    /// The most it should be, in KiB of `rss`.
    pub(super) goal: Option<u64>,
}

impl Memory {
    pub(super) fn met(&self) -> Option<bool> {
        self.goal.map(|goal| self.rss <= goal)
    }

    pub(super) fn json(&self) -> Value {
        let Self {
            name,
            rss,
            pss,
            own,
            goal,
        } = self;
        json!({
            "name": name,
            "rss_kib": rss,
            "pss_kib": pss,
            "own_kib": own,
            "goal_kib": goal,
            "met": self.met(),
        })
    }
}

/// The daemons before anybody asked for anything.
pub(super) fn idle(machine: &Machine) -> Result<Vec<Memory>> {
    // The launcher starts when it is first needed.
    let elevated = machine.main_pid("elevated").context("elevated is down")?;
    Ok(vec![of(
        machine,
        "elevated, idle",
        elevated,
        Some(15 * 1024),
    )?])
}

/// The daemons after many sessions, and the leader of one that runs.
pub(super) fn busy(machine: &Machine, login: &Login<'_>) -> Result<Vec<Memory>> {
    let session = login.command("elevate sleep 300").start();
    let leader = machine.poll("a session", Duration::from_secs(20), || leader(login));
    let elevated = machine.main_pid("elevated").context("elevated is down")?;
    let launcher = machine.main_pid("elevate-launcher");
    let launcher = launcher.context("the launcher is down")?;
    let found = vec![
        of(machine, "elevated, after the bench", elevated, None)?,
        of(machine, "elevate-launcher", launcher, None)?,
        of(machine, "one leader", leader, Some(3 * 1024))?,
    ];
    machine.signal(leader, "KILL");
    session.wait();
    Ok(found)
}

/// The leader of the session that runs.
fn leader(login: &Login<'_>) -> Option<u32> {
    let listed = login.run("elevatectl sessions list --json").stdout;
    let listed: Value = serde_json::from_slice(&listed).ok()?;
    let running = |session: &&Value| session["state"] == "running";
    let session = listed.as_array()?.iter().find(running)?;
    session["leader"].as_u64()?.try_into().ok()
}

/// The leader of every session that runs.
pub(super) fn leaders(machine: &Machine) -> Result<Vec<Memory>> {
    let listed = machine.run(&["elevatectl", "sessions", "list", "--json"]);
    let listed: Value = serde_json::from_slice(&listed.success().stdout)?;
    let listed = listed.as_array().context("no list of sessions")?;
    let running = listed.iter().filter(|one| one["state"] == "running");
    let pids = running.filter_map(|session| session["leader"].as_u64());
    let files: Vec<_> = pids
        .map(|pid| format!("/proc/{pid}/smaps_rollup"))
        .collect();
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<_> = ["cat"]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    let text = machine.run(&words).success().text();
    // Each begins with its range of addresses.
    let each = text.split("[rollup]").skip(1);
    each.map(|text| read(text, "one leader", None)).collect()
}

pub(super) fn of(
    machine: &Machine,
    name: &'static str,
    pid: u32,
    goal: Option<u64>,
) -> Result<Memory> {
    let text = machine.read(&format!("/proc/{pid}/smaps_rollup"));
    read(&String::from_utf8_lossy(&text), name, goal)
}

/// What a proc_pid_smaps(5) rollup says.
fn read(text: &str, name: &'static str, goal: Option<u64>) -> Result<Memory> {
    let field = |field| kib(text, field).with_context(|| format!("{field} of {name}"));
    Ok(Memory {
        name,
        rss: field("Rss:")?,
        pss: field("Pss:")?,
        own: field("Pss_Anon:")?,
        goal,
    })
}

/// The number in a line of proc_pid_smaps(5).
fn kib(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "556-7ff ---p [rollup]\nPss_Dirty:    12 kB\nRss:   8128 kB\nPss:    4063 kB\n";
        assert_eq!(kib(text, "Rss:"), Some(8128));
        assert_eq!(kib(text, "Pss:"), Some(4063));
        assert_eq!(kib(text, "Swap:"), None);
    }

    #[test]
    fn a_goal_is_met_up_to_its_last_kib() {
        let memory = |rss, goal| Memory {
            name: "x",
            rss,
            pss: 0,
            own: 0,
            goal,
        };
        assert_eq!(memory(3072, Some(3072)).met(), Some(true));
        assert_eq!(memory(3073, Some(3072)).met(), Some(false));
        assert_eq!(memory(1, None).met(), None);
    }
}
