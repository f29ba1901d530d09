//! The file of a recording: only ever added to, and looked after while it grows.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use elevate_protocol::limits::RECORDING_ROOM;
use rustix::fs::{CWD, Mode, OFlags, fstat, openat, stat, statvfs};

/// A file that nobody else writes to, at the place where it was made.
pub(super) struct Tape {
    file: File,
    path: PathBuf,
    written: u64,
}

impl Tape {
    /// A new file at `path`, where there must be none yet.
    pub(super) fn create(path: &Path) -> io::Result<Tape> {
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL;
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(CWD, path, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(Tape {
            file: file.into(),
            path: path.to_owned(),
            written: 0,
        })
    }

    /// Fails if somebody removed, replaced or changed the file: what is written would not be a
    /// record any more. Who could is root outside of every containment, and can end us as well.
    pub(super) fn check(&self) -> io::Result<()> {
        let own = fstat(&self.file)?;
        let there = stat(&self.path).ok();
        let in_place =
            there.is_some_and(|there| (there.st_dev, there.st_ino) == (own.st_dev, own.st_ino));
        let path = self.path.display();
        if !in_place {
            return Err(io::Error::other(format!("somebody took {path} away")));
        }
        if own.st_size as u64 != self.written {
            return Err(io::Error::other(format!("somebody else changed {path}")));
        }
        Ok(())
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Fails if fewer than [`RECORDING_ROOM`] bytes are left for what is in `folder`, those that are
/// reserved for root not counted, as df(1) shows it.
pub(super) fn demand_room(folder: &Path) -> io::Result<()> {
    let room = statvfs(folder)?;
    let left = room.f_bavail.saturating_mul(room.f_frsize);
    if left >= RECORDING_ROOM {
        return Ok(());
    }
    let mebibytes = |bytes: u64| bytes / (1024 * 1024);
    let (left, limit) = (mebibytes(left), mebibytes(RECORDING_ROOM));
    let folder = folder.display();
    Err(io::Error::other(format!(
        "{left} MiB are left in {folder}, and with less than {limit} the rule lets nothing begin \
         (on_full = \"refuse\")"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tape() -> (tempfile::TempDir, Tape) {
        let folder = tempfile::tempdir().unwrap();
        let mut tape = Tape::create(&folder.path().join("tape")).unwrap();
        tape.write_all(b"what was shown").unwrap();
        (folder, tape)
    }

    fn complaint(tape: &Tape) -> String {
        tape.check().unwrap_err().to_string()
    }

    #[test]
    fn a_file_that_nobody_touched_is_fine() {
        let (_folder, mut tape) = tape();
        tape.check().unwrap();
        tape.write_all(b", and more").unwrap();
        tape.check().unwrap();
        assert_eq!(
            std::fs::read(&tape.path).unwrap(),
            b"what was shown, and more"
        );
    }

    #[test]
    fn a_file_that_was_removed_moved_or_replaced_is_noticed() {
        let (folder, tape) = tape();
        let elsewhere = folder.path().join("elsewhere");
        std::fs::rename(&tape.path, &elsewhere).unwrap();
        assert!(complaint(&tape).contains("took"));
        std::fs::copy(&elsewhere, &tape.path).unwrap();
        assert!(complaint(&tape).contains("took"));
        std::fs::rename(&elsewhere, &tape.path).unwrap();
        tape.check().unwrap();
        std::fs::remove_file(&tape.path).unwrap();
        assert!(complaint(&tape).contains("took"));
    }

    #[test]
    fn a_file_that_was_cut_or_added_to_is_noticed() {
        let (_folder, tape) = tape();
        let mut other = File::options().append(true).open(&tape.path).unwrap();
        other.write_all(b"!").unwrap();
        assert!(complaint(&tape).contains("changed"));
        other.set_len(3).unwrap();
        assert!(complaint(&tape).contains("changed"));
    }
}
