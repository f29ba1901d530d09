//! Files that only root may have written.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A configuration file is no longer than this many bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Why a file or folder is not believed.
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
    /// Somebody else owns it.
    #[error("{} belongs to uid {uid}, not to root; chown it to root:root to use it", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// Others can write it.
    #[error("{} can be written by others (mode {mode:04o}); chmod it go-w to use it", path.display())]
    Writable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others can read it, and it holds a secret.
    #[error("{} can be read by others (mode {mode:04o}), who may know its secret now", path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no regular file, or no folder.
    #[error("{} is not a {expected}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// It is a symbolic link, which leads to where others may have written.
    #[error("{} is a symbolic link; put the file itself there", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// It is too long.
    #[error("{} is longer than {LONGEST} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It is no text.
    #[error("{} is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
}

/// The text of a file that only root may have written.
pub fn read(path: &Path) -> Result<String, Untrusted> {
    let failed = |error| Untrusted::Io {
        path: path.to_owned(),
        error,
    };
    let (mut file, _) = open(path)?;
    let mut bytes = Vec::new();
    file.by_ref()
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(Untrusted::TooLong {
            path: path.to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|_| Untrusted::NotText {
        path: path.to_owned(),
    })
}

/// A file that only root may have written or read, to be read.
pub fn open_private(path: &Path) -> Result<File, Untrusted> {
    let (file, metadata) = open(path)?;
    match metadata.mode() & 0o077 {
        0 => Ok(file),
        _ => Err(Untrusted::Readable {
            path: path.to_owned(),
            mode: metadata.mode() & 0o7777,
        }),
    }
}

fn open(path: &Path) -> Result<(File, Metadata), Untrusted> {
    let failed = |error| Untrusted::Io {
        path: path.to_owned(),
        error,
    };
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => Untrusted::Link {
                path: path.to_owned(),
            },
            _ => failed(error),
        })?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Untrusted::Kind {
            path: path.to_owned(),
            expected: "regular file",
        });
    }
    check(path, &metadata)?;
    check_parent(path)?;
    Ok((file, metadata))
}

/// The `*.toml` files of a folder that only root may have written, sorted by name; none where
/// there is no such folder.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, Untrusted> {
    let failed = |error| Untrusted::Io {
        path: folder.to_owned(),
        error,
    };
    let metadata = match std::fs::metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    if !metadata.is_dir() {
        return Err(Untrusted::Kind {
            path: folder.to_owned(),
            expected: "folder",
        });
    }
    check(folder, &metadata)?;
    check_parent(folder)?;
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if !hidden
            && path
                .extension()
                .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Who can write the folder above can put something else in this place, except where it is sticky
/// (unlink(2)).
fn check_parent(path: &Path) -> Result<(), Untrusted> {
    const STICKY: u32 = 0o1000;
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    let metadata = std::fs::metadata(parent).map_err(|error| Untrusted::Io {
        path: parent.to_owned(),
        error,
    })?;
    match metadata.mode() & STICKY {
        0 => check(parent, &metadata),
        _ => Ok(()),
    }
}

fn check(path: &Path, metadata: &std::fs::Metadata) -> Result<(), Untrusted> {
    if metadata.uid() != 0 {
        return Err(Untrusted::Owner {
            path: path.to_owned(),
            uid: metadata.uid(),
        });
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(Untrusted::Writable {
            path: path.to_owned(),
            mode: metadata.mode() & 0o7777,
        });
    }
    Ok(())
}
