//! A view of the host in mount, IPC and network namespaces of its own: all of it read-only, without
//! devices, setuid files, services' sockets or anything of ours, but for what the rule leaves
//! writable (mount_namespaces(7)).

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use elevate_protocol::launch::Contain;
use elevate_protocol::paths;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, mkdir, open};
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, move_mount, open_tree};
use rustix::process::{chdir, umask};
use rustix::thread::UnshareFlags;

use super::devices::{self, Devices};
use super::{Lacking, places};
use crate::leader::failure::Failure;
use crate::sys::landlock::Restriction;
use crate::sys::{mounts, network};

/// A view that is being made: this process is in its namespaces already.
pub(super) struct View {
    /// What stays the host's and writable.
    writable: Vec<Place>,
    /// What stays to be read although the session has a `/run` of its own.
    shown: Vec<Place>,
}

/// A part of the host's files, taken before something covers it.
struct Place {
    path: PathBuf,
    /// Where it was taken.
    opened: OwnedFd,
    /// The copy of the mounts from there on.
    tree: OwnedFd,
}

impl View {
    /// Leave for new namespaces, in which everything is read-only.
    pub(super) fn begin(contain: &Contain) -> Result<View, Failure> {
        let mut namespaces = UnshareFlags::NEWNS | UnshareFlags::NEWIPC | UnshareFlags::NEWUTS;
        if !contain.network {
            namespaces |= UnshareFlags::NEWNET;
        }
        mounts::leave_for_new(namespaces).lacking("make namespaces")?;
        let nothing = mounts::READ_ONLY | mounts::NO_SETUID | mounts::NO_DEVICES;
        mounts::restrict_all(Path::new("/"), nothing).lacking("make every mount read-only")?;
        if !contain.network {
            network::switch_loopback_on().lacking("switch the loopback interface on")?;
        }
        let writable = contain.writable.iter().map(|place| Place::writable(place));
        Ok(View {
            writable: writable.collect::<Result<_, _>>()?,
            shown: shown(contain.network),
        })
    }

    /// Cover what is not for the session, and open what it may change; the rest of what it may not
    /// is for the kernel's Landlock to keep too, where it has one.
    pub(super) fn build(self, terminal: Option<PathBuf>) -> Result<Option<Restriction>, Failure> {
        let devices = Devices::take(terminal).lacking("take devices")?;
        devices.mount().lacking("make a /dev")?;
        devices::mount_proc().lacking("make a /proc")?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        let read_only = flags | MountFlags::NOEXEC | MountFlags::RDONLY;
        devices::mount_sys().lacking("make a /sys")?;
        for (path, options) in places::OWN {
            let options = std::ffi::CString::new(options).map_err(io::Error::from);
            let mounted = options.and_then(|options| {
                Ok(mount(
                    "none",
                    path,
                    "tmpfs",
                    flags,
                    Some(options.as_c_str()),
                )?)
            });
            mounted.lacking(&format!("make a {path}"))?;
        }
        for path in places::HIDDEN
            .iter()
            .filter(|path| Path::new(path).is_dir())
        {
            let empty = c"mode=000,size=4k,nr_inodes=2";
            mount("none", *path, "tmpfs", read_only, Some(empty))
                .lacking(&format!("hide {path}"))?;
        }
        make_lock_folder().lacking("make /run/lock")?;
        for place in self.writable.iter().chain(&self.shown) {
            let path = place.path.display();
            place.put_back().lacking(&format!("show {path}"))?;
        }
        chdir("/").lacking("enter the view")?;
        restriction(&self.writable).lacking("make Landlock's rules")
    }
}

impl Place {
    fn take(path: PathBuf, opened: OwnedFd) -> io::Result<Place> {
        let tree = clone(&opened)?;
        Ok(Place { path, opened, tree })
    }

    /// One whose first mount can be written to. What is mounted below stays read-only, unless it is
    /// named too.
    fn writable(path: &[u8]) -> Result<Place, Failure> {
        let (opened, to) = places::open_writable(path)?;
        let place = Place::take(to, opened).and_then(|place| {
            mounts::change(place.tree.as_fd(), 0, mounts::READ_ONLY)?;
            Ok(place)
        });
        place.lacking(&format!("make {} writable", super::shown(path)))
    }

    /// Put it where it was.
    fn put_back(&self) -> io::Result<()> {
        let from = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        if !places::OWN
            .iter()
            .any(|(own, _)| self.path.starts_with(own))
        {
            // Not by its path, on which somebody could have put a link.
            let flags = from | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
            return Ok(move_mount(&self.tree, "", &self.opened, "", flags)?);
        }
        // In a folder of the session's own nothing is there yet.
        let kind = FileType::from_raw_mode(fstat(&self.opened)?.st_mode);
        match self.path.parent() {
            Some(parent) if !kind.is_dir() => {
                fs::create_dir_all(parent)?;
                fs::File::create(&self.path)?;
            }
            _ => fs::create_dir_all(&self.path)?,
        }
        Ok(move_mount(&self.tree, "", CWD, &self.path, from)?)
    }
}

/// What of `/run` is no more than something to read: the directory's people, for nss-systemd, and
/// in the host's network who resolves names. What isn't there is not missed.
fn shown(network: bool) -> Vec<Place> {
    let resolver = network.then(|| fs::canonicalize("/etc/resolv.conf").ok());
    let paths = resolver
        .flatten()
        .into_iter()
        .chain([paths::USER_RECORDS.into()]);
    paths
        .filter(|path| path.starts_with("/run"))
        .filter_map(|path| {
            let opened = open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
            Place::take(path, opened).ok()
        })
        .collect()
}

/// Where `/var/lock` leads.
fn make_lock_folder() -> io::Result<()> {
    let before = umask(Mode::empty());
    let made = mkdir("/run/lock", Mode::from_raw_mode(0o1777));
    umask(before);
    Ok(made?)
}

fn clone(opened: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(opened, "", flags)?)
}

/// Changes are for these places alone, by whatever way a file is reached.
fn restriction(writable: &[Place]) -> io::Result<Option<Restriction>> {
    let Some(mut restriction) = Restriction::begin()? else {
        return Ok(None);
    };
    for place in writable {
        restriction.allow(&place.tree)?;
    }
    let own = places::OWN.iter().map(|(path, _)| *path);
    // The console by itself, which other paths lead to as well.
    for path in own.chain(["/dev", "/dev/console"]) {
        match open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Ok(place) => restriction.allow(&place)?,
            Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(restriction))
}
