//! What tells one file, in one state, from another.

use elevate_protocol::launch::Identity;
use rustix::fs::Stat;

/// The identity in what stat(2) says.
pub(crate) fn identity(stat: &Stat) -> Identity {
    let nanoseconds = |seconds: i64, rest: u64| {
        seconds
            .saturating_mul(1_000_000_000)
            .saturating_add_unsigned(rest)
    };
    Identity {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: stat.st_size as u64,
        modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
    }
}
