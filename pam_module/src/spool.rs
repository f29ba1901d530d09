//! What the module did by itself, kept for `elevated` to put on record when it is back.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use elevate_protocol::limits::LOGIN_SPOOL_FILES;
use elevate_protocol::login::{Outcome, Spooled};
use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

/// Of the files that there may be, those that are kept for rescues: names that are wrong come from
/// anybody, as often as they like, and must not keep a rescue off the record.
const FOR_RESCUES: usize = LOGIN_SPOOL_FILES / 10;
const OWNER_ONLY: Mode = Mode::RWXU;
/// How many file names are tried where one process writes several in a millisecond.
const NAMES: u64 = 100;

/// Why nothing was written. It is in the system's log then, and nowhere else.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSpooled {
    #[error("{0}")]
    System(#[from] Errno),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("its folder is not root's alone")]
    Folder,
    #[error("there are as many files in it as there may be")]
    Full,
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

/// Write `entry` into `folder`, whole or not at all, as `MILLISECONDS-PID.json`.
pub(crate) fn write(folder: &Path, entry: &Spooled) -> Result<(), NotSpooled> {
    let folder = open(folder)?;
    let kept = match entry.outcome {
        Outcome::Rescued => 0,
        Outcome::Refused => FOR_RESCUES,
    };
    if entries(&folder)? >= LOGIN_SPOOL_FILES - kept {
        return Err(NotSpooled::Full);
    }
    let pid = std::process::id();
    let draft = format!(".tmp-{}-{pid}", entry.at);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&folder, &draft, flags, Mode::RUSR | Mode::WUSR)?;
    let written = fill(file.into(), entry).and_then(|()| publish(&folder, &draft, entry.at, pid));
    if written.is_err() {
        // A draft left behind would count as one of the files for ever.
        let _ = rustix::fs::unlinkat(&folder, &draft, AtFlags::empty());
    }
    written
}

fn fill(mut file: std::fs::File, entry: &Spooled) -> Result<(), NotSpooled> {
    file.write_all(&elevate_protocol::message::encode(entry))?;
    file.sync_all()?;
    Ok(())
}

fn publish(folder: &OwnedFd, draft: &str, at: u64, pid: u32) -> Result<(), NotSpooled> {
    for at in at..at.saturating_add(NAMES) {
        let name = format!("{at}-{pid}.json");
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(folder, draft, folder, &name, flags) {
            Ok(()) => return Ok(rustix::fs::fsync(folder)?),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::EXIST.into())
}

/// The folder, made where it is missing, and ours alone.
fn open(path: &Path) -> Result<OwnedFd, NotSpooled> {
    match rustix::fs::mkdirat(CWD, path, OWNER_ONLY) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    let found = rustix::fs::fstat(&folder)?;
    let others = Mode::from_raw_mode(found.st_mode).intersects(Mode::RWXG | Mode::RWXO);
    let ours = found.st_uid == rustix::process::geteuid().as_raw();
    match ours && !others {
        true => Ok(folder),
        false => Err(NotSpooled::Folder),
    }
}

fn entries(folder: &OwnedFd) -> Result<usize, NotSpooled> {
    let mut count = 0;
    for entry in Dir::read_from(folder)? {
        let name = entry?;
        count += usize::from(!matches!(name.file_name().to_bytes(), b"." | b".."));
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use elevate_protocol::login::Login;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn entry() -> Spooled {
        Spooled {
            login: Login {
                service: "login".into(),
                user: "root".into(),
                source: None,
                terminal: Some("/dev/tty1".into()),
            },
            outcome: Outcome::Rescued,
            phase: "auth".into(),
            problem: "elevated cannot be reached: No such file or directory (os error 2)".into(),
            real_terminal: Some("tty1".into()),
            at: 1_795_000_000_123,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_entry_is_one_file_of_exactly_these_bytes() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("login-spool");
        write(&folder, &entry()).unwrap();
        let name = format!("1795000000123-{}.json", std::process::id());
        assert_eq!(names(&folder), std::slice::from_ref(&name));
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        assert_eq!(
            text,
            r#"{"login":{"service":"login","user":"root","terminal":"/dev/tty1"},"outcome":"rescued","phase":"auth","problem":"elevated cannot be reached: No such file or directory (os error 2)","real_terminal":"tty1","at":1795000000123}"#
        );
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&folder), mode(&folder.join(name))), (0o700, 0o600));
    }

    #[test]
    fn two_entries_of_one_millisecond_are_two_files() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("login-spool");
        write(&folder, &entry()).unwrap();
        write(&folder, &entry()).unwrap();
        assert_eq!(names(&folder).len(), 2);
    }

    #[test]
    fn a_folder_of_others_or_a_link_is_not_written_to() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("open");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(write(&folder, &entry()), Err(NotSpooled::Folder)));
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(parent.path(), &link).unwrap();
        assert!(write(&link, &entry()).is_err());
        assert_eq!(names(&folder), [""; 0]);
    }

    #[test]
    fn a_full_folder_takes_no_more() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("login-spool");
        write(&folder, &entry()).unwrap();
        for number in 1..LOGIN_SPOOL_FILES {
            fs::write(folder.join(format!("{number}.json")), "").unwrap();
        }
        assert!(matches!(write(&folder, &entry()), Err(NotSpooled::Full)));
        assert_eq!(names(&folder).len(), LOGIN_SPOOL_FILES);
    }

    #[test]
    fn refusals_leave_room_for_a_rescue() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("login-spool");
        let refused = Spooled {
            outcome: Outcome::Refused,
            ..entry()
        };
        write(&folder, &refused).unwrap();
        for number in 1..LOGIN_SPOOL_FILES - FOR_RESCUES {
            fs::write(folder.join(format!("{number}.json")), "").unwrap();
        }
        let full = write(&folder, &refused);
        assert!(matches!(full, Err(NotSpooled::Full)));
        write(&folder, &entry()).unwrap();
    }
}
