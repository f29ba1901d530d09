//! The places of a contained session: which of the host's stay writable, which are hidden, which
//! are its own.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use elevate_protocol::ErrorName;
use elevate_protocol::launch::{Contain, Launch};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstatfs, openat2};

use super::shown;
use crate::leader::descriptors::kernels_own;
use crate::leader::failure::Failure;

/// Memory of the session's own, gone with it: path, what tmpfs(5) is told.
pub(super) const OWN: [(&str, &str); 3] = [
    ("/run", "mode=0755,size=10%"),
    ("/tmp", "mode=1777,size=20%"),
    ("/var/tmp", "mode=1777,size=20%"),
];

/// Ours: settings, policy, state, recordings. What is in `/run` is hidden with it.
pub(super) const HIDDEN: [&str; 3] = ["/etc/elevate", "/var/lib/elevate", "/var/log/elevate"];

/// What is read there says, or starts, what the host does with every right. No folder above one of
/// them may be writable either.
const NEVER_WRITABLE: [&str; 27] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/root",
    "/run/credentials",
    "/run/dbus",
    "/run/elevate",
    "/run/lock",
    "/run/systemd",
    "/run/udev",
    "/run/user",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/lib/elevate",
    "/var/log/audit",
    "/var/log/elevate",
    "/var/log/journal",
    "/var/spool",
    "/var/tmp",
];

/// Folders of state below `/var/lib` that the host's own programs execute or believe.
const NEVER_WRITABLE_STATE: [&str; 11] = [
    "apt",
    "containerd",
    "containers",
    "dbus",
    "docker",
    "dpkg",
    "pam",
    "polkit-1",
    "snapd",
    "sudo",
    "systemd",
];

/// Whether each writable place is one that may be.
pub(super) fn check(launch: &Launch, contain: &Contain) -> Result<(), Failure> {
    for place in &contain.writable {
        let path = Path::new(OsStr::from_bytes(place));
        if let Some(why) = refused(path, &[&launch.caller.home, &launch.target.home]) {
            let message = format!("{} cannot be writable: {why}", shown(place));
            return Err(Failure::new(ErrorName::InvalidArgument, message));
        }
    }
    Ok(())
}

/// Why `path` must not be writable; `homes` are the caller's and the target's.
fn refused(path: &Path, homes: &[&String]) -> Option<String> {
    let plain = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !path.is_absolute() || !plain {
        return Some("it is no absolute path without `..`".into());
    }
    let state = NEVER_WRITABLE_STATE.map(|name| format!("/var/lib/{name}"));
    let mut never = NEVER_WRITABLE
        .iter()
        .copied()
        .chain(state.iter().map(String::as_str));
    if let Some(never) =
        never.find(|never| path.starts_with(never) || Path::new(never).starts_with(path))
    {
        return Some(format!("so would be what {never} decides outside"));
    }
    let own = |home: &&String| home.as_str() != "/" && path.starts_with(home);
    if path.starts_with("/home") && !homes.iter().any(own) {
        return Some("it is somebody else's home, or all of them".into());
    }
    None
}

/// Open it as a place, by no link: whoever owns a folder on the way could point one anywhere.
pub(super) fn open_writable(place: &[u8]) -> Result<(OwnedFd, PathBuf), Failure> {
    let path = PathBuf::from(OsStr::from_bytes(place));
    let refuse = |why: &str| {
        let message = format!("{} cannot be writable: {why}", shown(place));
        Failure::new(ErrorName::Unavailable, message)
    };
    let opened = openat2(
        CWD,
        &path,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
    );
    let opened = opened.map_err(|error| match error {
        rustix::io::Errno::LOOP => refuse("a link is on the way; name where it leads"),
        error => refuse(&io::Error::from(error).to_string()),
    })?;
    let system = fstatfs(&opened).map_err(|error| refuse(&io::Error::from(error).to_string()))?;
    match kernels_own(system.f_type as u32) {
        Some(name) => Err(refuse(&format!("it is of {name}"))),
        None => Ok((opened, path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(path: &str) -> bool {
        refused(Path::new(path), &[&"/home/alice".into(), &"/".into()]).is_none()
    }

    #[test]
    fn what_decides_over_the_host_is_never_writable() {
        for path in [
            "/",
            "/etc",
            "/etc/cron.d",
            "/usr/local/bin",
            "/var",
            "/var/lib",
            "/var/lib/elevate",
            "/var/lib/systemd/linger",
            "/var/spool/cron/crontabs",
            "/var/log",
            "/root/.ssh",
            "/run",
            "/run/systemd/system",
            "/proc/sys",
            "/sys",
            "/dev",
            "/boot",
            "/tmp/x",
            "/home",
            "/home/bob",
            "relative",
            "/srv/../etc",
        ] {
            assert!(!may(path), "{path}");
        }
    }

    #[test]
    fn data_may_be_writable_and_a_home_of_ones_own() {
        for path in [
            "/srv/www",
            "/var/www",
            "/var/lib/postgresql",
            "/opt/app/data",
            "/run/postgresql",
            "/var/log/nginx",
            "/home/alice",
            "/home/alice/site",
            "/etcetera",
        ] {
            assert!(may(path), "{path}");
        }
    }

    #[test]
    fn a_writable_place_is_reached_by_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc", &link).unwrap();
        let refused = open_writable(link.as_os_str().as_bytes()).unwrap_err();
        assert!(refused.message.contains("a link"), "{}", refused.message);
        assert!(open_writable(folder.path().as_os_str().as_bytes()).is_ok());
        assert!(open_writable(b"/proc/self").is_err());
    }
}
