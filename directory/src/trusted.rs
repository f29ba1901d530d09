//! Files that only root may have written. `elevate-directory` runs as a user of its own, so it sees
//! to it that what steers it can be written by no such user.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// A file of settings is no longer than this many bytes; the system's authorities fit too.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Why a file is not believed.
#[derive(Debug, thiserror::Error)]
pub enum Untrusted {
    /// It can't be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// Somebody else owns it, or the folder that it is in.
    #[error("{} belongs to uid {uid}, not to root; chown it to root:root to use it", path.display())]
    Owner {
        /// The file or folder.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// Others can write it, or the folder that it is in.
    #[error("{} can be written by others (mode {mode:04o}); chmod it go-w to use it", path.display())]
    Writable {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no regular file of text, or too long a one.
    #[error("{} is no text file of at most {LONGEST} bytes", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
    },
}

/// The text of a file that only root may have written. A symbolic link is followed: `/etc/ssl` is
/// full of them, and who may make one in a folder of root's is root.
///
/// # Errors
/// Why it is not believed.
pub fn read(path: &Path) -> Result<String, Untrusted> {
    let path = std::fs::canonicalize(path).map_err(|error| failed(path, error))?;
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits() as i32)
        .open(&path)
        .map_err(|error| failed(&path, error))?;
    let metadata = file.metadata().map_err(|error| failed(&path, error))?;
    check(&path, &metadata)?;
    if let Some(folder) = path.parent() {
        let metadata = std::fs::metadata(folder).map_err(|error| failed(folder, error))?;
        check(folder, &metadata)?;
    }
    let mut text = String::new();
    let kind = || Untrusted::Kind { path: path.clone() };
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err(kind());
    }
    match file.take(LONGEST).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(kind()),
        Err(error) => Err(failed(&path, error)),
    }
}

fn failed(path: &Path, error: io::Error) -> Untrusted {
    Untrusted::Io {
        path: path.to_owned(),
        error,
    }
}

fn check(path: &Path, metadata: &std::fs::Metadata) -> Result<(), Untrusted> {
    let path = || path.to_owned();
    if metadata.uid() != 0 {
        let uid = metadata.uid();
        return Err(Untrusted::Owner { path: path(), uid });
    }
    // In a sticky folder nobody replaces what is another's (unlink(2)).
    let sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
    if metadata.mode() & 0o022 != 0 && !sticky {
        let mode = metadata.mode() & 0o7777;
        return Err(Untrusted::Writable { path: path(), mode });
    }
    Ok(())
}
