//! The machine and the people on it, and what the one who watches is told.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use elevate_tests::{Factor, Machine};

use super::seat::{Answer, Seat, Who};
use crate::style::Style;

/// Of a longer output only its begin and its end are shown; the checks see all of it.
const LONG: usize = 9;
const BEGIN: usize = 4;
const END: usize = 4;

/// One line typed at a shell, and what must come of it.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) who: Who,
    pub(super) line: &'static str,
    pub(super) status: u8,
    pub(super) shows: &'static [&'static str],
}

pub(super) struct Stage<'m> {
    pub(super) machine: &'m Machine,
    pub(super) style: Style,
    pub(super) seats: Vec<(Who, Seat<'m>)>,
    /// Second factors, by account.
    pub(super) factors: Vec<(&'static str, Factor<'m>)>,
    /// Whether long outputs are shown whole.
    whole: bool,
    /// What one step leaves for a later one.
    pub(super) left: Left,
}

/// Empty where a step went wrong: later ones then fail by themselves.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// The request that waits.
    pub(super) request: String,
    /// What systemd said of cron before it was to be restarted.
    pub(super) cron: String,
    /// A session whose recording is worth a look.
    pub(super) session: String,
    /// The session in which a note was written.
    pub(super) note: String,
}

impl<'m> Stage<'m> {
    pub(super) fn new(machine: &'m Machine, style: Style) -> Self {
        let mut stage = Self {
            machine,
            style,
            seats: Vec::new(),
            factors: Vec::new(),
            whole: false,
            left: Left::default(),
        };
        stage.sits_down(Who::Root, Seat::at_console(machine));
        stage
    }

    /// Has a line typed and insists on what it must come to.
    pub(super) fn plays(&mut self, typed: &Typed) -> Result<()> {
        self.says(typed.who, typed.line, typed.status, typed.shows)?;
        Ok(())
    }

    /// The same with a line that is known only now.
    pub(super) fn says(
        &mut self,
        who: Who,
        line: &str,
        status: u8,
        shows: &[&str],
    ) -> Result<Answer> {
        self.begins(who, line);
        self.ends(who, status, shows)
    }

    /// The same, with every line of the output shown however many there are.
    pub(super) fn reads(&mut self, who: Who, line: &str, shows: &[&str]) -> Result<Answer> {
        self.whole = true;
        let answer = self.says(who, line, 0, shows);
        self.whole = false;
        answer
    }

    /// Has a line typed and does not wait for its end.
    pub(super) fn begins(&mut self, who: Who, line: &str) {
        let sign = if who == Who::Root { '#' } else { '$' };
        let name = self.style.name(who.seat());
        println!("     {name}{sign} {}", self.style.bold(line));
        self.seat(who).enter(line);
    }

    /// Has keys pressed, `shown` as these words.
    pub(super) fn presses(&mut self, who: Who, keys: &str, shown: &str) {
        self.does(who, &format!("presses {shown}"));
        self.seat(who).press(keys);
    }

    /// Waits until somebody's terminal shows a pattern.
    pub(super) fn sees(&mut self, who: Who, pattern: &str) -> String {
        let lines = self.seat(who).sees(pattern);
        self.output(&lines);
        lines.join("\n")
    }

    /// The same, with every line shown.
    pub(super) fn sees_all(&mut self, who: Who, pattern: &str) -> String {
        self.whole = true;
        let text = self.sees(who, pattern);
        self.whole = false;
        text
    }

    /// Tells that what is shown next is on this terminal.
    pub(super) fn looks_at(&self, who: Who, what: &str) {
        self.tells(&format!("{}'s terminal, {what}:", who.seat()));
    }

    /// Tells what is done away from the shells.
    pub(super) fn does(&self, who: Who, what: &str) {
        let name = self.style.name(who.seat());
        println!("     {name} {}", self.style.dim(what));
    }

    /// Tells something.
    pub(super) fn tells(&self, what: &str) {
        println!("     {}", self.style.dim(what));
    }

    /// Waits for the prompt and insists on the status and on what was shown.
    pub(super) fn ends(&mut self, who: Who, status: u8, shows: &[&str]) -> Result<Answer> {
        let answer = self.ends_somehow(who);
        if answer.status != status {
            bail!("the status should be {status} and is {}", answer.status);
        }
        let text = answer.text();
        for wanted in shows {
            ensure!(text.contains(wanted), "the output should hold {wanted:?}");
        }
        Ok(answer)
    }

    /// Waits for the prompt, whatever the status.
    pub(super) fn ends_somehow(&mut self, who: Who) -> Answer {
        let answer = self.seat(who).answer();
        self.output(&answer.shown);
        self.tells(&format!(
            "status {} after {}",
            answer.status,
            took(answer.took)
        ));
        answer
    }

    /// Shows what is on a screen.
    pub(super) fn output(&self, lines: &[String]) {
        let (begin, end) = match lines.len() {
            count if count <= LONG || self.whole => (lines, &[][..]),
            count => (&lines[..BEGIN], &lines[count - END..]),
        };
        self.lines(begin);
        let left_out = lines.len() - begin.len() - end.len();
        if left_out > 0 {
            self.tells(&format!("│ ... {left_out} lines more ..."));
        }
        self.lines(end);
    }

    fn lines(&self, lines: &[String]) {
        for line in lines {
            println!("     {} {line}", self.style.dim("│"));
        }
    }
}

/// A time as people read it.
pub(super) fn took(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1000.0),
        seconds => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_to_read() {
        assert_eq!(took(Duration::from_micros(12_600)), "13 ms");
        assert_eq!(took(Duration::from_millis(5_040)), "5.0 s");
    }
}
