//! Reading a recording: whole, still growing, or cut off by a crash.

use std::io::Read;
use std::time::Duration;

use elevate_protocol::recording::{Event, Header, parse_event};

use super::growing::Lines;
use super::offset;
use crate::failure::Failure;

/// One event of a recording, and when it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since the beginning.
    pub(super) at: Duration,
    /// What.
    pub(super) event: Event,
}

/// A place in a recording that can be returned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    bytes: u64,
    at: Duration,
}

impl Position {
    /// How much text lies before it.
    pub(super) fn bytes(self) -> u64 {
        self.bytes
    }
}

/// A recording, from its beginning on.
pub(super) struct Tape<R> {
    lines: Lines<R>,
    header: Header,
    at: Duration,
}

impl<R: Read> Tape<R> {
    /// Begin to read; fails if it is no recording of ours.
    pub(super) fn open(source: R) -> Result<Self, Failure> {
        Tape::begin(&mut Some(Lines::new(source)))?.ok_or_else(|| {
            Failure::new("nothing of the recording is written yet")
                .hint("a session writes its recording every second; try again")
        })
    }

    /// The same of a file that may have nothing in it yet: then the lines stay where they are.
    pub(super) fn begin(lines: &mut Option<Lines<R>>) -> Result<Option<Self>, Failure> {
        let first = lines.as_mut().map(Lines::next).transpose()?;
        let Some(header) = first.flatten().map(header).transpose()? else {
            return Ok(None);
        };
        Ok(lines.take().map(|lines| Tape {
            lines,
            header,
            at: Duration::ZERO,
        }))
    }

    /// Go on at `position`, with the file of this recording from its beginning.
    pub(super) fn return_to(&mut self, position: Position, source: R) -> Result<(), Failure> {
        let mut lines = Lines::new(source);
        lines.skip(position.bytes)?;
        (self.lines, self.at) = (lines, position.at);
        Ok(())
    }

    /// Where the next event begins.
    pub(super) fn position(&self) -> Position {
        Position {
            bytes: self.lines.passed(),
            at: self.at,
        }
    }

    /// What the recording says of itself.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The next event that this version knows; none if there is none yet.
    pub(super) fn next(&mut self) -> Result<Option<Moment>, Failure> {
        loop {
            let line = self.lines.next();
            let line = line.map_err(|failure| {
                let (message, at) = (failure.message, offset::show(self.at));
                Failure::new(format!("the recording can't be read after {at}: {message}"))
            })?;
            let Some(line) = line else { return Ok(None) };
            // A line that is no event is passed over (comments begin with `#`).
            let Some((interval, event)) = parse_event(line) else {
                continue;
            };
            self.at = self.at.saturating_add(interval);
            if event != Event::Unknown {
                let at = self.at;
                return Ok(Some(Moment { at, event }));
            }
        }
    }
}

