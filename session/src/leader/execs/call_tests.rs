use std::collections::BTreeMap;

use super::*;

/// Memory with holes: bytes at addresses.
#[derive(Default)]
struct Fake(BTreeMap<u64, Vec<u8>>);

impl Fake {
    fn at(mut self, address: u64, bytes: &[u8]) -> Fake {
        self.0.insert(address, bytes.to_vec());
        self
    }

    fn pointers(self, address: u64, width: usize, pointers: &[u64]) -> Fake {
        let bytes: Vec<u8> = pointers
            .iter()
            .flat_map(|pointer| pointer.to_le_bytes()[..width].to_vec())
            .collect();
        self.at(address, &bytes)
    }
}

impl Memory for Fake {
    fn read(&self, address: u64, into: &mut [u8]) -> usize {
        let Some((start, bytes)) = self.0.range(..=address).next_back() else {
            return 0;
        };
        let bytes = bytes.get((address - start) as usize..).unwrap_or_default();
        let length = bytes.len().min(into.len());
        into[..length].copy_from_slice(&bytes[..length]);
        length
    }
}

fn execve(path: u64, argv: u64) -> Call {
    let own = &CONVENTIONS[0];
    Call {
        arch: own.arch,
        number: own.execve[0],
        arguments: [path, argv, 0, 0, 0, 0],
    }
}

fn words(exec: &Asked) -> Vec<&[u8]> {
    exec.argv.iter().map(|word| &word[..]).collect()
}

#[test]
fn an_exec_is_recorded_with_its_words() {
    let memory = Fake::default()
        .at(0x1000, b"/bin/sh\0")
        .at(0x2000, b"sh\0-c\0\0")
        .pointers(0x3000, 8, &[0x2000, 0x2003, 0x2006, 0]);
    let exec = read(&execve(0x1000, 0x3000), &memory);
    assert_eq!(&exec.path[..], b"/bin/sh");
    assert_eq!(words(&exec), [&b"sh"[..], b"-c", b""]);
    assert!(!exec.cut);
}

#[test]
fn a_narrow_caller_has_narrow_pointers() {
    let narrow = &CONVENTIONS[1];
    let memory =
        Fake::default()
            .at(0x1000, b"/bin/true\0")
            .pointers(0x3000, 4, &[0x1000, 0x1005, 0]);
    let call = Call {
        arch: narrow.arch,
        number: narrow.execve[0],
        arguments: [0x1000, 0x3000, 0, 0, 0, 0],
    };
    let exec = read(&call, &memory);
    assert_eq!(words(&exec), [&b"/bin/true"[..], b"true"]);
}

#[test]
fn an_exec_by_descriptor_names_the_descriptor() {
    let own = &CONVENTIONS[0];
    let memory = Fake::default()
        .at(0x1000, b"\0")
        .at(0x1100, b"tool\0")
        .at(0x1200, b"/tool\0");
    let path = |descriptor: i32, address| {
        let call = Call {
            arch: own.arch,
            number: own.execveat[0],
            arguments: [descriptor as u64, address, 0, 0, 0, 0],
        };
        let path = read(&call, &memory).shown_path();
        String::from_utf8(path.0).unwrap()
    };
    assert_eq!(path(6, 0x1000), "fd:6");
    assert_eq!(path(6, 0x1100), "fd:6 tool");
    assert_eq!(path(6, 0x1200), "/tool");
    assert_eq!(path(libc::AT_FDCWD, 0x1100), "tool");
}

#[test]
fn long_command_lines_are_cut_and_say_so() {
    let long = [vec![b'x'; 3000], vec![0]].concat();
    let memory = Fake::default()
        .at(0x10000, &long)
        .pointers(0x3000, 8, &[0x10000; 22]);
    let exec = read(&execve(0, 0x3000), &memory);
    let recorded: usize = exec.argv.iter().map(|word| word.len() + 1).sum();
    assert_eq!(recorded, EXEC_RECORD_BYTES);
    assert!(exec.cut);
}

#[test]
fn an_endless_list_of_words_comes_to_an_end() {
    let memory = Fake::default().pointers(0x100000, 8, &[0x100000; 100_000]);
    let exec = read(&execve(0, 0x100000), &memory);
    assert!(exec.cut);
}

#[test]
fn memory_that_cannot_be_read_is_left_out() {
    let exec = read(&execve(0x9000, 0x9000), &Fake::default());
    assert!(exec.cut && exec.argv.is_empty() && exec.path.is_empty());
    let without_words = read(&execve(0x9000, 0), &Fake::default());
    assert!(!without_words.cut);
}
