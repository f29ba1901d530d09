//! From a path to the file that would be edited, and to the folder in which it is.
//!
//! The target's rights decide what is found, the caller's what is refused: who may rename what lies
//! on the way could have another file edited under this one's name (sudoedit's `sudoedit_checkdir`,
//! which looks at the last folder alone; sudoers(5)).

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use elevate_protocol::account::Account;
use elevate_protocol::launch::{EditFile, Resolution, Resolve};
use elevate_protocol::limits::{EDIT_BYTES, PATH_BYTES};
use elevate_protocol::{Bytes, escape};
use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, Stat, accessat, fstat, openat};
use rustix::io::Errno;

use super::find::split;
use super::walk::Walk;
use crate::identity::identity;
use crate::sys::credentials::with_file_rights_of;

/// Where a file is, or would be made.
pub(crate) struct Place {
    /// Its folder, open as a place only.
    pub(crate) folder: OwnedFd,
    /// Its name there.
    pub(crate) name: Vec<u8>,
    /// Its path and identity.
    pub(crate) file: EditFile,
}

/// Why there is nothing to edit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// Its folder isn't there, or the target may not see it.
    NotFound,
    /// It may not be edited this way; why, for the person.
    Refused(String),
    /// Looking failed.
    Failed(String),
}

impl From<Errno> for Miss {
    /// What the target may not see is not there: which of the two tells nothing to who asks.
    fn from(error: Errno) -> Miss {
        match error {
            Errno::NOENT | Errno::ACCESS | Errno::NOTDIR | Errno::NAMETOOLONG => Miss::NotFound,
            error => Miss::Failed(error.to_string()),
        }
    }
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Miss {
        Miss::Failed(error.to_string())
    }
}

/// Which file `order` means, where `caller` wants to edit it.
pub(super) fn find(order: &Resolve, caller: &Account) -> Resolution {
    let path = escape::line(&order.command);
    let target = escape::line(order.target.name.as_bytes());
    match look(&order.cwd, &order.command, &order.target, caller) {
        Ok(place) => Resolution::Editable(place.file),
        Err(miss) => Resolution::NotEditable(match miss {
            Miss::NotFound => format!("there is no folder for {path} that {target} can see"),
            Miss::Refused(why) => why,
            Miss::Failed(why) => format!("{path} could not be looked up: {why}"),
        }),
    }
}

/// Look for `path`, seen from `base`, with the rights of `target` on files, and whether `caller`
/// could lead it elsewhere. Only for a process of root's.
pub(crate) fn look(
    base: &[u8],
    path: &[u8],
    target: &Account,
    caller: &Account,
) -> Result<Place, Miss> {
    if path.is_empty() || path.contains(&0) || path.len() > PATH_BYTES {
        return Err(Miss::NotFound);
    }
    let (walk, place) = with_file_rights_of(target, || Ok(find_place(base, path, target)))??;
    // To root every folder is its own.
    if caller.uid != 0 {
        with_file_rights_of(caller, || Ok(refuse_loose_folders(&walk, &place, caller)))??;
    }
    Ok(place)
}

fn find_place(base: &[u8], path: &[u8], target: &Account) -> Result<(Walk, Place), Miss> {
    let (folder, name) = split(path);
    let mut walk = Walk::from_root()?;
    if !path.starts_with(b"/") {
        walk.go(base)?;
    }
    walk.go(folder)?;
    let whole = [walk.path().as_slice(), b"/", name].concat();
    let whole = if walk.path() == b"/" {
        &whole[1..]
    } else {
        &whole
    };
    let path = Bytes(whole.to_vec());
    let shown = escape::line(&path);
    if matches!(name, b"" | b"." | b"..") {
        return Err(Miss::Refused(format!("{shown} is a folder, not a file")));
    }
    let folder = rustix::io::fcntl_dupfd_cloexec(walk.here(), 3)?;
    let identity = match open_place(&folder, name) {
        Ok(file) => Some(judge(&file, &folder, name, &shown, target)?),
        Err(Errno::NOENT) => {
            check_access(&folder, b".", MAKE, &format!("make {shown}"), target)?;
            None
        }
        Err(error) => return Err(error.into()),
    };
    let file = EditFile { path, identity };
    let name = name.to_vec();
    Ok((walk, Place { folder, name, file }))
}

const MAKE: Access = Access::WRITE_OK.union(Access::EXEC_OK);
const CHANGE: Access = Access::READ_OK.union(Access::WRITE_OK);

fn open_place(folder: &OwnedFd, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::empty())
}

/// An ordinary file, of a size that can be edited, that `target` may read and write.
fn judge(
    file: &OwnedFd,
    folder: &OwnedFd,
    name: &[u8],
    shown: &str,
    target: &Account,
) -> Result<elevate_protocol::launch::Identity, Miss> {
    let stat = fstat(file)?;
    let refuse = |why: &str| Err(Miss::Refused(format!("{shown} {why}")));
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Symlink => return refuse("is a link; name the file that it leads to"),
        FileType::Directory => return refuse("is a folder, not a file"),
        _ => return refuse("is no ordinary file"),
    }
    if stat.st_size as u64 > EDIT_BYTES {
        let most = EDIT_BYTES / (1024 * 1024);
        return refuse(&format!(
            "has more than {most} MiB, the most that can be edited"
        ));
    }
    check_access(
        folder,
        name,
        CHANGE,
        &format!("read and write {shown}"),
        target,
    )?;
    Ok(identity(&stat))
}

/// Whether `target`, whose rights this process has, may do `what`.
fn check_access(
    folder: &OwnedFd,
    name: &[u8],
    access: Access,
    what: &str,
    target: &Account,
) -> Result<(), Miss> {
    accessat(folder, name, access, AtFlags::EACCESS).map_err(|error| {
        let target = escape::line(target.name.as_bytes());
        Miss::Refused(format!("{target} cannot {what}: {error}"))
    })
}

/// With the rights of `caller`: could they put another file, or another folder, in the place of
/// what lies on the way?
fn refuse_loose_folders(walk: &Walk, place: &Place, caller: &Account) -> Result<(), Miss> {
    let mut folders = walk.folders().peekable();
    while let Some((folder, path)) = folders.next() {
        let next = folders.peek().map(|(next, _)| fstat(next)).transpose()?;
        if is_loose(folder, next, caller)? {
            let [path, file] = [&path, &*place.file.path].map(escape::line);
            let caller = escape::line(caller.name.as_bytes());
            return Err(Miss::Refused(format!(
                "{caller} may write to {path}, so that {file} could be swapped while it is edited"
            )));
        }
    }
    Ok(())
}

/// Whether `caller`, whose rights this process has, could rename `next` in `folder`, or, where
/// that is the last one, anything.
fn is_loose(folder: impl AsFd, next: Option<Stat>, caller: &Account) -> Result<bool, Miss> {
    let stat = fstat(&folder)?;
    // Whoever owns it can give themselves the right to.
    if stat.st_uid == caller.uid {
        return Ok(true);
    }
    match accessat(folder, ".", MAKE, AtFlags::EACCESS) {
        Ok(()) => {}
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => return Ok(false),
        Err(error) => return Err(Miss::Failed(error.to_string())),
    }
    // A sticky folder lets only owners rename (inode(7)).
    let sticky = Mode::from_raw_mode(stat.st_mode).contains(Mode::SVTX);
    Ok(match next {
        Some(next) => !sticky || next.st_uid == caller.uid,
        None => true,
    })
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
