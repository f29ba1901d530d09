//! How the directory stands, for `elevatectl directory status`.

use super::directory::Refused;
use super::link::Link;
use super::state::State;
use crate::clock::Moment;

/// Refused records that are shown; the rest is counted.
const SHOWN: usize = 500;

/// What is told, by the keys of `protocol::bus::directory`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// `none`, `connected`, `disconnected` or `expired`.
    pub state: &'static str,
    /// Where the records come from.
    pub source: String,
    /// What is wrong; empty if nothing is.
    pub problem: String,
    /// When the directory was last reached, in milliseconds since 1970.
    pub last_contact: Option<u64>,
    /// When the records stop counting if it is not reached before, in milliseconds since 1970.
    pub valid_until: Option<u64>,
    /// People with a record.
    pub people: u32,
    /// Those of them who are published here.
    pub admitted: u32,
    /// Groups with a record.
    pub groups: u32,
    /// What is not believed, by name, and why; for root alone.
    pub refused: Vec<(String, String)>,
}

impl Status {
    pub(super) fn of(state: &State, link: &Link, further: &[Option<String>], now: Moment) -> Self {
        let (people, groups) = state.directory.counts();
        let age = state.freshness.age(now, &state.place.boot_id);
        let left = age.and_then(|age| state.place.cache_max_age.checked_sub(age));
        let valid_until = left.map(|left| now.wall + left.as_millis() as u64);
        let never = age.is_none() && !link.is_fed();
        let word = match (people, groups) {
            (0, 0) if never => "none",
            (0, 0) => connection(link, now),
            _ if state.is_outdated(now) => "expired",
            _ => connection(link, now),
        };
        Status {
            state: word,
            source: state.directory.source().unwrap_or_default().to_owned(),
            problem: problems(state, link, further, now),
            last_contact: state.freshness.last_reached(),
            valid_until,
            people: count(people),
            admitted: count(state.people().len()),
            groups: count(groups),
            refused: refused(state.refused()),
        }
    }
}

fn connection(link: &Link, now: Moment) -> &'static str {
    match link.is_connected(now) {
        true => "connected",
        false => "disconnected",
    }
}

fn problems(state: &State, link: &Link, further: &[Option<String>], now: Moment) -> String {
    let left_over = state.directory.left_over();
    let all = [
        link.problem(now),
        state
            .directory
            .withheld()
            .map(|withheld| withheld.to_string()),
        (left_over > 0).then(|| format!("{left_over} records are left out: there are too many")),
    ];
    let all = all.into_iter().chain(further.iter().cloned());
    let all: Vec<String> = all.flatten().collect();
    all.join("; ")
}

fn refused(refused: &[Refused]) -> Vec<(String, String)> {
    let shown = refused.iter().take(SHOWN);
    let mut list: Vec<_> = shown
        .map(|one| (one.name.clone(), one.why.clone()))
        .collect();
    if refused.len() > SHOWN {
        list.push((format!("and {} more", refused.len() - SHOWN), String::new()));
    }
    list
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
