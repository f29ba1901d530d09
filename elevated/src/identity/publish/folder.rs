//! The folder of records, of which only what is ours is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, Mode, OFlags, fchmod, fstat, openat, readlinkat, renameat, symlinkat, unlinkat,
};
use rustix::io::Errno;
use serde_json::Value;

use super::File;
use super::records::{GROUP, MEMBERSHIP, SERVICE, USER, USER_PRIVILEGED, is_main, is_number};

/// What a file that is being written is called until it is whole.
const UNFINISHED: &str = ".elevate-unfinished";
/// A record of ours is no longer.
const LONGEST: u64 = 2 * 1024 * 1024;

/// The folder, open.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

impl Folder {
    /// Open it. It must be ours, as whoever can write it decides who people are.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let shown = |error: Errno| {
            let error = io::Error::from(error);
            let hint = match error.kind() {
                io::ErrorKind::NotFound => " (systemd-tmpfiles --create elevate.conf makes it)",
                _ => "",
            };
            io::Error::new(error.kind(), format!("{}: {error}{hint}", path.display()))
        };
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
        let folder = rustix::fs::open(path, flags, Mode::empty()).map_err(shown)?;
        let stat = fstat(&folder).map_err(shown)?;
        let own = rustix::process::geteuid().as_raw();
        if stat.st_uid != own || stat.st_mode & 0o022 != 0 {
            let why = format!("{} is not root's, or others can write it", path.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
        }
        Ok(Folder(folder))
    }

    /// What is there of ours: the records that say so, their second names, their private parts, and
    /// memberships of our people in our groups.
    pub(super) fn ours(&self) -> io::Result<BTreeMap<String, File>> {
        let names = self.names()?;
        let mut ours = BTreeMap::new();
        for name in names.iter().filter(|name| is_main(name)) {
            if let Some(text) = self.read(name)?
                && serde_json::from_str::<Value>(&text).is_ok_and(|v| v["service"] == SERVICE)
            {
                ours.insert(name.clone(), File::Public(text));
            }
        }
        let mains: BTreeSet<String> = ours.keys().cloned().collect();
        for name in names.iter().filter(|name| !is_main(name)) {
            if let Some(file) = self.companion(name, &mains)? {
                ours.insert(name.clone(), file);
            }
        }
        Ok(ours)
    }

    /// Whether there is anything of this name.
    pub(super) fn has(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(false),
            found => Ok(found.map(|_| true)?),
        }
    }

    /// Whether what is there under `name` is the link that `file` is: whoever made it, it is right.
    pub(super) fn leads_as(&self, name: &str, file: &File) -> io::Result<bool> {
        match file {
            File::Link(target) => Ok(self.target(name)?.as_ref() == Some(target)),
            _ => Ok(false),
        }
    }

    /// Put `file` there under `name` at once: whoever looks sees what was there before, or all of it.
    pub(super) fn write(&self, name: &str, file: &File) -> io::Result<()> {
        self.remove(UNFINISHED)?;
        let (text, mode) = match file {
            File::Link(target) => {
                symlinkat(target.as_str(), &self.0, UNFINISHED)?;
                return Ok(renameat(&self.0, UNFINISHED, &self.0, name)?);
            }
            File::Public(text) => (text, 0o644),
            File::Private(text) => (text, 0o600),
        };
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        let unfinished = openat(&self.0, UNFINISHED, flags, Mode::from_raw_mode(0o600))?;
        let mut unfinished = fs::File::from(unfinished);
        unfinished.write_all(text.as_bytes())?;
        // Whatever the umask says.
        fchmod(&unfinished, Mode::from_raw_mode(mode))?;
        Ok(renameat(&self.0, UNFINISHED, &self.0, name)?)
    }

    /// Remove what is there under `name`, if anything is.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.0, name, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(()),
            done => Ok(done?),
        }
    }

    fn companion(&self, name: &str, mains: &BTreeSet<String>) -> io::Result<Option<File>> {
        let has = |bare: &str, suffix: &str| mains.contains(&format!("{bare}{suffix}"));
        if let Some((user, group)) = name
            .strip_suffix(MEMBERSHIP)
            .and_then(|n| n.split_once(':'))
        {
            let ours = has(user, USER) && has(group, GROUP);
            return Ok(self.read(name)?.filter(|_| ours).map(File::Public));
        }
        for suffix in [USER_PRIVILEGED, USER, GROUP] {
            let Some(bare) = name.strip_suffix(suffix) else {
                continue;
            };
            let main = if suffix == GROUP { GROUP } else { USER };
            if is_number(bare) {
                let target = self.target(name)?;
                let theirs =
                    |target: &String| target.strip_suffix(suffix).is_some_and(|t| has(t, main));
                return Ok(target.filter(theirs).map(File::Link));
            }
            return Ok(self
                .read(name)?
                .filter(|_| has(bare, main))
                .map(File::Private));
        }
        Ok(None)
    }

    /// The text of an ordinary file; none of what is something else, is too long or is no text.
    fn read(&self, name: &str) -> io::Result<Option<String>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.0, name, flags, Mode::empty()) {
            Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
            opened => fs::File::from(opened?),
        };
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(String::from_utf8(bytes).ok())
    }

    fn target(&self, name: &str) -> io::Result<Option<String>> {
        match readlinkat(&self.0, name, Vec::new()) {
            Err(Errno::INVAL | Errno::NOENT) => Ok(None),
            target => Ok(target?.into_string().ok()),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = rustix::fs::Dir::read_from(&self.0)?;
        let mut names = Vec::new();
        for entry in entries {
            // A name that is no text is none of ours.
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }
}
