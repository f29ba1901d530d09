//! The `limit` of a rule.

use std::time::Duration;

use super::language;
use super::problems::{Problems, Word};
use super::reader::{Reader, Value};
use super::terms::read_time;
use super::{Defaults, HostFacts};
use crate::limits::{MAX_CPU, MAX_MEMORY, MAX_TASKS, MIN_MEMORY};
use crate::rule::RuleLimit;

/// As written.
#[derive(Default)]
pub(super) struct RawLimit {
    pub(super) default: Option<(Word, Duration)>,
    pub(super) max: Option<(Word, Duration)>,
    pub(super) grace: Option<(Word, Duration)>,
    pub(super) idle: Option<(Word, Duration)>,
    pub(super) tasks: Option<(Word, u32)>,
    pub(super) memory: Option<(Word, u64)>,
    pub(super) cpu: Option<(Word, u32)>,
}

pub(super) fn read(file: &Reader<'_>, value: &Value<'_>) -> RawLimit {
    let Some(table) = file.table(value, "limit") else {
        return RawLimit::default();
    };
    file.check_keys(table, &language::LIMIT);
    let time = |key| table.get(key).and_then(|value| read_time(file, value, key));
    let tasks = table.get("tasks").and_then(|value| {
        Some((
            file.raw(value),
            file.number(value, "tasks", (1, MAX_TASKS))?,
        ))
    });
    RawLimit {
        default: time("default"),
        max: time("max"),
        grace: time("grace"),
        idle: time("idle"),
        tasks,
        memory: table
            .get("memory")
            .and_then(|value| read_memory(file, value)),
        cpu: table.get("cpu").and_then(|value| read_cpu(file, value)),
    }
}

// As systemd reads them (systemd.resource-control(5)), but never a bare number, which of bytes and
// megabytes nobody knows.
fn read_memory(file: &Reader<'_>, value: &Value<'_>) -> Option<(Word, u64)> {
    let word = file.string(value, "memory")?;
    let split = word.text.split_at_checked(word.text.len().wrapping_sub(1));
    let bytes = split.and_then(|(number, unit)| {
        let unit: u64 = match unit {
            "K" => 1 << 10,
            "M" => 1 << 20,
            "G" => 1 << 30,
            "T" => 1 << 40,
            _ => return None,
        };
        plain(number).map(|number| number.saturating_mul(unit))
    });
    match bytes {
        Some(bytes) if (MIN_MEMORY..=MAX_MEMORY).contains(&bytes) => return Some((word, bytes)),
        Some(_) => file
            .problems
            .add(&word, "`memory` is from \"1M\" to \"1024T\""),
        None => {
            let message = format!(
                "{} is no size; write it as in \"512M\" or \"2G\"",
                word.quoted()
            );
            let likely = likely_size(&word.text);
            file.problems.suggest(&word, message, likely);
        }
    }
    None
}

// `512MB`, `512 MiB` and `512m` are `512M`.
fn likely_size(text: &str) -> Option<String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim().to_ascii_uppercase();
    let letter = unit.strip_suffix("IB").or(unit.strip_suffix('B'));
    let letter = letter.unwrap_or(&unit);
    let known = plain(number).is_some() && matches!(letter, "K" | "M" | "G" | "T");
    known.then(|| format!("{number}{letter}"))
}

fn read_cpu(file: &Reader<'_>, value: &Value<'_>) -> Option<(Word, u32)> {
    let word = file.string(value, "cpu")?;
    let percent = word.text.strip_suffix('%').and_then(plain);
    let percent = percent.and_then(|percent| u32::try_from(percent).ok());
    let percent = percent.filter(|percent| (1..=MAX_CPU).contains(percent));
    if percent.is_none() {
        let message = format!(
            "{} is no share of processors; write it in percent of one, as in \"50%\" or \"200%\"",
            word.quoted()
        );
        let bare = plain(&word.text).map(|number| format!("{number}%"));
        file.problems.suggest(&word, message, bare);
    }
    percent.map(|percent| (word, percent))
}

// Digits alone: no sign, no zero before another digit.
fn plain(text: &str) -> Option<u64> {
    let plain = text.len() == 1 || !text.starts_with('0');
    let digits = plain && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// What it means on this host.
pub(super) fn link(
    raw: &RawLimit,
    problems: &Problems,
    host: &HostFacts,
    defaults: &Defaults,
) -> RuleLimit {
    let most = raw.max.as_ref().map_or(defaults.limit_max, |(_, max)| *max);
    let default = raw
        .default
        .as_ref()
        .map_or(defaults.limit_default, |(_, time)| *time)
        .min(most);
    check_times(raw, default, most, problems);
    let bounds = [
        ("tasks", "pids", raw.tasks.as_ref().map(|(word, _)| word)),
        (
            "memory",
            "memory",
            raw.memory.as_ref().map(|(word, _)| word),
        ),
        ("cpu", "cpu", raw.cpu.as_ref().map(|(word, _)| word)),
    ];
    for (key, controller, word) in bounds {
        let missing = host
            .controllers
            .as_ref()
            .is_some_and(|all| !all.iter().any(|name| name == controller));
        if let Some(word) = word.filter(|_| missing) {
            let message = format!(
                "this host cannot enforce `{key}`: its cgroups have no `{controller}` controller"
            );
            problems.add(word, message);
        }
    }
    RuleLimit {
        default,
        max: most,
        tasks: raw.tasks.as_ref().map(|(_, tasks)| *tasks),
        memory: raw.memory.as_ref().map(|(_, memory)| *memory),
        cpu: raw.cpu.as_ref().map(|(_, cpu)| *cpu),
        grace: raw.grace.as_ref().map(|(_, grace)| *grace),
        idle: raw.idle.as_ref().map(|(_, idle)| *idle),
    }
}

fn check_times(raw: &RawLimit, default: Duration, most: Duration, problems: &Problems) {
    if let Some((word, _)) = raw.default.as_ref().filter(|(_, default)| *default > most) {
        let message = match raw.max {
            Some(_) => "`default` is longer than `max`".to_owned(),
            None => format!(
                "`default` is longer than the longest time of elevated.toml ({}); write `max` too",
                crate::judge::spoken(most)
            ),
        };
        problems.add(word, message);
    }
    if let Some((word, _)) = raw.grace.as_ref().filter(|(_, grace)| *grace >= default) {
        let message = format!(
            "`grace` is time before the end, and so shorter than the default ({})",
            crate::judge::spoken(default)
        );
        problems.add(word, message);
    }
    if let Some((word, _)) = raw.idle.as_ref().filter(|(_, idle)| *idle >= most) {
        let message = format!(
            "no session is idle for so long: `idle` is shorter than the longest time ({})",
            crate::judge::spoken(most)
        );
        problems.add(word, message);
    }
}
