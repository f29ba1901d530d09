//! Where the master key is: a credential of systemd's, or a file that only root can read. Its text
//! is 64 hexadecimal digits and the machine-id(5) it belongs to, which a credential may leave out.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use elevate_protocol::paths::SECRETS_CREDENTIAL;
use zeroize::Zeroizing;

use super::hex;
use super::seal::{KEY_BYTES, MasterKey};
use crate::trusted::{self, Untrusted};

/// A key's file has fewer bytes.
const LONGEST: usize = 256;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not to be trusted, or can't be read.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// It holds something else.
    #[error(
        "{} holds no key: 64 hexadecimal digits and the machine-id that it belongs to",
        .0.display()
    )]
    Malformed(PathBuf),
    /// It belongs to another machine, and something is stored that needs this one's.
    #[error("{} is the key of another machine; put the one of this machine there", .0.display())]
    Foreign(PathBuf),
    /// It is gone, and something is stored that needs it.
    #[error("{} is missing; restore the key that was there", .0.display())]
    Missing(PathBuf),
    /// A new one can't be written.
    #[error("a new key can't be written to {}: {error}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
}

/// Where to look.
#[derive(Debug, Clone)]
pub struct Places {
    /// systemd's folder of this service's credentials (systemd.exec(5)), where there is one.
    pub credentials: Option<PathBuf>,
    /// The file.
    pub file: PathBuf,
}

impl Places {
    /// The key of the machine of this id. Where there is none and nothing is sealed yet (`unused`),
    /// it is made; the key file of another machine (a cloned image) is then set aside.
    ///
    /// # Errors
    /// Where there is one that can't be believed, or none and something is sealed already: never is
    /// a new key put in the place of a lost one.
    pub fn load(&self, machine_id: &str, unused: bool) -> Result<MasterKey, Error> {
        let credential = self
            .credentials
            .as_ref()
            .map(|folder| folder.join(SECRETS_CREDENTIAL));
        if let Some(path) = credential
            && let Some(found) = read(&path)?
        {
            return match found.machine_id {
                Some(other) if other != machine_id => Err(Error::Foreign(path)),
                _ => Ok(found.key),
            };
        }
        let file = &self.file;
        match read(file)? {
            Some(Found {
                key,
                machine_id: Some(of),
            }) if of == machine_id => Ok(key),
            Some(Found {
                machine_id: Some(other),
                ..
            }) if unused => {
                let aside = file.with_extension(format!("of-{other}"));
                fs::rename(file, &aside).map_err(|error| failed(file, error))?;
                eprintln!(
                    "the key of another machine is set aside as {}; this one gets its own",
                    aside.display()
                );
                make(file, machine_id)
            }
            Some(Found {
                machine_id: Some(_),
                ..
            }) => Err(Error::Foreign(file.clone())),
            Some(_) => Err(Error::Malformed(file.clone())),
            None if unused => make(file, machine_id),
            None => Err(Error::Missing(file.clone())),
        }
    }
}

struct Found {
    key: MasterKey,
    machine_id: Option<String>,
}

fn read(path: &Path) -> Result<Option<Found>, Error> {
    let file = match trusted::open_private(path) {
        Err(Untrusted::Io { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(None);
        }
        other => other?,
    };
    // At its full length at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    file.take(LONGEST as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| Untrusted::Io {
            path: path.to_owned(),
            error,
        })?;
    let malformed = || Error::Malformed(path.to_owned());
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
    parse(text).map(Some).ok_or_else(malformed)
}

fn parse(text: &str) -> Option<Found> {
    let mut words = text.split_ascii_whitespace();
    let decoded = hex::decode(words.next()?)?;
    let key: &[u8; KEY_BYTES] = decoded.as_slice().try_into().ok()?;
    let machine_id = words.next().map(str::to_owned);
    let plain = |id: &String| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let whole = words.next().is_none() && machine_id.iter().all(plain) && text.len() < LONGEST;
    whole.then(|| Found {
        key: MasterKey::new(Zeroizing::new(*key)),
        machine_id,
    })
}

fn make(path: &Path, machine_id: &str) -> Result<MasterKey, Error> {
    let key = MasterKey::new(Zeroizing::new(super::random()));
    write(path, &key, machine_id).map_err(|error| failed(path, error))?;
    Ok(key)
}