fn header(line: &str) -> Result<Header, Failure> {
    #[derive(serde::Deserialize)]
    struct Version {
        version: u64,
    }
    let version: Result<Version, _> = serde_json::from_str(line);
    match version {
        Ok(Version { version: 3 }) => serde_json::from_str(line)
            .map_err(|_| Failure::new("this is a recording, but not of one of our sessions")),
        Ok(Version { version }) => Err(Failure::new(format!(
            "the recording is of version {version}; this program plays version 3"
        ))),
        Err(_) => Err(Failure::new("this is not a recording of a session")),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::io::{self, Write as _};
    use std::rc::Rc;

    use elevate_protocol::recording::{Encoder, Executed, Mark, Term};

    use super::*;

    /// A recording whose text `write` makes.
    pub(in crate::ctl::sessions) fn text(write: impl FnOnce(&mut Encoder) -> String) -> String {
        let header = Header {
            version: 3,
            term: Term {
                cols: 20,
                rows: 4,
                kind: None,
            },
            timestamp: 1_000,
            command: "id".into(),
            title: "alice as root by rule all".into(),
        };
        header.line() + &write(&mut Encoder::default())
    }

    /// Seconds since the beginning.
    pub(in crate::ctl::sessions) fn after(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// The mark of an exec.
    pub(in crate::ctl::sessions) fn exec(number: u64, command: &str) -> Mark {
        Mark::Exec(Executed {
            number,
            pid: 100,
            ppid: 99,
            uid: 0,
            compat: false,
            denied: false,
            cut: false,
            cwd: "/root".into(),
            file: "/bin/x".into(),
            command: command.into(),
        })
    }

    fn sample(encoder: &mut Encoder) -> String {
        let mut lines = encoder.output(after(1.0), b"one\r\n").unwrap();
        lines += &encoder.marker(after(2.5), "mark");
        lines + &encoder.exit(after(3.0), "0")
    }

    /// It as it is on disk, whole or as far as it was flushed.
    pub(in crate::ctl::sessions) fn packed(text: &str, finish: bool) -> Vec<u8> {
        let mut compressed = zstd::Encoder::new(Vec::new(), 1).unwrap();
        compressed.write_all(text.as_bytes()).unwrap();
        if finish {
            return compressed.finish().unwrap();
        }
        compressed.flush().unwrap();
        compressed.get_ref().clone()
    }

    fn moments<R: Read>(tape: &mut Tape<R>) -> Vec<Moment> {
        std::iter::from_fn(|| tape.next().unwrap()).collect()
    }

    fn of(bytes: &[u8]) -> Vec<Moment> {
        moments(&mut Tape::open(bytes).unwrap())
    }

    fn sample_moments() -> Vec<Moment> {
        let moment = |at, event| Moment {
            at: after(at),
            event,
        };
        vec![
            moment(1.0, Event::Output("one\r\n".into())),
            moment(2.5, Event::Marker(Mark::Other("mark".into()))),
            moment(3.0, Event::Exit("0".into())),
        ]
    }

    #[test]
    fn events_come_with_their_times_packed_or_plain() {
        let text = text(sample);
        assert_eq!(of(text.as_bytes()), sample_moments());
        assert_eq!(of(&packed(&text, true)), sample_moments());
        assert_eq!(Tape::open(text.as_bytes()).unwrap().header().command, "id");
    }

    #[test]
    fn what_was_cut_off_at_any_byte_is_read_as_far_as_its_lines_are_whole() {
        let text = text(sample);
        let whole = packed(&text, false);
        assert_eq!(of(&whole), sample_moments());
        for cut in 0..whole.len() {
            if let Ok(mut tape) = Tape::open(&whole[..cut]) {
                let read = moments(&mut tape);
                assert_eq!(read, sample_moments()[..read.len()]);
            }
        }
        let cut = &text.as_bytes()[..text.len() - 3];
        assert_eq!(of(cut), sample_moments()[..2]);
    }

    /// A file that gets longer between reads.
    #[derive(Clone, Default)]
    struct Growing(Rc<RefCell<VecDeque<u8>>>);

    impl Read for Growing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.borrow_mut().read(buffer)
        }
    }

    #[test]
    fn a_file_that_grows_byte_by_byte_is_read_as_it_grows() {
        let source = Growing::default();
        let mut lines = Some(Lines::new(source.clone()));
        let mut tape = None;
        let mut read = Vec::new();
        for byte in packed(&text(sample), true) {
            source.0.borrow_mut().push_back(byte);
            if tape.is_none() {
                tape = Tape::begin(&mut lines).unwrap();
            }
            if let Some(tape) = &mut tape {
                read.extend(moments(tape));
            }
        }
        assert_eq!(read, sample_moments());
    }

    #[test]
    fn a_position_is_returned_to() {
        let bytes = packed(&text(sample), true);
        let mut tape = Tape::open(&bytes[..]).unwrap();
        tape.next().unwrap();
        let position = tape.position();
        assert_eq!(moments(&mut tape), sample_moments()[1..]);
        tape.return_to(position, &bytes[..]).unwrap();
        assert_eq!(moments(&mut tape), sample_moments()[1..]);
        assert!(tape.return_to(position, &bytes[..9]).is_err());
    }

    #[test]
    fn something_else_is_refused_and_damage_is_told_with_its_place() {
        let refused = |bytes: &[u8]| Tape::open(bytes).err().unwrap().message;
        assert_eq!(
            refused(b"plain text\n"),
            "this is not a recording of a session"
        );
        assert!(refused(b"{\"version\":2}\n").contains("of version 2"));
        assert!(refused(b"").contains("nothing of the recording"));
        assert!(refused(b"\xff\xfe\n").contains("not UTF-8"));
        let mut damaged = packed(&text(sample), false);
        damaged.extend([0xff; 64]);
        let mut tape = Tape::open(&damaged[..]).unwrap_or_else(|failure| panic!("{failure}"));
        let failure = loop {
            match tape.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("damage passed for an end"),
                Err(failure) => break failure,
            }
        };
        assert!(failure.message.contains("damaged"), "{failure}");
    }
}
