//! The first process of a contained session's pid namespace. It does nothing but be there: orphans
//! become its children, and when it ends, the kernel ends all others. The command is its sibling, a
//! child of the leader's own, so that its stops and its end reach the leader as any other's do.

use std::fs::{self, File};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::ErrorName;
use elevate_protocol::seqpacket::{self, Wait};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{chdir, pivot_root};
use rustix::thread::{
    CapabilitySet, CapabilitySets, LinkNameSpaceType, UnshareFlags, move_into_link_name_space,
    set_capabilities, set_no_new_privs,
};

use super::Lacking;
use crate::cgroup;
use crate::leader::failure::Failure;
use crate::sys::descriptors::close_all_but;
use crate::sys::{fork, mounts, signals};

/// Its one word; what else it says is why it cannot be there.
const READY: &[u8] = b"ready";
const WORD_BYTES: usize = 1024;

/// A pid namespace whose first process is there.
pub(in crate::leader) struct PidNamespace {
    namespace: File,
    own: File,
}

impl PidNamespace {
    /// Make one, in `cgroup` if that is there. It lasts as long as this process.
    pub(in crate::leader) fn make(cgroup: Option<BorrowedFd<'_>>) -> Result<Self, Failure> {
        let (link, far) = seqpacket::pair().lacking("make a socket pair")?;
        let pid = fork::fork_pid_namespace(cgroup, || be_first(far.as_fd()))
            .lacking("make a pid namespace")?;
        drop(far);
        hear(&link)?;
        // Its other end is the only descriptor that the first process has: it ends with us, and
        // not before.
        std::mem::forget(link);
        let open = |pid: &str| File::open(format!("/proc/{pid}/ns/pid"));
        Ok(PidNamespace {
            namespace: open(&pid.as_raw_pid().to_string()).lacking("open a pid namespace")?,
            own: open("self").lacking("open a pid namespace")?,
        })
    }

    /// Have `fork` make its child in there.
    pub(in crate::leader) fn forking<T>(&self, fork: impl FnOnce() -> T) -> Result<T, Failure> {
        let enter = |namespace: &File| {
            let kind = Some(LinkNameSpaceType::ProcessID);
            move_into_link_name_space(namespace.as_fd(), kind).lacking("enter a pid namespace")
        };
        enter(&self.namespace)?;
        let forked = fork();
        enter(&self.own)?;
        Ok(forked)
    }

    /// By the command, which systemd has put into its cgroup: have the first process there too.
    pub(in crate::leader) fn bring_first() -> Result<(), Failure> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let path = cgroup::unified(&own).unwrap_or_default();
        let procs = format!("{}{path}/cgroup.procs", elevate_protocol::paths::CGROUP);
        // Numbers written here are of the writer's pid namespace (cgroups(7)).
        fs::write(procs, "1").lacking("put the session's first process into its cgroup")
    }
}

fn hear(link: &OwnedFd) -> Result<(), Failure> {
    match seqpacket::receive(link, WORD_BYTES, Wait::Yes) {
        Ok(Some(packet)) if packet.body == READY => Ok(()),
        Ok(Some(packet)) => {
            let why = String::from_utf8_lossy(&packet.body).into_owned();
            Err(Failure::new(ErrorName::Unavailable, why))
        }
        _ => Err(Failure::new(
            ErrorName::Failed,
            "the session's first process ended",
        )),
    }
}

/// The first process: never returns while the leader lives.
fn be_first(link: BorrowedFd<'_>) -> i32 {
    let word = match become_nothing(link) {
        Ok(()) => READY.to_vec(),
        Err(failure) => failure.message.into_bytes(),
    };
    let _ = seqpacket::send(link, &word, &[], Wait::Yes);
    // Nothing comes; the end does, with the leader.
    let _ = seqpacket::receive(link, WORD_BYTES, Wait::Yes);
    0
}

/// Root is the same inside and outside, so that whoever got hold of this process would have what it
/// has: an empty folder to look at, and no capability. It stays undumpable, as the leader is.
fn become_nothing(link: BorrowedFd<'_>) -> Result<(), Failure> {
    let _ = rustix::thread::set_name(c"elevate-init");
    close_all_but(&[link]).lacking("close descriptors")?;
    signals::ignore_children().lacking("leave children to the kernel")?;
    leave_files().lacking("leave the host's files")?;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).lacking("give capabilities up")?;
    set_no_new_privs(true).lacking("give capabilities up")
}

fn leave_files() -> std::io::Result<()> {
    mounts::leave_for_new(UnshareFlags::NEWNS)?;
    mounts::restrict_all("/".as_ref(), 0)?;
    // Any folder that is always there: it is seen from here alone.
    mount("none", "/proc", "tmpfs", MountFlags::RDONLY, None)?;
    chdir("/proc")?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    Ok(chdir("/")?)
}
