//! Cgroups of processes, and the tree of a session (cgroups(7), version 2).

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::{Id, paths};
use rustix::fs::{Mode, OFlags, openat};
use rustix::process::Pid;

/// The cgroup of process `pid`, as its own namespace names it.
pub(crate) fn of_process(pid: Pid) -> io::Result<String> {
    let text = fs::read_to_string(format!("/proc/{}/cgroup", pid.as_raw_pid()))?;
    unified(&text)
        .map(str::to_owned)
        .ok_or_else(|| io::Error::other("no unified cgroup hierarchy"))
}

/// The path in the version 2 line of `/proc/PID/cgroup`.
pub(crate) fn unified(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The cgroup of session `id`, as `/proc/PID/cgroup` names it.
pub(crate) fn of_session(id: Id) -> String {
    format!("/{}/{}", paths::SLICE, id.scope())
}

/// Make the cgroup of session `id` ahead of its scope, which systemd makes around it. `NotFound`
/// where the slice has none yet: then systemd makes both.
pub(crate) fn create(id: Id) -> io::Result<OwnedFd> {
    let path = paths::scope_cgroup(id);
    rustix::fs::mkdir(&path, Mode::from_raw_mode(0o755))?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Remove the empty cgroup of session `id`, if systemd has not.
pub(crate) fn remove(id: Id) {
    // Gone already in most cases.
    let _ = rustix::fs::rmdir(paths::scope_cgroup(id));
}

/// All processes of a session, by the cgroup of its scope.
pub(crate) struct Tree {
    folder: OwnedFd,
    events: OwnedFd,
}

impl Tree {
    /// The tree of session `id`; `NotFound` when its scope doesn't exist.
    pub(crate) fn open(id: Id) -> io::Result<Tree> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::open(paths::scope_cgroup(id), flags, Mode::empty())?;
        let events = openat(&folder, "cgroup.events", READ, Mode::empty())?;
        Ok(Tree { folder, events })
    }

    /// Kill every process in it, those being forked too.
    pub(crate) fn kill(&self) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let written = openat(&self.folder, "cgroup.kill", flags, Mode::empty())
            .and_then(|kill| rustix::io::write(kill, b"1"));
        match written {
            Ok(_) => Ok(()),
            // systemd removes the cgroup as soon as it is empty.
            Err(_) if self.is_empty() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether no process is left in it that runs.
    pub(crate) fn is_empty(&self) -> bool {
        let mut text = [0; 256];
        match rustix::io::pread(&self.events, &mut text, 0) {
            Ok(length) => !populated(&text[..length]),
            Err(error) => error == rustix::io::Errno::NODEV,
        }
    }

    /// Its processes, without those of cgroups below.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let Ok(file) = openat(&self.folder, "cgroup.procs", READ, Mode::empty()) else {
            return Vec::new();
        };
        let text = io::read_to_string(File::from(file)).unwrap_or_default();
        let pids = text.lines().filter_map(|line| line.parse().ok());
        pids.filter_map(Pid::from_raw).collect()
    }

    /// Becomes exceptional (POLLPRI) when the tree empties.
    pub(crate) fn events(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC);

/// Whether `cgroup.events` says that processes are left. What cannot be read is taken for yes.
fn populated(text: &[u8]) -> bool {
    !text
        .split(|&byte| byte == b'\n')
        .any(|line| line == b"populated 0")
}

/// Sessions that have a scope now.
pub(crate) fn sessions() -> Vec<Id> {
    let folder = format!("{}/{}", paths::CGROUP, paths::SLICE);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| session_of_scope(entry.file_name().to_str()?))
        .collect()
}

fn session_of_scope(name: &str) -> Option<Id> {
    let id = name.strip_prefix("elevate-")?.strip_suffix(".scope")?;
    id.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_unified_line_counts() {
        assert_eq!(unified("1:name=systemd:/x\n0::/a/b\n"), Some("/a/b"));
        assert_eq!(unified("1:name=0::/fake:/x\n"), None);
        assert_eq!(unified(""), None);
    }

    #[test]
    fn a_tree_is_empty_only_when_the_kernel_says_so() {
        assert!(!populated(b"populated 0\nfrozen 0\n"));
        assert!(populated(b"populated 1\nfrozen 0\n"));
        assert!(populated(b""));
    }

    #[test]
    fn only_our_scopes_are_sessions() {
        let id: Id = "k7m2x9qd".parse().unwrap();
        assert_eq!(session_of_scope(&id.scope()), Some(id));
        for other in [
            "elevate-x.scope",
            "session-1.scope",
            "elevate-k7m2x9qd.service",
        ] {
            assert_eq!(session_of_scope(other), None, "{other}");
        }
    }

    #[test]
    fn the_cgroup_of_a_session_is_the_folder_below_the_root() {
        let id: Id = "k7m2x9qd".parse().unwrap();
        let folder = format!("{}{}", paths::CGROUP, of_session(id));
        assert_eq!(folder, paths::scope_cgroup(id));
    }
}
