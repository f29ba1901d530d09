//! Reading a recording: compressed or not, whole, still growing, or cut off by a crash.

use std::io::{self, Read};
use std::time::Duration;

use elevate_protocol::recording::{Event, Header, parse_event};
use zstd::stream::raw::{Decoder, InBuffer, Operation as _, OutBuffer};

use super::offset;
use crate::failure::Failure;

/// Bytes of one line; ours have a few hundred thousand at most.
const LINE_BYTES: usize = 16 * 1024 * 1024;
/// What is read or unpacked at a time.
const BLOCK: usize = 128 * 1024;
/// The first bytes of what zstd packed (RFC 8878 section 3.1.1).
const PACKED: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes of the header of a block of those (RFC 8878 section 3.1.1.2).
const BLOCK_HEADER: usize = 3;

/// The lines of a file that may still grow.
pub(super) struct Lines<R> {
    source: R,
    packing: Packing,
    /// As it was read, from `used` on.
    read: Vec<u8>,
    used: usize,
    unpacked: Vec<u8>,
    /// How much of `unpacked` was handed out.
    taken: usize,
    /// Bytes handed out in all, unpacked.
    passed: u64,
}

enum Packing {
    /// Too little was read to say.
    Unknown,
    Plain,
    Zstd(Unpacker),
}

struct Unpacker {
    decoder: Decoder<'static>,
    block: Vec<u8>,
    /// Whether the last block was full, so that the decoder may have more.
    full: bool,
    /// How much the decoder wants next: more than a block of it at a time, and of the blocks
    /// before a damaged one nothing would be left.
    wanted: usize,
    /// What is wrong with what comes next.
    damage: Option<String>,
}

impl<R: Read> Lines<R> {
    /// Nothing is read yet.
    pub(super) fn new(source: R) -> Self {
        Lines {
            source,
            packing: Packing::Unknown,
            read: Vec::new(),
            used: 0,
            unpacked: Vec::new(),
            taken: 0,
            passed: 0,
        }
    }

    /// Pass over the first `bytes`, unpacked, of a file that nothing is read of yet.
    fn skip(&mut self, bytes: u64) -> Result<(), Failure> {
        while self.passed < bytes {
            let left = usize::try_from(bytes - self.passed).unwrap_or(usize::MAX);
            let count = left.min(self.unpacked.len());
            self.unpacked.drain(..count);
            self.passed += count as u64;
            if count < left && !self.fill()? {
                return Err(Failure::new("the recording got shorter while it was read"));
            }
        }
        Ok(())
    }

    /// The next whole line, with its newline; none if there is none yet. It may come later: what
    /// was not finished is no error.
    pub(super) fn next(&mut self) -> Result<Option<&str>, Failure> {
        let mut searched = self.taken;
        let end = loop {
            let unseen = &self.unpacked[searched..];
            match unseen.iter().position(|&byte| byte == b'\n') {
                Some(place) => break searched + place + 1,
                None if self.unpacked.len() - self.taken > LINE_BYTES => {
                    let limit = LINE_BYTES / (1024 * 1024);
                    let why = format!("a line of it has more than {limit} MiB");
                    return Err(Failure::new(format!("this is not a recording: {why}")));
                }
                None => {}
            }
            self.unpacked.drain(..self.taken);
            self.taken = 0;
            searched = self.unpacked.len();
            if !self.fill()? {
                return Ok(None);
            }
        };
        let line = self.taken..end;
        self.passed += line.len() as u64;
        self.taken = end;
        let text = std::str::from_utf8(&self.unpacked[line]);
        let text = text.map_err(|_| Failure::new("this is not a recording: it is not UTF-8"))?;
        Ok(Some(text))
    }

    /// Read and unpack some more, a block at a time: what a few bytes unpack to has no bound of its
    /// own. Whether there was more.
    fn fill(&mut self) -> Result<bool, Failure> {
        let had = self.unpacked.len();
        loop {
            self.unpack()?;
            if self.unpacked.len() > had {
                return Ok(true);
            }
            if self.used < self.read.len() && !matches!(self.packing, Packing::Unknown) {
                continue;
            }
            self.read.drain(..self.used);
            self.used = 0;
            let before = self.read.len();
            self.read.resize(before + BLOCK, 0);
            let count = read_some(&mut self.source, &mut self.read[before..]);
            self.read.truncate(before + *count.as_ref().unwrap_or(&0));
            if count? == 0 {
                return Ok(false);
            }
        }
    }

    fn unpack(&mut self) -> Result<(), Failure> {
        if let Packing::Unknown = self.packing {
            if PACKED.starts_with(&self.read) && self.read.len() < PACKED.len() {
                return Ok(());
            }
            self.packing = match self.read.starts_with(&PACKED) {
                true => Packing::Zstd(Unpacker::new()?),
                false => Packing::Plain,
            };
        }
        let unread = &self.read[self.used..];
        self.used += match &mut self.packing {
            Packing::Zstd(unpacker) => unpacker.step(unread, &mut self.unpacked)?,
            _ => {
                self.unpacked.extend_from_slice(unread);
                unread.len()
            }
        };
        Ok(())
    }
}

fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl Unpacker {
    fn new() -> io::Result<Self> {
        Ok(Unpacker {
            decoder: Decoder::new()?,
            block: vec![0; BLOCK],
            full: false,
            wanted: PACKED.len(),
            damage: None,
        })
    }

    /// Append the next block of `packed` to `unpacked`; how much of `packed` was used. The decoder
    /// keeps what is not whole yet, and what did not fit.
    fn step(&mut self, packed: &[u8], unpacked: &mut Vec<u8>) -> Result<usize, Failure> {
        self.check()?;
        // The decoder takes it for an error to be asked again and again for nothing.
        if packed.is_empty() && !self.full {
            return Ok(0);
        }
        // It asks for the header of the next block together with a block.
        let wanted = self.wanted.saturating_sub(BLOCK_HEADER).max(1);
        let next = packed.len().min(wanted);
        let mut input = InBuffer::around(&packed[..next]);
        let mut output = OutBuffer::around(self.block.as_mut_slice());
        let step = self.decoder.run(&mut input, &mut output);
        match step {
            Ok(wanted) => self.wanted = wanted,
            Err(error) => self.damage = Some(error.to_string()),
        }
        let (used, written) = (input.pos(), output.pos());
        unpacked.extend_from_slice(&self.block[..written]);
        self.full = written == self.block.len();
        match written {
            0 => self.check().map(|()| used),
            _ => Ok(used),
        }
    }

    fn check(&self) -> Result<(), Failure> {
        match &self.damage {
            Some(damage) => Err(Failure::new(format!("it is damaged: {damage}"))),
            None => Ok(()),
        }
    }
}

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
            bytes: self.lines.passed,
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
    use std::io::Write as _;
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

    #[test]
    fn an_endless_line_is_no_recording() {
        let endless = io::repeat(b'x').take(LINE_BYTES as u64 * 2);
        let failure = Tape::open(endless).err().unwrap();
        assert!(failure.message.contains("more than 16 MiB"), "{failure}");
    }
}
