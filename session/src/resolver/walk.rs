//! Walking a path by hand, one component at a time, to see who could change where it leads.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::{Errno, Result};

/// As many links as the kernel follows (path_resolution(7)).
const MOST_LINKS: u32 = 40;

/// One step of the way: what was opened, under which name in the one before.
struct Step {
    name: Vec<u8>,
    descriptor: OwnedFd,
}

/// A place in the file system, and the way there from the root.
pub(super) struct Walk {
    steps: Vec<Step>,
    root: OwnedFd,
    links: u32,
    fixed: bool,
}

impl Walk {
    /// At the root.
    pub(super) fn from_root() -> Result<Walk> {
        let flags = LOOK.union(OFlags::DIRECTORY);
        let root = openat(CWD, "/", flags, Mode::empty())?;
        let mut walk = Walk {
            steps: Vec::new(),
            links: 0,
            fixed: true,
            root,
        };
        let stat = fstat(&walk.root)?;
        walk.fixed = only_root_changes(&stat);
        Ok(walk)
    }

    /// Go along `path`, following every link, to the end or to the first thing that isn't there.
    pub(super) fn go(&mut self, path: &[u8]) -> Result<()> {
        // Components still to go, the next one last.
        let mut ahead = components(path);
        if path.starts_with(b"/") {
            self.steps.clear();
        }
        while let Some(name) = ahead.pop() {
            if name == b".." {
                // Fails where the kernel would: below a file, in a folder that can't be searched.
                openat(self.here(), "..", LOOK, Mode::empty())?;
                self.steps.pop();
            } else if let Some(target) = self.enter(name)? {
                if target.starts_with(b"/") {
                    self.steps.clear();
                }
                ahead.append(&mut components(&target));
            }
        }
        Ok(())
    }

    /// Go into `name`; if it is a link stay here and say where it leads.
    fn enter(&mut self, name: Vec<u8>) -> Result<Option<Vec<u8>>> {
        let descriptor = openat(self.here(), &name[..], LOOK, Mode::empty())?;
        let stat = fstat(&descriptor)?;
        self.fixed &= only_root_changes(&stat);
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            self.steps.push(Step { name, descriptor });
            return Ok(None);
        }
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::LOOP);
        }
        let target = readlinkat(&descriptor, "", Vec::new())?;
        Ok(Some(target.into_bytes()))
    }

    /// Where the walk stands.
    pub(super) fn here(&self) -> impl AsFd + '_ {
        self.steps
            .last()
            .map_or(self.root.as_fd(), |step| step.descriptor.as_fd())
    }

    /// The folder it stands in, and the name there; none at the root.
    pub(super) fn parent_and_name(&self) -> Option<(impl AsFd + '_, &[u8])> {
        let (last, before) = self.steps.split_last()?;
        let parent = before
            .last()
            .map_or(self.root.as_fd(), |step| step.descriptor.as_fd());
        Some((parent, &last.name))
    }

    /// The way from the root, without links.
    pub(super) fn path(&self) -> Vec<u8> {
        let mut path: Vec<u8> = Vec::new();
        for step in &self.steps {
            path.push(b'/');
            path.extend_from_slice(&step.name);
        }
        if path.is_empty() { b"/".to_vec() } else { path }
    }

    /// Every folder on the way with its path, the root first; where the walk stands last.
    pub(super) fn folders(&self) -> impl Iterator<Item = (BorrowedFd<'_>, Vec<u8>)> {
        let mut path = Vec::new();
        let below = self.steps.iter().map(move |step| {
            path.push(b'/');
            path.extend_from_slice(&step.name);
            (step.descriptor.as_fd(), path.clone())
        });
        std::iter::once((self.root.as_fd(), b"/".to_vec())).chain(below)
    }

    /// Whether nobody but root can change where the way leads, from the root on, or what is here.
    pub(super) fn fixed(&self) -> bool {
        self.fixed
    }
}

const LOOK: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The components of `path`, the first one last.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    let components = path.split(|&byte| byte == b'/').rev();
    components
        .filter(|name| !name.is_empty() && *name != b".")
        .map(<[u8]>::to_vec)
        .collect()
}

/// Owned by root, and no write bit for group or others. The group's bits are the mask where there
/// is an ACL (acl(5)), so that whoever an ACL lets write shows there; a sticky folder lets others
/// add names. Of a link only the owner counts: its mode is always 0777, its contents never change.
fn only_root_changes(stat: &Stat) -> bool {
    const GROUP_OR_OTHERS_WRITE: u32 = 0o022;
    let link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
    stat.st_uid == 0 && (link || stat.st_mode & GROUP_OR_OTHERS_WRITE == 0)
}