/// The whole key is there, durably, or none.
fn write(path: &Path, key: &MasterKey, machine_id: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    let digits = Zeroizing::new(hex::encode(key.reveal()));
    file.write_all(digits.as_bytes())?;
    file.write_all(format!(" {machine_id}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::Write {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    use tempfile::TempDir;

    fn places(folder: &TempDir) -> Places {
        Places {
            credentials: None,
            file: folder.path().join("secrets.key"),
        }
    }

    fn digits(key: &MasterKey) -> String {
        hex::encode(key.reveal())
    }

    fn refused(places: &Places, unused: bool) -> String {
        places.load("machine", unused).unwrap_err().to_string()
    }

    fn write_mode(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_is_made_once_and_only_root_can_read_it() {
        let folder = TempDir::new().unwrap();
        let places = places(&folder);
        let key = places.load("machine", true).unwrap();
        let mode = fs::metadata(&places.file).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
        for unused in [true, false] {
            let again = places.load("machine", unused).unwrap();
            assert_eq!(digits(&again), digits(&key));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_new_key_takes_the_place_of_a_lost_one() {
        let folder = TempDir::new().unwrap();
        let places = places(&folder);
        assert!(refused(&places, false).ends_with("is missing; restore the key that was there"));
        assert!(!places.file.exists());
    }

    #[test]
    fn the_key_of_another_machine_is_never_taken() {
        let folder = TempDir::new().unwrap();
        let places = places(&folder);
        let key = places.load("original", true).unwrap();
        assert!(refused(&places, false).contains("is the key of another machine"));
        let own = places.load("machine", true).unwrap();
        assert_ne!(digits(&own), digits(&key));
        let aside = fs::read_to_string(folder.path().join("secrets.of-original")).unwrap();
        assert_eq!(aside, format!("{} original\n", digits(&key)));
    }

    #[test]
    fn a_key_that_others_own_read_write_or_link_to_is_refused() {
        let folder = TempDir::new().unwrap();
        let places = places(&folder);
        let text = format!("{} machine\n", "ab".repeat(KEY_BYTES));
        for (mode, why) in [
            (0o640, "can be read by others"),
            (0o602, "can be written by others"),
        ] {
            write_mode(&places.file, &text, mode);
            assert!(refused(&places, true).contains(why));
        }
        write_mode(&places.file, &text, 0o600);
        places.load("machine", false).unwrap();
        chown(&places.file, Some(1), None).unwrap();
        assert!(refused(&places, true).contains("belongs to uid 1"));
        let link = Places {
            file: folder.path().join("link"),
            ..places.clone()
        };
        symlink(&places.file, &link.file).unwrap();
        assert!(refused(&link, true).contains("is a symbolic link"));
    }

    #[test]
    fn what_is_no_key_is_refused_and_stays() {
        let folder = TempDir::new().unwrap();
        let places = places(&folder);
        let key = "ab".repeat(KEY_BYTES);
        for wrong in [
            "",
            "abcd machine",
            &key,
            &format!("{key} ../machine"),
            &format!("{key} machine more"),
            &format!("{key} machine{}", " ".repeat(LONGEST)),
        ] {
            write_mode(&places.file, wrong, 0o600);
            let why = refused(&places, true);
            assert!(why.contains("holds no key"), "{wrong}: {why}");
            assert!(!why.contains("abab"), "{why}");
            assert_eq!(fs::read_to_string(&places.file).unwrap(), wrong);
        }
    }

    #[test]
    fn a_credential_comes_before_the_file_and_is_never_passed_over() {
        let folder = TempDir::new().unwrap();
        let places = Places {
            credentials: Some(folder.path().to_owned()),
            ..places(&folder)
        };
        let file = places.load("machine", true).unwrap();
        let credential = folder.path().join(SECRETS_CREDENTIAL);
        let key = "ab".repeat(KEY_BYTES);
        for text in [format!("{key}\n"), format!("{key} machine\n")] {
            write_mode(&credential, &text, 0o400);
            assert_eq!(digits(&places.load("machine", false).unwrap()), key);
        }
        write_mode(&credential, "nonsense", 0o400);
        assert!(refused(&places, true).contains("holds no key"));
        write_mode(&credential, &format!("{key} other\n"), 0o400);
        assert!(refused(&places, true).contains("is the key of another machine"));
        fs::remove_file(&credential).unwrap();
        assert_eq!(
            digits(&places.load("machine", false).unwrap()),
            digits(&file)
        );
    }
}
