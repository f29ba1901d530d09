//! Where a request stands, while it waits for approvals.

use std::time::{Duration, Instant};

use elevate_protocol::{Id, escape};

/// A request that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Which.
    pub request: Id,
    /// Approvals that are needed in all.
    pub needed: u32,
    /// Approvals so far.
    pub agreed: u32,
    /// Who may approve, as the rule names them.
    pub approvers: Vec<String>,
    /// When it is over.
    pub expires: Instant,
}

impl Waiting {
    /// One line, at most `columns` characters wide.
    pub fn line(&self, now: Instant, columns: usize) -> String {
        let missing = self.needed.saturating_sub(self.agreed);
        let plural = if missing == 1 { "" } else { "s" };
        let who = match self.approvers.as_slice() {
            [] => String::new(),
            names => format!(" ({})", approvers(names)),
        };
        let left = clock(self.expires.saturating_duration_since(now));
        let end = format!(" · request {} · {left} left", self.request);
        let begin = format!("waiting for {missing} approval{plural}");
        let room = columns.saturating_sub(begin.chars().count() + end.chars().count());
        format!("{begin}{}{end}", shortened(&who, room))
    }

    /// How long until the line changes by itself.
    pub fn next_change(&self, now: Instant) -> Duration {
        let left = self.expires.saturating_duration_since(now);
        let fraction = Duration::from_nanos(left.subsec_nanos().into());
        fraction + Duration::from_millis(1)
    }
}

/// `role:lead` as people say it.
fn approvers(names: &[String]) -> String {
    let names = names.iter().map(|name| {
        let name = escape::line(name.as_bytes());
        match name.strip_prefix("role:") {
            Some(role) => format!("role {role}"),
            None => name,
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    match room {
        0..=3 => String::new(),
        _ => text.chars().take(room - 2).chain("…)".chars()).collect(),
    }
}

/// Minutes and seconds, with hours where there are any.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// One line for somebody's yes.
pub fn approval(voter: &str, agreed: u32, needed: u32) -> String {
    let voter = escape::line(voter.as_bytes());
    format!("{voter} approved ({agreed} of {needed})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(approvers: &[&str]) -> (Waiting, Instant) {
        let now = Instant::now();
        let waiting = Waiting {
            request: Id::from_random(1),
            needed: 1,
            agreed: 0,
            approvers: approvers.iter().map(|name| name.to_string()).collect(),
            expires: now + Duration::from_secs(14 * 60 + 32),
        };
        (waiting, now)
    }

    #[test]
    fn the_line_says_who_is_waited_for_and_how_long() {
        let (waiting, now) = waiting(&["bob", "role:lead"]);
        assert_eq!(
            waiting.line(now, 200),
            "waiting for 1 approval (bob, role lead) · request 10000000 · 14:32 left"
        );
    }

    #[test]
    fn a_narrow_terminal_gets_one_line_and_still_the_id() {
        let (waiting, now) = waiting(&["a-very-long-name-indeed", "role:lead", "%wheel"]);
        let line = waiting.line(now, 70);
        assert!(line.chars().count() <= 70, "{line}");
        assert!(
            line.contains("…) · request 10000000 · 14:32 left"),
            "{line}"
        );
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        let (waiting, now) = waiting(&["\x1b[2Jbob\nroot# "]);
        let line = waiting.line(now, 200);
        assert!(line.contains("\\x1b[2Jbob\\nroot#"), "{line}");
        assert_eq!(approval("e\rve", 1, 2), "e\\rve approved (1 of 2)");
    }

    #[test]
    fn hours_are_shown_where_there_are_any() {
        assert_eq!(clock(Duration::from_secs(3661)), "1:01:01");
        assert_eq!(clock(Duration::from_secs(59)), "0:59");
    }

    #[test]
    fn the_next_change_is_at_the_next_second() {
        let (waiting, now) = waiting(&[]);
        let later = now + Duration::from_millis(250);
        let step = waiting.next_change(later);
        assert!(step > Duration::from_millis(700) && step < Duration::from_millis(800));
    }
}
