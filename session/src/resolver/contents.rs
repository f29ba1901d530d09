//! Reading what was found: its first line, its hash.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags, fstat, openat};
use sha2::{Digest, Sha256};

use super::script::HEAD_BYTES;
use super::walk::Walk;
use crate::identity::identity;

/// Open the regular file where `walk` stands for reading. It must still be that file.
pub(super) fn open(walk: &Walk) -> io::Result<File> {
    let Some((folder, name)) = walk.parent_and_name() else {
        return Err(io::ErrorKind::IsADirectory.into());
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::empty())?;
    if identity(&fstat(&file)?) != identity(&fstat(walk.here().as_fd())?) {
        return Err(io::Error::other("it changed while it was looked at"));
    }
    Ok(file.into())
}

/// The beginning of `file`, as far as the kernel looks for an interpreter.
pub(super) fn head(file: &File) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// SHA-256 of all that is read from `source`, in lower-case hex.
pub(crate) fn sha256(mut source: impl Read) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match source.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => hasher.update(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let digest = hasher.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_sha256sum_prints() {
        // FIPS 180-4, the example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&b"abc"[..]).unwrap(), expected);
    }
}
