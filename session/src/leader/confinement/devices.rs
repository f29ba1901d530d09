//! What a contained session sees of devices and the kernel: nodes that lead nowhere, terminals of
//! its own and the session's, its own processes, its network.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use rustix::fs::{CWD, Mode, mkdir};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags,
    fsconfig_create, fsmount, fsopen, mount, move_mount, open_tree,
};
use rustix::process::umask;

use crate::sys::mounts;

const HARMLESS: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Links as every host has them.
const LINKS: [(&str, &str); 5] = [
    ("pts/ptmx", "ptmx"),
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
];

/// The host's nodes, taken before its `/dev` is covered.
pub(super) struct Devices(Vec<(&'static str, OwnedFd)>);

impl Devices {
    /// Those that every session has, and `terminal` as the console.
    pub(super) fn take(terminal: Option<PathBuf>) -> io::Result<Devices> {
        let harmless = HARMLESS.map(|name| (name, PathBuf::from(format!("/dev/{name}"))));
        let console = terminal.map(|path| ("console", path));
        let taken = harmless.into_iter().chain(console).map(|(name, path)| {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            let node = open_tree(CWD, &path, flags).map_err(|error| {
                let error = io::Error::from(error);
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })?;
            mounts::change(node.as_fd(), 0, mounts::NO_DEVICES)?;
            Ok((name, node))
        });
        Ok(Devices(taken.collect::<io::Result<_>>()?))
    }

    /// Cover `/dev` with a folder that holds no more than these.
    pub(super) fn mount(self) -> io::Result<()> {
        let before = umask(Mode::empty());
        let mounted = self.mount_all();
        umask(before);
        mounted
    }

    fn mount_all(self) -> io::Result<()> {
        let plain = MountFlags::NOSUID | MountFlags::NOEXEC;
        mount(
            "none",
            "/dev",
            "tmpfs",
            plain,
            Some(c"mode=0755,size=64k,nr_inodes=64"),
        )?;
        for (name, node) in self.0 {
            let place = format!("/dev/{name}");
            File::create(&place)?;
            let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
            move_mount(&node, "", CWD, &place, flags)?;
        }
        for (to, name) in LINKS {
            symlink(to, format!("/dev/{name}"))?;
        }
        mkdir("/dev/pts", Mode::from_raw_mode(0o755))?;
        let options = c"newinstance,ptmxmode=0666,mode=0620,gid=5";
        mount("none", "/dev/pts", "devpts", plain, Some(options))?;
        mkdir("/dev/shm", Mode::from_raw_mode(0o1777))?;
        let shared = MountFlags::NOSUID | MountFlags::NODEV;
        mount(
            "none",
            "/dev/shm",
            "tmpfs",
            shared,
            Some(c"mode=1777,size=20%"),
        )?;
        read_only("/dev")
    }
}

/// The files of a new `/proc` that tell of, or act on, more than the session.
const OF_THE_HOST: [&str; 8] = [
    "kcore",
    "key-users",
    "keys",
    "kmsg",
    "latency_stats",
    "sched_debug",
    "sysrq-trigger",
    "timer_list",
];

/// Cover `/proc` with one that shows the session's processes and changes nothing.
pub(super) fn mount_proc() -> io::Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY;
    mount("proc", "/proc", "proc", flags, None)?;
    for name in OF_THE_HOST {
        let place = format!("/proc/{name}");
        if fs::exists(&place)? {
            rustix::mount::mount_bind("/dev/null", &place)?;
        }
    }
    Ok(())
}

/// Cover `/sys` with one that shows the session's network, and nothing of what else is mounted
/// there: no cgroups, no debugging.
pub(super) fn mount_sys() -> io::Result<()> {
    // In steps: mount(2) puts nothing over itself, which the network's one sysfs can be.
    let context = fsopen("sysfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    let nothing = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, nothing)?;
    let from = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    Ok(move_mount(&mount, "", CWD, "/sys", from)?)
}

fn read_only(path: &str) -> io::Result<()> {
    let mount = open_tree(CWD, path, OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
    mounts::change(mount.as_fd(), mounts::READ_ONLY, 0)
}
