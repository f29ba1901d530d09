//! A recording with the screen that it shows, at one place, which can be anywhere in it.

use std::io::Read;
use std::time::Duration;

use elevate_protocol::recording::{Event, Header, Mark};
use elevate_protocol::stream::{EndReason, Window};

use super::playhead::Gap;
use super::screen::Screen;
use super::tape::{Moment, Position, Tape};
use crate::failure::Failure;

/// How much text lies between two places that are gone back to: emulating less than this again
/// takes a moment.
const CHECKPOINT_BYTES: u64 = 4 * 1024 * 1024;

/// Where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Behind every event until then.
    At(Duration),
    /// Behind the mark of this command, counted from 1.
    Command(usize),
}

/// A recording at one place.
pub(super) struct Film<R> {
    /// The file from its beginning.
    fresh: R,
    tape: Tape<R>,
    screen: Screen,
    /// The event that comes next, if there is one yet.
    next: Option<Moment>,
    place: Place,
    checkpoints: Vec<Checkpoint>,
}

/// What was passed.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// When the last event was.
    pub(super) at: Duration,
    /// How many commands began.
    pub(super) commands: usize,
    /// The last of them, escaped.
    pub(super) command: Option<String>,
    /// The status, once the session ended.
    pub(super) status: Option<String>,
    /// Why it ended, where the command did not end it.
    pub(super) reason: Option<EndReason>,
}

struct Checkpoint {
    position: Position,
    place: Place,
    size: (usize, usize),
    dump: String,
}

impl<R: Read + Clone> Film<R> {
    /// The recording in the file `fresh`, at its beginning.
    pub(super) fn open(fresh: R) -> Result<Self, Failure> {
        let tape = Tape::open(fresh.clone())?;
        Film::of(fresh, tape)
    }

    /// The same, where nothing but the header was read from `tape` yet.
    pub(super) fn of(fresh: R, tape: Tape<R>) -> Result<Self, Failure> {
        let screen = Screen::new(size(tape.header()));
        let mut film = Film {
            fresh,
            tape,
            screen,
            next: None,
            place: Place::default(),
            checkpoints: Vec::new(),
        };
        film.keep_checkpoint();
        film.look()?;
        Ok(film)
    }

    /// What the recording says of itself.
    pub(super) fn header(&self) -> &Header {
        self.tape.header()
    }

    /// The screen here.
    pub(super) fn screen(&self) -> &Screen {
        &self.screen
    }

    /// What was passed.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The time until the next event; none where there is none yet.
    pub(super) fn gap(&self) -> Option<Gap> {
        let next = self.next.as_ref()?;
        Some(Gap {
            from: self.place.at,
            to: next.at,
        })
    }

    /// See whether there is a next event by now; whether there is.
    pub(super) fn look(&mut self) -> Result<bool, Failure> {
        if self.next.is_none() {
            self.next = self.tape.next()?;
        }
        Ok(self.next.is_some())
    }

    /// Let the next event happen; it, if there was one.
    pub(super) fn step(&mut self) -> Result<Option<Moment>, Failure> {
        let Some(moment) = self.next.take() else {
            return Ok(None);
        };
        self.place.at = moment.at;
        match &moment.event {
            Event::Output(text) => self.screen.show(text),
            Event::Resize(size) => self.screen.resize(*size),
            Event::Exit(status) => self.place.status = Some(status.clone()),
            Event::Marker(Mark::Exec(exec)) => {
                self.place.commands += 1;
                self.place.command = Some(exec.command.clone());
            }
            Event::Marker(Mark::End(reason)) => self.place.reason = Some(reason.clone()),
            _ => {}
        }
        self.keep_checkpoint();
        self.look()?;
        Ok(Some(moment))
    }

    /// Whether nothing before `goal` is still to happen.
    pub(super) fn reached(&self, goal: Goal) -> bool {
        match (goal, &self.next) {
            (_, None) => true,
            (Goal::At(at), Some(next)) => next.at > at,
            (Goal::Command(number), _) => self.place.commands >= number,
        }
    }

    /// Go back to a place before `goal`, if it lies behind us. From there steps lead to it.
    pub(super) fn rewind(&mut self, goal: Goal) -> Result<(), Failure> {
        let passed = |place: &Place| match goal {
            Goal::At(at) => place.at > at,
            Goal::Command(number) => place.commands >= number,
        };
        if !passed(&self.place) {
            return Ok(());
        }
        let before = |checkpoint: &&Checkpoint| !passed(&checkpoint.place);
        let Some(checkpoint) = self.checkpoints.iter().rev().find(before) else {
            return Ok(());
        };
        self.tape
            .return_to(checkpoint.position, self.fresh.clone())?;
        let (columns, rows) = checkpoint.size;
        self.screen = Screen::new(window(columns, rows));
        self.screen.show(&checkpoint.dump);
        self.place = checkpoint.place.clone();
        self.next = None;
        self.look()?;
        Ok(())
    }

