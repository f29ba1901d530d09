//! A copy of a file that nobody can change any more (memfd_create(2), fcntl(2) F_ADD_SEALS).

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

use crate::resolver::sha256;

/// Copy what is left to read of `source`, and hash what was copied; `None` if that is not
/// `expected` (SHA-256, lower-case hex).
pub(super) fn copy(source: File, expected: &str) -> io::Result<Option<OwnedFd>> {
    let name = c"elevate-command";
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = match memfd_create(name, flags | MemfdFlags::EXEC) {
        // Linux before 6.3 knows no other.
        Err(Errno::INVAL) => memfd_create(name, flags),
        made => made,
    };
    let mut copied = Copied {
        source,
        copy: copy?.into(),
    };
    if sha256(&mut copied)? != expected {
        return Ok(None);
    }
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&copied.copy, seals)?;
    Ok(Some(copied.copy.into()))
}

/// Writes into the copy what is read from the source.
struct Copied {
    source: File,
    copy: File,
}

impl Read for Copied {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(into)?;
        self.copy.write_all(&into[..length])?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn source(text: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn a_sealed_copy_holds_what_was_hashed_and_takes_no_change() {
        let copy = copy(source(b"abc"), ABC).unwrap().unwrap();
        let mut copy = File::from(copy);
        assert!(copy.write_all(b"d").is_err());
        assert!(copy.set_len(1).is_err());
        copy.rewind().unwrap();
        assert_eq!(io::read_to_string(copy).unwrap(), "abc");
    }

    #[test]
    fn other_contents_make_no_copy() {
        assert!(copy(source(b"abd"), ABC).unwrap().is_none());
    }
}
