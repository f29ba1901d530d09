//! A line on an approver's terminal, as write(1) leaves one: only where the owner takes messages
//! (mesg(1)), and without waiting for a terminal that is stopped.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::fs::OFlags;

const TERMINALS: &str = "/dev/pts";
/// Permission for the group `tty`, which mesg(1) gives and takes.
const TAKES_MESSAGES: u32 = 0o020;

/// Show `line`, which must be harmless for a terminal, on every terminal of `uid`.
pub fn show(uid: u32, line: &str) {
    for path in terminals_of(uid) {
        // A terminal that takes nothing now misses a notice; `elevatectl requests` has it all.
        let _ = write(&path, uid, line);
    }
}

fn terminals_of(uid: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir(TERMINALS).into_iter().flatten().flatten();
    let numbered = entries.filter(|entry| {
        entry
            .file_name()
            .as_encoded_bytes()
            .iter()
            .all(u8::is_ascii_digit)
    });
    let owned = numbered.filter(|entry| {
        entry
            .metadata()
            .is_ok_and(|m| m.uid() == uid && m.mode() & TAKES_MESSAGES != 0)
    });
    owned.map(|entry| entry.path()).collect()
}

fn write(path: &PathBuf, uid: u32, line: &str) -> std::io::Result<()> {
    let flags = OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let mut terminal = File::options()
        .write(true)
        .custom_flags(flags.bits() as i32)
        .open(path)?;
    let metadata = terminal.metadata()?;
    // The terminal may have changed hands between the look and the opening.
    if metadata.uid() != uid || metadata.mode() & TAKES_MESSAGES == 0 {
        return Ok(());
    }
    terminal.write_all(format!("\r\n{line}\r\n").as_bytes())
}
