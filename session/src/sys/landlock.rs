//! Which files a process and all it starts may change, whatever their mounts say (landlock(7)).

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use rustix::fs::{FileType, fstat};

const WRITE_FILE: u64 = 1 << 1;
const REFER: u64 = 1 << 13;
const TRUNCATE: u64 = 1 << 14;
/// From REMOVE_DIR to MAKE_SYM.
const CHANGE_FOLDERS: u64 = 0b1_1111_1111 << 4;

const SCOPE_ABSTRACT_SOCKETS: u64 = 1 << 0;
const SCOPE_SIGNALS: u64 = 1 << 1;

/// `struct landlock_ruleset_attr`.
#[repr(C)]
#[derive(Default)]
struct Ruleset {
    files: u64,
    network: u64,
    scoped: u64,
}

/// `struct landlock_path_beneath_attr`.
#[repr(C, packed)]
struct Beneath {
    allowed: u64,
    parent: i32,
}

/// Restrictions that are being put together.
pub(crate) struct Restriction {
    ruleset: OwnedFd,
    changes: u64,
}

impl Restriction {
    /// Forbid every change of a file, signals to processes elsewhere and abstract sockets of
    /// theirs, as far as this kernel's Landlock knows these; `None` where it has none that can say
    /// what we need (Linux before 5.19, or started without it).
    pub(crate) fn begin() -> io::Result<Option<Restriction>> {
        let abi = abi();
        if abi < 2 {
            return Ok(None);
        }
        let truncate = if abi >= 3 { TRUNCATE } else { 0 };
        let scoped = SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS;
        let changes = WRITE_FILE | CHANGE_FOLDERS | REFER | truncate;
        let attributes = Ruleset {
            files: changes,
            network: 0,
            scoped: if abi >= 6 { scoped } else { 0 },
        };
        // An older kernel refuses a longer struct only if what it doesn't know is not zero.
        // SAFETY: the attributes live during the call, and their size is told.
        let ruleset = unsafe {
            libc::syscall(
                libc::SYS_landlock_create_ruleset,
                &raw const attributes,
                size_of::<Ruleset>(),
                0,
            )
        };
        if ruleset < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just opened this descriptor for us.
        let ruleset = unsafe { OwnedFd::from_raw_fd(ruleset as libc::c_int) };
        Ok(Some(Restriction { ruleset, changes }))
    }

    /// But allow changes of this file, or of everything below this folder.
    pub(crate) fn allow(&mut self, place: impl AsFd) -> io::Result<()> {
        const RULE_PATH_BENEATH: libc::c_int = 1;
        let place = place.as_fd();
        let allowed = match FileType::from_raw_mode(fstat(place)?.st_mode) {
            FileType::Directory => self.changes,
            _ => self.changes & (WRITE_FILE | TRUNCATE),
        };
        let rule = Beneath {
            allowed,
            parent: place.as_raw_fd(),
        };
        // SAFETY: the rule lives during the call, and is of the type that is told.
        let result = unsafe {
            libc::syscall(
                libc::SYS_landlock_add_rule,
                self.ruleset.as_raw_fd(),
                RULE_PATH_BENEATH,
                &raw const rule,
                0,
            )
        };
        check(result)
    }

    /// From here on it holds, for good. Needs no_new_privs.
    pub(crate) fn enforce(self) -> io::Result<()> {
        // SAFETY: no memory is read or written.
        check(unsafe {
            libc::syscall(
                libc::SYS_landlock_restrict_self,
                self.ruleset.as_raw_fd(),
                0,
            )
        })
    }
}

/// The version of what the kernel knows; 0 for nothing.
fn abi() -> i64 {
    const VERSION: libc::c_int = 1;
    // SAFETY: with this flag nothing is read or written.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<Ruleset>(),
            0,
            VERSION,
        )
    };
    version.max(0) as i64
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn changes_are_for_the_places_that_are_allowed() {
        let [allowed, other] = [0; 2].map(|_| tempfile::tempdir().unwrap());
        let place = File::open(allowed.path()).unwrap();
        let inside = allowed.path().join("x");
        let outside = other.path().join("x");
        fs::write(&outside, "was").unwrap();
        let path = outside.clone();
        // It holds for the thread that asks for it, and for what that starts.
        let restricted = std::thread::spawn(move || {
            let mut restriction = Restriction::begin().unwrap()?;
            restriction.allow(&place).unwrap();
            rustix::thread::set_no_new_privs(true).unwrap();
            restriction.enforce().unwrap();
            assert!(fs::write(inside, "new").is_ok());
            assert!(fs::read(&path).is_ok());
            Some([
                fs::write(&path, "new").is_err(),
                fs::remove_file(&path).is_err(),
                fs::write(path.with_extension("new"), "").is_err(),
            ])
        });
        match restricted.join().unwrap() {
            Some(refused) => assert_eq!(refused, [true; 3]),
            None => eprintln!("this kernel has no Landlock"),
        }
        assert_eq!(fs::read(&outside).unwrap(), b"was");
    }
}
