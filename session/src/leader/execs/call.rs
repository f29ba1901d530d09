//! From the arguments of a stopped exec to what it asks for, by reading its process's memory.

use elevate_protocol::Bytes;
use elevate_protocol::limits::{EXEC_RECORD_BYTES, PATH_BYTES};

use crate::sys::exec_filter::{CONVENTIONS, Convention};

/// A process's memory.
pub(super) trait Memory {
    /// Read at `address` into `into`; how many bytes there were.
    fn read(&self, address: u64, into: &mut [u8]) -> usize;
}

/// A stopped system call.
pub(super) struct Call {
    pub(super) arch: u32,
    pub(super) number: i32,
    pub(super) arguments: [u64; 6],
}

/// A page of memory is there or not as a whole; what is read ends with it.
const PAGE: u64 = 4096;
/// Most words are shorter than this.
const CHUNK: usize = 256;
/// Pointers that are read at a time; most commands have fewer words.
const POINTERS: usize = 16;

/// What a process asks to execute.
pub(super) struct Asked {
    /// The path argument.
    pub(super) path: Vec<u8>,
    /// The descriptor that the path begins at, where it was given and is no working directory.
    pub(super) descriptor: Option<i32>,
    /// The words, as far as they fit.
    pub(super) argv: Vec<Bytes>,
    /// Whether words were left out.
    pub(super) cut: bool,
    /// Whether it is a call of another kind than this machine's own.
    pub(super) compat: bool,
}

/// The calling convention of `call`, if it is one that we know: the filter passes no other.
pub(super) fn convention(call: &Call) -> Option<&'static Convention> {
    CONVENTIONS.iter().find(|known| known.arch == call.arch)
}

/// What `call` asks for. What cannot be read is left out.
pub(super) fn read(call: &Call, memory: &impl Memory) -> Asked {
    let convention = convention(call);
    let at_descriptor = convention.is_some_and(|known| known.execveat.contains(&call.number));
    let narrow = convention.is_some_and(|known| (known.narrow)(call.number));
    let [first, second, third, ..] = call.arguments;
    let (path, words) = match at_descriptor {
        true => (second, third),
        false => (first, second),
    };
    let (path, _) = string(memory, path, PATH_BYTES);
    let descriptor = at_descriptor.then_some(first as i32);
    let matters = |&number: &i32| number != libc::AT_FDCWD && !path.starts_with(b"/");
    let descriptor = descriptor.filter(matters);
    let (argv, cut) = strings(memory, words, if narrow { 4 } else { 8 });
    Asked {
        path,
        descriptor,
        argv,
        cut,
        compat: convention.is_some_and(|known| known.arch != CONVENTIONS[0].arch) || narrow,
    }
}

impl Asked {
    /// The path argument, with the descriptor that it begins at.
    pub(super) fn shown_path(&self) -> Bytes {
        let Some(descriptor) = self.descriptor else {
            return Bytes(self.path.clone());
        };
        let mut shown = format!("fd:{descriptor}").into_bytes();
        if !self.path.is_empty() {
            shown.push(b' ');
            shown.extend(&self.path);
        }
        Bytes(shown)
    }
}

/// The list of strings at `address`, whose pointers have so many bytes, and whether something of it
/// is missing. Each takes a byte more than it has, as its NUL does.
fn strings(memory: &impl Memory, address: u64, width: usize) -> (Vec<Bytes>, bool) {
    let mut words = Vec::new();
    let mut left = EXEC_RECORD_BYTES;
    let mut place = address;
    if address == 0 {
        return (words, false);
    }
    loop {
        let mut bytes = [0; POINTERS * 8];
        let to_page_end = (PAGE - place % PAGE) as usize;
        let most = to_page_end.min(POINTERS * width).max(width);
        let got = memory.read(place, &mut bytes[..most]);
        for pointer in bytes[..got].chunks_exact(width) {
            let mut wide = [0; 8];
            // All machines put the low byte first: a narrow pointer is a wide one with zeros.
            wide[..width].copy_from_slice(pointer);
            let pointer = u64::from_le_bytes(wide);
            if pointer == 0 {
                return (words, false);
            }
            if left == 0 {
                return (words, true);
            }
            let (word, whole) = string(memory, pointer, left - 1);
            left -= word.len() + 1;
            words.push(Bytes(word));
            if !whole {
                return (words, true);
            }
        }
        if got < width {
            return (words, true);
        }
        place = place.wrapping_add((got - got % width) as u64);
    }
}

/// The string at `address` without its NUL, at most `most` bytes of it, and whether that is all.
fn string(memory: &impl Memory, address: u64, most: usize) -> (Vec<u8>, bool) {
    let mut string = Vec::new();
    loop {
        let at = address.wrapping_add(string.len() as u64);
        let to_page_end = (PAGE - at % PAGE) as usize;
        let mut chunk = [0; CHUNK];
        let got = memory.read(at, &mut chunk[..to_page_end.min(CHUNK)]);
        let chunk = &chunk[..got];
        let end = chunk.iter().position(|&byte| byte == 0);
        string.extend_from_slice(&chunk[..end.unwrap_or(got)]);
        if string.len() > most {
            string.truncate(most);
            return (string, false);
        }
        if end.is_some() || got == 0 {
            return (string, end.is_some());
        }
    }
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
