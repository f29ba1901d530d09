//! What the journal has of it all.

use std::collections::BTreeSet;

use elevate_tests::{Entry, Machine};

use crate::table::{Table, shortened};

/// Events that the steps must have left.
const EVENTS: &[&str] = &[
    "request",
    "approval",
    "denial",
    "refusal",
    "withdrawal",
    "grant",
    "start",
    "exec",
    "edit",
    "file-transfer",
    "extend",
    "end",
    "revoke",
    "recording-read",
    "login",
    "login-refused",
    "login-open",
    "login-close",
    "rescue",
    "leave",
    "factor-enrolled",
    "factor-given",
    "factor-refused",
    "directory-contact",
    "identity-refused",
    "identity-changed",
];

/// Events of an elevation, which name all of it.
const OF_ELEVATIONS: &[&str] = &[
    "request",
    "approval",
    "denial",
    "grant",
    "start",
    "exec",
    "edit",
    "file-transfer",
    "end",
];

/// Everything that was put on record, oldest first.
pub(super) fn read(machine: &Machine) -> Vec<Entry> {
    machine.journal(&[("SYSLOG_IDENTIFIER", "elevate")])
}

/// The entries as people read them. Times count from the first one.
pub(super) fn table(entries: &[Entry]) -> Table {
    let mut table = Table::new(&[
        ">TIME", "EVENT", "REQUEST", "WHO", "WHAT", "RULE", "OUTCOME",
    ]);
    let first = entries.first().map_or(0, microseconds);
    for (number, entry) in entries.iter().enumerate() {
        let mut later = entries[number + 1..].iter();
        if later.any(|later| tries_again(entry, later)) {
            continue;
        }
        let seconds = (microseconds(entry).saturating_sub(first)) as f64 / 1e6;
        let event = field(entry, "ELEVATE_EVENT");
        table.push([
            format!("{seconds:.3}"),
            event,
            field(entry, "ELEVATE_REQUEST"),
            who(entry),
            shortened(&what(entry), 40),
            field(entry, "ELEVATE_RULE"),
            outcome(entry),
        ]);
    }
    table
}

/// Whether `later` is the same program, looked for in another folder of PATH. Each try is on record,
/// since the exec log knows of no exec whether it will succeed.
fn tries_again(entry: &Entry, later: &Entry) -> bool {
    let same = |name| entry.get(name) == later.get(name);
    field(later, "ELEVATE_EVENT") == "exec"
        && [
            "ELEVATE_EVENT",
            "ELEVATE_REQUEST",
            "ELEVATE_PID",
            "ELEVATE_ARGV",
        ]
        .into_iter()
        .all(same)
}

/// What it is about: a command, a login, or why.
fn what(entry: &Entry) -> String {
    let argv = entry.get("ELEVATE_ARGV").map(|argv| format!("  {argv}"));
    let login = || {
        let service = entry.get("ELEVATE_SERVICE")?;
        let from = ["ELEVATE_SOURCE", "ELEVATE_TERMINAL"].map(|name| field(entry, name));
        let from = from.into_iter().find(|text| !text.is_empty());
        let why = entry.get("ELEVATE_REASON");
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        Some(format!("{service} from {}{why}", from?))
    };
    let file = || {
        let action = entry.get("ELEVATE_ACTION");
        let path = field(entry, "ELEVATE_PATH");
        action.map(|action| format!("  {action} {path}"))
    };
    let others = ["ELEVATE_COMMAND", "ELEVATE_PURPOSE", "ELEVATE_REASON"];
    let other = || others.into_iter().find_map(|name| entry.get(name));
    argv.or_else(login)
        .or_else(file)
        .or_else(other)
        .unwrap_or_default()
}

fn who(entry: &Entry) -> String {
    let user = field(entry, "ELEVATE_USER");
    match entry.get("ELEVATE_TARGET") {
        Some(target) => format!("{user} → {target}"),
        None => user,
    }
}

fn outcome(entry: &Entry) -> String {
    let outcome = field(entry, "ELEVATE_OUTCOME");
    let more = ["ELEVATE_STATUS", "ELEVATE_APPROVER"].map(|name| field(entry, name));
    match more.into_iter().find(|text| !text.is_empty()) {
        Some(status) if field(entry, "ELEVATE_EVENT") == "end" => format!("{outcome}, {status}"),
        Some(who) => format!("{outcome} by {who}"),
        None => outcome,
    }
}

fn field(entry: &Entry, name: &str) -> String {
    entry.get(name).unwrap_or_default()
}

fn microseconds(entry: &Entry) -> u64 {
    let time = entry.get("__REALTIME_TIMESTAMP");
    time.and_then(|time| time.parse().ok()).unwrap_or(0)
}

/// What should be on record and is not.
pub(super) fn missing(entries: &[Entry]) -> Vec<String> {
    let kinds: BTreeSet<_> = entries
        .iter()
        .map(|entry| field(entry, "ELEVATE_EVENT"))
        .collect();
    let events = EVENTS.iter().filter(|event| !kinds.contains(**event));
    let events = events.map(|event| format!("there is no event {event:?}"));
    let fields = entries.iter().filter_map(lacks);
    events.chain(fields).collect()
}

/// A field that an entry lacks.
fn lacks(entry: &Entry) -> Option<String> {
    let event = field(entry, "ELEVATE_EVENT");
    if !OF_ELEVATIONS.contains(&event.as_str()) {
        return None;
    }
    let fields = [
        "ELEVATE_REQUEST",
        "ELEVATE_USER",
        "ELEVATE_TARGET",
        "ELEVATE_COMMAND",
        "ELEVATE_RULE",
        "ELEVATE_OUTCOME",
    ];
    let lacking = fields
        .into_iter()
        .find(|name| field(entry, name).is_empty())?;
    Some(format!("an entry for {event:?} has no {lacking}"))
}
