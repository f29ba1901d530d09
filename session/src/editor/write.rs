//! Writing a file anew, so that a crash leaves all of the old or all of the new.
//!
//! Another file takes the old one's place where it can have all that the old one has beside its
//! contents. Where it cannot (several names, an owner that the target cannot give, a folder that it
//! cannot write, a mount point), the file is written in place, as sudoedit(8) does, and put back if
//! that fails.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{
    AtFlags, FallocateFlags, Mode, OFlags, RenameFlags, fallocate, fstat, linkat, openat, renameat,
    renameat_with, unlinkat,
};
use rustix::io::Errno;

use super::original::Original;
use crate::identity::identity;

/// Write `new` in the place of `old`, the contents of `original`, with the rights of this process;
/// `temporary` is a name that nothing has.
pub(super) fn write(
    original: &Original,
    old: &[u8],
    new: &[u8],
    temporary: &str,
) -> io::Result<()> {
    match &original.file {
        None => make(original, new, temporary),
        Some(file) => match replace(original, file, new, temporary)? {
            true => Ok(()),
            false => overwrite(original, old, new),
        },
    }
}

/// A file under a temporary name, which goes unless it is kept.
struct Temporary<'a> {
    folder: BorrowedFd<'a>,
    name: &'a str,
    file: File,
}

impl<'a> Temporary<'a> {
    fn create(original: &'a Original, name: &'a str, mode: Mode) -> rustix::io::Result<Self> {
        let folder = original.place.folder.as_fd();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let file = openat(folder, name, flags | OFlags::CLOEXEC, mode)?.into();
        Ok(Temporary { folder, name, file })
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        // Where it was renamed there is none.
        let _ = unlinkat(self.folder, self.name, AtFlags::empty());
    }
}

fn make(original: &Original, new: &[u8], temporary: &str) -> io::Result<()> {
    let (folder, name) = (original.place.folder.as_fd(), &original.place.name[..]);
    let mut temporary = Temporary::create(original, temporary, Mode::from_raw_mode(0o666))?;
    temporary.file.write_all(new)?;
    temporary.file.sync_all()?;
    match renameat_with(folder, temporary.name, folder, name, RenameFlags::NOREPLACE) {
        // A file system that knows no such renaming.
        Err(Errno::INVAL | Errno::NOSYS) => {
            linkat(folder, temporary.name, folder, name, AtFlags::empty())?;
        }
        other => other?,
    }
    sync_folder(folder);
    Ok(())
}

/// Whether it was done; if not, nothing has changed.
fn replace(original: &Original, old: &File, new: &[u8], temporary: &str) -> io::Result<bool> {
    let (folder, name) = (original.place.folder.as_fd(), &original.place.name[..]);
    let nobody_else = Mode::RUSR | Mode::WUSR;
    let mut temporary = match Temporary::create(original, temporary, nobody_else) {
        Ok(temporary) => temporary,
        Err(Errno::ACCESS | Errno::PERM) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    temporary.file.write_all(new)?;
    if !super::attributes::copy(old, &temporary.file)? {
        return Ok(false);
    }
    temporary.file.sync_all()?;
    match renameat(folder, temporary.name, folder, name) {
        Ok(()) => {}
        // A mount point, or somebody else's in a sticky folder.
        Err(Errno::BUSY | Errno::ACCESS | Errno::PERM) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    sync_folder(folder);
    Ok(true)
}

fn overwrite(original: &Original, old: &[u8], new: &[u8]) -> io::Result<()> {
    let place = &original.place;
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(
        &place.folder,
        &place.name[..],
        flags,
        Mode::empty(),
    )?);
    if Some(identity(&fstat(&file)?)) != place.file.identity {
        return Err(io::Error::other("somebody else changed it meanwhile"));
    }
    reserve(&file, new.len() as u64)?;
    put(&file, new).map_err(|error| match put(&file, old) {
        Ok(()) => error,
        Err(worse) => io::Error::other(format!("{error}; putting it back failed too: {worse}")),
    })
}

/// Have the room before anything is changed, where the file system can say.
fn reserve(file: &File, length: u64) -> io::Result<()> {
    if length == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, length) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        other => Ok(other?),
    }
}

fn put(file: &File, contents: &[u8]) -> io::Result<()> {
    file.write_all_at(contents, 0)?;
    file.set_len(contents.len() as u64)?;
    file.sync_all()
}

/// Have the new name outlive a crash, too. The change is made: where this fails (a folder that the
/// target may not list, a disk that is failing) is no place to say that it was not.
fn sync_folder(folder: BorrowedFd<'_>) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if let Ok(folder) = openat(folder, ".", flags, Mode::empty()) {
        let _ = File::from(folder).sync_all();
    }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
