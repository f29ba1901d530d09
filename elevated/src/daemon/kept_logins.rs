//! Logins across a restart of the daemon, so that none fails because of one: a file in the runtime
//! folder, which lasts as long as this boot and the processes in it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::login::{OpenLogins, PassedLogins};
use crate::trusted::{self, Untrusted};

/// Bytes that are read at most; many times what all logins of a busy host take.
const LONGEST: u64 = 16 * 1024 * 1024;

/// Where they are kept.
#[derive(Debug)]
pub(super) struct KeptLogins {
    path: PathBuf,
    boot_id: String,
}

#[derive(Serialize)]
struct Written<'a> {
    boot_id: &'a str,
    passed: &'a PassedLogins,
    open: &'a OpenLogins,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    boot_id: String,
    passed: PassedLogins,
    open: OpenLogins,
}

impl KeptLogins {
    /// In the file `path`, for this boot.
    pub(super) fn new(path: &Path, boot_id: &str) -> Self {
        KeptLogins {
            path: path.to_owned(),
            boot_id: boot_id.to_owned(),
        }
    }

    /// What was kept on this boot. What can't be believed counts for nothing: those logins are
    /// asked again.
    pub(super) fn load(&self) -> (PassedLogins, OpenLogins) {
        match self.read() {
            Ok(Some(read)) if read.boot_id == self.boot_id => (read.passed, read.open),
            Ok(_) => Default::default(),
            Err(error) => {
                eprintln!("{}: {error}", self.path.display());
                Default::default()
            }
        }
    }

    fn read(&self) -> io::Result<Option<Read>> {
        let file = match trusted::open_private(&self.path) {
            Err(Untrusted::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            other => other.map_err(io::Error::other)?,
        };
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text)?;
        serde_json::from_slice(&text).map_err(io::Error::other)
    }

    /// Keep these. Where that fails, a restart costs those who log in just then their login.
    pub(super) fn save(&self, passed: &PassedLogins, open: &OpenLogins) {
        let written = Written {
            boot_id: &self.boot_id,
            passed,
            open,
        };
        if let Err(error) = self.write(&written) {
            eprintln!("{}: {error}", self.path.display());
        }
    }

    /// Whole or not at all. It is no disk that this is on, and needs no sync.
    fn write(&self, written: &Written<'_>) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&serde_json::to_vec(written)?)?;
        fs::rename(&new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::login::{Given, OpenLogin, Passed};
    use crate::process::ProcessId;
    use elevate_protocol::login::Login;
    use std::os::unix::fs::PermissionsExt as _;

    fn some() -> (PassedLogins, OpenLogins) {
        let login = Login {
            service: "sshd".into(),
            user: "alice".into(),
            source: Some("192.0.2.1".into()),
            terminal: None,
        };
        let process = ProcessId { pid: 7, start: 8 };
        let (mut passed, mut open) = <(PassedLogins, OpenLogins)>::default();
        passed.note(Passed {
            login: login.clone(),
            uid: 5000,
            process,
            parent: Some(process),
            given: Given::Recovery,
            at: Moment { boot: 1, wall: 2 },
        });
        open.open(OpenLogin {
            login,
            uid: 5000,
            process,
            audit_session: Some(3),
            given: Given::Totp,
            recorded: None,
            shell_began: false,
        });
        (passed, open)
    }

    #[test]
    fn a_restart_forgets_no_login_and_a_reboot_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logins");
        let kept = KeptLogins::new(&path, "this boot");
        assert_eq!(kept.load(), Default::default());
        let (passed, open) = some();
        kept.save(&passed, &open);
        assert_eq!(kept.load(), (passed, open));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        let later = KeptLogins::new(&path, "the next boot");
        assert_eq!(later.load(), Default::default());
    }

    #[test]
    fn what_others_could_have_written_or_is_broken_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logins");
        let kept = KeptLogins::new(&path, "this boot");
        let (passed, open) = some();
        kept.save(&passed, &open);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
        assert_eq!(kept.load(), Default::default());
        fs::remove_file(&path).unwrap();
        kept.save(&passed, &open);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() / 2]).unwrap();
        assert_eq!(kept.load(), Default::default());
    }
}
