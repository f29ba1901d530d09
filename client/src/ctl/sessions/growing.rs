//! A file of lines, compressed or not, that may still grow, or was cut off by a crash.

use std::io::{self, Read};

use zstd::stream::raw::{Decoder, InBuffer, Operation as _, OutBuffer};

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

    /// Bytes of the lines that were handed out, unpacked.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Pass over the first `bytes`, unpacked, of a file that nothing is read of yet.
    pub(super) fn skip(&mut self, bytes: u64) -> Result<(), Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_line_is_no_recording() {
        let endless = io::repeat(b'x').take(LINE_BYTES as u64 * 2);
        let failure = Lines::new(endless).next().unwrap_err();
        assert!(failure.message.contains("more than 16 MiB"), "{failure}");
    }

    #[test]
    fn a_few_bytes_that_unpack_to_many_are_unpacked_a_block_at_a_time() {
        let many = "line\n".repeat(1024 * 1024);
        let packed = zstd::encode_all(many.as_bytes(), 1).unwrap();
        assert!(packed.len() < BLOCK);
        let mut lines = Lines::new(&packed[..]);
        let mut count = 0;
        while lines.next().unwrap().is_some() {
            count += 1;
            assert!(lines.unpacked.capacity() <= 4 * BLOCK);
        }
        assert_eq!(count, 1024 * 1024);
        assert_eq!(lines.passed(), many.len() as u64);
    }
}
