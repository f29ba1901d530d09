//! From a command's first word to the file that would be executed.

use std::io::Seek;

use elevate_protocol::Bytes;
use elevate_protocol::launch::{File, Resolution, Resolve};
use elevate_protocol::limits::PATH_BYTES;
use rustix::fs::{Access, AtFlags, FileType, accessat, fstat};
use rustix::io::Errno;

use super::contents;
use super::script::{self, MOST_INTERPRETERS};
use super::walk::Walk;
use crate::identity::identity;

/// Why a path is not the file.
enum Miss {
    NotFound,
    NotExecutable(Vec<u8>),
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

/// Which file `order` means, for this process's rights.
pub(super) fn find(order: &Resolve) -> Resolution {
    if order.command.is_empty() || order.command.has_nul() || order.command.len() > PATH_BYTES {
        return Resolution::NotFound;
    }
    let found = match order.command.contains(&b'/') {
        true => look_at(&order.cwd, &order.command, order, 0),
        false => search(order),
    };
    match found {
        Ok(file) => Resolution::Found(file),
        Err(Miss::NotFound) => Resolution::NotFound,
        Err(Miss::NotExecutable(path)) => Resolution::NotExecutable(Bytes(path)),
        Err(Miss::Failed(why)) => Resolution::Failed(why),
    }
}

/// A bare name, in each absolute folder of the search path, as execvp(3) looks for it.
fn search(order: &Resolve) -> Result<File, Miss> {
    let mut miss = Miss::NotFound;
    for folder in order
        .search_path
        .split(':')
        .filter(|folder| folder.starts_with('/'))
    {
        match look_at(folder.as_bytes(), &order.command, order, 0) {
            Err(Miss::NotFound) => {}
            Err(not @ Miss::NotExecutable(_)) => miss = not,
            other => return other,
        }
    }
    Err(miss)
}

/// The file at `path`, seen from `base`; `depth` interpreters were looked at before.
fn look_at(base: &[u8], path: &[u8], order: &Resolve, depth: u32) -> Result<File, Miss> {
    let (folder, name) = split(path);
    let mut walk = Walk::from_root()?;
    if !path.starts_with(b"/") {
        walk.go(base)?;
    }
    walk.go(folder)?;
    let asked = join(walk.path(), name);
    walk.go(name)?;
    let mut file = judge(&walk, asked)?;
    // What cannot be read can still be executed, but no script is: its interpreter has to read it.
    let opened = match contents::open(&walk) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied && !order.hash => {
            return Ok(file);
        }
        Err(error) => return Err(unreadable(&file, &error)),
    };
    let head = contents::head(&opened).map_err(|error| unreadable(&file, &error))?;
    if let Some(interpreter) = script::interpreter(&head) {
        if depth == MOST_INTERPRETERS {
            return Err(Miss::Failed("too many interpreters of interpreters".into()));
        }
        let interpreter = look_at(&order.cwd, interpreter, order, depth + 1)?;
        file.fixed &= interpreter.fixed;
        file.interpreter = Some(Box::new(interpreter));
    }
    if order.hash {
        let all = (&opened).rewind().and_then(|()| contents::sha256(&opened));
        file.sha256 = Some(all.map_err(|error| unreadable(&file, &error))?);
    }
    Ok(file)
}

/// The last component of `path`, and what is before it. A path that ends in `/` or `..` names a
/// folder, and is left to be found out as one.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => path.split_at(slash + 1),
        None => (b"", path),
    }
}

fn join(mut folder: Vec<u8>, name: &[u8]) -> Vec<u8> {
    if !folder.ends_with(b"/") {
        folder.push(b'/');
    }
    folder.extend_from_slice(name);
    folder
}

/// A regular file that this process may execute.
fn judge(walk: &Walk, asked: Vec<u8>) -> Result<File, Miss> {
    let stat = fstat(walk.here())?;
    let names_a_folder = asked.ends_with(b"/") || asked.ends_with(b"/.");
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile if names_a_folder => return Err(Miss::NotFound),
        FileType::RegularFile => {}
        _ => return Err(Miss::NotExecutable(asked)),
    }
    let (folder, name) = walk.parent_and_name().ok_or(Miss::NotFound)?;
    match accessat(folder, name, Access::EXEC_OK, AtFlags::EACCESS) {
        Ok(()) => {}
        Err(Errno::ACCESS) => return Err(Miss::NotExecutable(asked)),
        Err(error) => return Err(error.into()),
    }
    // A last component that is a link is kept, for programs that look at the name they have.
    Ok(File {
        path: Bytes(asked),
        real: Bytes(walk.path()),
        identity: identity(&stat),
        fixed: walk.fixed(),
        interpreter: None,
        sha256: None,
    })
}

fn unreadable(file: &File, error: &std::io::Error) -> Miss {
    let path = elevate_protocol::escape::line(&file.real);
    Miss::Failed(format!("the target cannot read {path}: {error}"))
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
