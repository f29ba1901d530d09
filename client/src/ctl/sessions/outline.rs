//! What a recording holds in all, found out by reading it once.

use std::io::Read;
use std::time::Duration;

use elevate_protocol::recording::{Event, Mark};
use elevate_protocol::stream::EndReason;

use super::offset;
use super::tape::Tape;
use crate::ctl::text::escaped;
use crate::failure::Failure;

/// A recording's size and marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// When its last event is.
    pub(super) length: Duration,
    /// When each command began.
    pub(super) commands: Vec<Duration>,
    /// Bytes that were shown.
    pub(super) shown: u64,
    /// Why we ended it, where we did.
    pub(super) reason: Option<EndReason>,
    /// How the command ended; none where the recording is not complete.
    pub(super) status: Option<String>,
}

impl Outline {
    /// Read `tape` to its end.
    pub(super) fn of<R: Read>(tape: &mut Tape<R>) -> Result<Outline, Failure> {
        let mut outline = Outline::default();
        while let Some(moment) = tape.next()? {
            outline.length = moment.at;
            match moment.event {
                Event::Output(text) => outline.shown += text.len() as u64,
                Event::Exit(status) => outline.status = Some(status),
                Event::Marker(Mark::Exec(_)) => outline.commands.push(moment.at),
                Event::Marker(Mark::End(reason)) => outline.reason = Some(reason),
                _ => {}
            }
        }
        Ok(outline)
    }

    /// How it ended, for people.
    pub(super) fn ending(&self) -> String {
        ending(self.length, self.status.as_deref(), self.reason.as_ref())
    }
}

/// How a recording of this length ended, for people.
pub(super) fn ending(length: Duration, status: Option<&str>, reason: Option<&EndReason>) -> String {
    let length = offset::short(length);
    let Some(status) = status.map(escaped) else {
        return format!("recorded for {length}; it still runs, or was cut off");
    };
    match reason {
        None => format!("ended after {length} with status {status}"),
        Some(reason) => format!(
            "ended after {length} ({}) with status {status}",
            reason.word()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tape::tests::{after, exec, text};
    use super::*;

    fn outline(bytes: &str) -> Outline {
        Outline::of(&mut Tape::open(bytes.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn an_outline_counts_what_a_recording_holds() {
        let bytes = text(|encoder| {
            let mut lines = encoder.output(after(1.0), b"hello").unwrap();
            lines += &encoder.marker(after(2.0), exec(1, "ls"));
            lines += &encoder.marker(after(2.5), exec(2, "id"));
            lines += &encoder.marker(after(70.0), Mark::End(EndReason::Deadline));
            lines + &encoder.exit(after(71.0), "137")
        });
        let outline = outline(&bytes);
        assert_eq!(outline.length, after(71.0));
        assert_eq!(outline.commands, [after(2.0), after(2.5)]);
        assert_eq!(outline.shown, 5);
        assert_eq!(
            outline.ending(),
            "ended after 1:11 (deadline) with status 137"
        );
    }

    #[test]
    fn a_recording_without_an_end_says_so() {
        let bytes = text(|encoder| encoder.output(after(1.0), b"hello").unwrap());
        let ending = outline(&bytes).ending();
        assert_eq!(ending, "recorded for 0:01; it still runs, or was cut off");
    }
}
