//! Resource limits. PAM sets them on the process that opens the session, which is the leader; they
//! are meant for the command.

use rustix::io::Result;
use rustix::process::{
    Pid, Resource, Rlimit, getpriority_process, getrlimit, prlimit, setpriority_process, setrlimit,
};

const ALL: [Resource; 16] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Rss,
    Resource::Nproc,
    Resource::Nofile,
    Resource::Memlock,
    Resource::As,
    Resource::Locks,
    Resource::Sigpending,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Rtprio,
    Resource::Rttime,
];

/// Descriptors of a process that asks for no more, as systemd has it: above this, programs that
/// use select(2) break.
const SOFT_DESCRIPTORS: u64 = 1024;

/// Take back what the launcher's unit raised for itself, before a command inherits it.
pub(super) fn put_descriptors_back() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let current = limit
        .current
        .map_or(SOFT_DESCRIPTORS, |n| n.min(SOFT_DESCRIPTORS));
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(current),
            ..limit
        },
    )
}

/// This process's limits and priority at a moment.
pub(super) struct Snapshot {
    limits: [Rlimit; ALL.len()],
    priority: i32,
}

impl Snapshot {
    pub(super) fn take() -> Result<Snapshot> {
        Ok(Snapshot {
            limits: ALL.map(getrlimit),
            priority: getpriority_process(None)?,
        })
    }

    /// Give what was changed here since this snapshot to `command`, and take it back here.
    pub(super) fn move_changes_to(&self, command: Pid) -> Result<()> {
        let now = Snapshot::take()?;
        for (place, resource) in ALL.into_iter().enumerate() {
            if now.limits[place] != self.limits[place] {
                prlimit(Some(command), resource, now.limits[place])?;
                setrlimit(resource, self.limits[place])?;
            }
        }
        if now.priority != self.priority {
            setpriority_process(Some(command), now.priority)?;
            setpriority_process(None, self.priority)?;
        }
        Ok(())
    }
}