    /// Remember this place, if it is far enough from the last one that was.
    fn keep_checkpoint(&mut self) {
        let position = self.tape.position();
        let last = self.checkpoints.last();
        if last.is_some_and(|last| position.bytes() < last.position.bytes() + CHECKPOINT_BYTES) {
            return;
        }
        self.checkpoints.push(Checkpoint {
            position,
            place: self.place.clone(),
            size: self.screen.size(),
            dump: self.screen.dump(),
        });
    }
}

/// The size of the terminal in the beginning.
pub(super) fn size(header: &Header) -> Window {
    Window {
        rows: header.term.rows,
        columns: header.term.cols,
    }
}

fn window(columns: usize, rows: usize) -> Window {
    let length = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
    Window {
        rows: length(rows),
        columns: length(columns),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tape::tests::{after, exec, text};
    use super::*;

    fn sample() -> String {
        text(|encoder| {
            let mut lines = encoder.output(after(1.0), b"one\r\n").unwrap();
            lines += &encoder.marker(after(2.0), exec(1, "ls"));
            lines += &encoder.output(after(3.0), b"\x1b[2Jtwo").unwrap();
            lines += &encoder.resize(
                after(4.0),
                Window {
                    rows: 5,
                    columns: 30,
                },
            );
            lines += &encoder.marker(after(5.0), exec(2, "id -u"));
            lines += &encoder.marker(after(5.0), exec(3, "true"));
            lines + &encoder.exit(after(6.0), "0")
        })
    }

    fn go<R: Read + Clone>(film: &mut Film<R>, goal: Goal) {
        film.rewind(goal).unwrap();
        while !film.reached(goal) {
            film.step().unwrap();
        }
    }

    fn shown<R: Read + Clone>(film: &Film<R>) -> String {
        film.screen().picture(80, 24).rows.concat()
    }

    #[test]
    fn every_place_shows_what_stood_there_then_from_either_side() {
        let bytes = sample();
        let mut film = Film::open(bytes.as_bytes()).unwrap();
        for (at, screen, commands) in [
            (0.5, "", 0),
            (2.0, "one", 1),
            (60.0, "two", 3),
            (1.0, "one", 0),
            (3.0, "two", 1),
            (0.0, "", 0),
        ] {
            go(&mut film, Goal::At(after(at)));
            assert_eq!(shown(&film), screen, "{at}");
            assert_eq!(film.place().commands, commands, "{at}");
        }
    }

    #[test]
    fn a_command_is_found_by_its_number_from_either_side() {
        let bytes = sample();
        let mut film = Film::open(bytes.as_bytes()).unwrap();
        for (number, command, at) in [(2, "id -u", 5.0), (1, "ls", 2.0), (3, "true", 5.0)] {
            go(&mut film, Goal::Command(number));
            assert_eq!(film.place().command.as_deref(), Some(command));
            assert_eq!(film.place().at, after(at));
        }
        go(&mut film, Goal::Command(9));
        assert_eq!(film.gap(), None);
        assert_eq!(film.place().status.as_deref(), Some("0"));
    }

    #[test]
    fn a_place_is_returned_to_from_far_away_as_it_was() {
        let line = "0123456789abcdef\r\n".repeat(4096);
        let bytes = text(|encoder| {
            let mut lines = String::new();
            for second in 0..200 {
                let output = format!("{line}at {second}");
                lines += &encoder
                    .output(after(f64::from(second)), output.as_bytes())
                    .unwrap();
            }
            lines
        });
        let mut film = Film::open(bytes.as_bytes()).unwrap();
        go(&mut film, Goal::At(after(150.0)));
        let there = shown(&film);
        go(&mut film, Goal::At(after(500.0)));
        assert!(film.checkpoints.len() > 2, "{}", film.checkpoints.len());
        film.rewind(Goal::At(after(150.0))).unwrap();
        assert!(film.place().at > after(50.0), "not from the beginning");
        go(&mut film, Goal::At(after(150.0)));
        assert_eq!(shown(&film), there);
        assert!(there.contains("at 150"), "{there}");
    }
}
