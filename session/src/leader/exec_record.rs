//! From the arguments of a stopped exec to a record, by reading its process's memory.

use elevate_protocol::Bytes;
use elevate_protocol::launch::Exec;
use elevate_protocol::limits::{EXEC_RECORD_BYTES, PATH_BYTES};

use crate::sys::exec_filter::CONVENTIONS;

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

/// More words than this are not looked at, empty ones included.
const MOST_WORDS: usize = 1024;
/// A page of memory is there or not as a whole; strings are read up to its end.
const PAGE: u64 = 4096;
/// Most words are shorter than this.
const CHUNK: usize = 256;

/// The record of `call` by process `pid` in `cwd`. What cannot be read is left out.
pub(super) fn record(call: &Call, memory: &impl Memory, pid: i32, cwd: Bytes) -> Exec {
    let convention = CONVENTIONS
        .iter()
        .find(|convention| convention.arch == call.arch);
    let at_descriptor = convention.is_some_and(|known| known.execveat.contains(&call.number));
    let narrow = convention.is_some_and(|known| (known.narrow)(call.number));
    let [first, second, third, ..] = call.arguments;
    let (path, words) = match at_descriptor {
        true => {
            let (path, _) = string(memory, second, PATH_BYTES);
            (beside(first as i32, path), third)
        }
        false => (string(memory, first, PATH_BYTES).0, second),
    };
    let (argv, cut) = strings(memory, words, narrow);
    Exec {
        number: 0,
        pid,
        ppid: 0,
        uid: 0,
        compat: convention.is_some_and(|known| known.arch != CONVENTIONS[0].arch) || narrow,
        path: Bytes(path),
        real: None,
        argv,
        cut,
        cwd,
        denied: false,
    }
}

/// A path argument of execveat(2), with the descriptor that it begins at, unless that is the
/// working directory or doesn't matter.
fn beside(descriptor: i32, path: Vec<u8>) -> Vec<u8> {
    if descriptor == libc::AT_FDCWD || path.starts_with(b"/") {
        return path;
    }
    let mut beside = format!("fd:{descriptor}").into_bytes();
    if !path.is_empty() {
        beside.push(b' ');
        beside.extend(path);
    }
    beside
}

/// The list of strings at `address`, and whether something of it is missing.
fn strings(memory: &impl Memory, address: u64, narrow: bool) -> (Vec<Bytes>, bool) {
    let mut words = Vec::new();
    let mut left = EXEC_RECORD_BYTES;
    let width = if narrow { 4 } else { 8 };
    if address == 0 {
        return (words, false);
    }
    for place in 0..MOST_WORDS as u64 {
        let Some(pointer) = pointer(memory, address.wrapping_add(place * width), width as usize)
        else {
            return (words, true);
        };
        if pointer == 0 {
            return (words, false);
        }
        let (word, whole) = string(memory, pointer, left);
        left -= word.len();
        words.push(Bytes(word));
        if !whole {
            return (words, true);
        }
    }
    (words, true)
}

fn pointer(memory: &impl Memory, address: u64, width: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    // Both machines put the low byte first, so that a narrow pointer is a wide one with zeros.
    (memory.read(address, &mut bytes[..width]) == width).then(|| u64::from_le_bytes(bytes))
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
#[path = "exec_record_tests.rs"]
mod tests;
