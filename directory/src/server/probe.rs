//! Whether a server is still there. A cut network says nothing: who hears nothing for a while asks,
//! and waits no longer than the timeout. Pure: the time is an argument.

use std::time::{Duration, Instant};

/// How long nothing may be heard before the server is asked, and how often it is said to be there.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// When the server was heard, and asked.
#[derive(Debug)]
pub struct Probe {
    told: Instant,
    heard: Instant,
    asked: Option<Instant>,
    timeout: Duration,
}

/// What to do at the time that [`Probe::due`] names.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Wait,
    /// Ask the server for a sign of life.
    Ask,
    /// It has been silent for too long.
    Silent,
}

impl Probe {
    /// The server was heard just now.
    pub fn new(now: Instant, timeout: Duration) -> Self {
        Probe {
            told: now,
            heard: now,
            asked: None,
            timeout,
        }
    }

    /// How long the server may take to answer.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Something came. Whether to tell that the server is there.
    pub fn heard(&mut self, now: Instant) -> bool {
        self.heard = now;
        self.asked = None;
        let tell = now.duration_since(self.told) >= INTERVAL;
        if tell {
            self.told = now;
        }
        tell
    }

    /// When to look again.
    pub fn due(&self) -> Instant {
        match self.asked {
            Some(asked) => asked + self.timeout,
            None => self.heard.min(self.told) + INTERVAL,
        }
    }

    /// It is time to look.
    pub fn look(&mut self, now: Instant) -> Due {
        match self.asked {
            _ if now < self.due() => Due::Wait,
            Some(_) => Due::Silent,
            None => {
                self.asked = Some(now);
                Due::Ask
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_server_is_asked_and_then_given_up() {
        let start = Instant::now();
        let second = |seconds| start + Duration::from_secs(seconds);
        let mut probe = Probe::new(start, Duration::from_secs(3));
        assert_eq!(probe.look(second(4)), Due::Wait);
        assert_eq!(probe.look(second(5)), Due::Ask);
        assert_eq!(probe.look(second(7)), Due::Wait);
        assert!(probe.heard(second(7)), "told every five seconds");
        assert_eq!(probe.due(), second(12));
        assert_eq!(probe.look(second(12)), Due::Ask);
        assert_eq!(probe.due(), second(15));
        assert_eq!(probe.look(second(15)), Due::Silent);
    }

    #[test]
    fn a_server_that_talks_a_lot_is_told_of_every_five_seconds() {
        let start = Instant::now();
        let mut probe = Probe::new(start, Duration::from_secs(5));
        let told = (0..30)
            .filter(|second| probe.heard(start + Duration::from_secs(*second)))
            .count();
        assert_eq!(told, 5);
    }
}
