//! How a session runs, as the rule said when it was asked for.

use std::time::Duration;

use elevate_protocol::launch::{Confinement, Execs, OnFull, Record};
use serde::{Deserialize, Serialize};

use crate::clock::Moment;

/// What the rule says of a session; it never changes, whatever the policy says later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The longest that any grant of this rule may last.
    pub longest: Duration,
    /// When the hours of the rule, or what else bounds its time, are over, on the boot clock.
    #[serde(default)]
    pub until: Option<u64>,
    /// How long an extension lasts that names no time.
    pub default: Duration,
    /// How long before the end the tree gets SIGTERM.
    pub grace: Duration,
    /// How long nobody may press a key before the terminal is held.
    pub idle: Option<Duration>,
    /// How many tasks the session may have.
    pub tasks: Option<u32>,
    /// How many bytes of memory.
    pub memory: Option<u64>,
    /// How much processor time, in percent of one processor.
    pub cpu: Option<u32>,
    /// What is recorded.
    pub record: Record,
    /// What happens where a recording finds no room.
    pub on_full: OnFull,
    /// What becomes of execs.
    pub execs: Execs,
    /// Whether it runs only while somebody watches.
    pub watched: bool,
    /// What the command is confined to.
    pub confinement: Confinement,
}

impl Terms {
    /// Whether the rule's own time is over.
    pub fn is_over(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| now.boot >= until)
    }

    /// When a request of `now` lapses that waits for so long at most, on the boot clock: with the
    /// rule's own time at the latest.
    pub fn lapse(&self, now: Moment, waits: Duration) -> u64 {
        let late = now.boot + waits.as_millis() as u64;
        late.min(self.until.unwrap_or(late))
    }

    /// Whether systemd must have set limits before anything runs.
    pub fn limited(&self) -> bool {
        self.tasks.is_some() || self.memory.is_some() || self.cpu.is_some()
    }
}
