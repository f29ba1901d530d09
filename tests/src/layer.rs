//! Folders that are dear to make and cheap to share: made once, found again by their key.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, paths};

/// A finished cached folder. While this value lives, no other process prunes the folder.
#[derive(Debug)]
pub(crate) struct Layer {
    path: PathBuf,
    _in_use: File,
}

impl Layer {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder `KIND-KEY`, made by `make(unfinished folder)` if it is not there yet. Processes
    /// that want the same layer at once wait for the one that makes it. Layers of the same kind
    /// with other keys that nobody uses any more are removed.
    pub(crate) fn get(
        kind: &str,
        key: &str,
        make: impl FnOnce(&Path) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let dir = paths::machines_dir()?;
        let name = format!("{kind}-{key}");
        let path = dir.join(&name);
        let lock_path = dir.join(format!("{name}.lock"));
        let lock = File::create(&lock_path).map_err(Error::file(&lock_path))?;
        lock.lock_shared().map_err(Error::file(&lock_path))?;
        if !path.exists() {
            lock.unlock()
                .and_then(|()| lock.lock())
                .map_err(Error::file(&lock_path))?;
            // Somebody else may have made it between the two locks.
            if !path.exists() {
                prune(&dir, kind, &name)?;
                make_whole(&path, make)?;
            }
            lock.unlock()
                .and_then(|()| lock.lock_shared())
                .map_err(Error::file(&lock_path))?;
        }
        Ok(Self {
            path,
            _in_use: lock,
        })
    }
}

/// Makes the folder under another name first: a layer that exists is a layer that is whole.
fn make_whole(path: &Path, make: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let unfinished = path.with_extension("unfinished");
    remove(&unfinished)?;
    fs::create_dir(&unfinished).map_err(Error::file(&unfinished))?;
    make(&unfinished)?;
    fs::rename(&unfinished, path).map_err(Error::file(path))
}

fn prune(dir: &Path, kind: &str, keep: &str) -> Result<(), Error> {
    for entry in fs::read_dir(dir).map_err(Error::file(dir))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let ours = name.starts_with(&format!("{kind}-")) && !name.ends_with(".lock");
        if !ours || name.starts_with(keep) {
            continue;
        }
        let stem = name.trim_end_matches(".unfinished");
        let lock_path = dir.join(format!("{stem}.lock"));
        let lock = File::create(&lock_path).map_err(Error::file(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => remove(&entry.path())?,
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(source)) => {
                return Err(Error::File {
                    path: lock_path,
                    source,
                });
            }
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path)(why)),
        _ => Ok(()),
    }
}

/// A short name for everything a layer is made from.
pub(crate) fn key_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_apart_what_concatenation_would_not() {
        let one: [&[u8]; 2] = [b"ab", b"c"];
        let other: [&[u8]; 2] = [b"a", b"bc"];
        assert_ne!(key_of(one), key_of(other));
    }

    #[test]
    fn a_layer_that_failed_half_way_is_made_again() {
        let kind = format!("try{}", std::process::id());
        let failed = Layer::get(&kind, "k", |dir| {
            fs::write(dir.join("half"), "").map_err(Error::file(dir))?;
            Err(Error::NotRoot)
        });
        assert!(failed.is_err());
        let layer = Layer::get(&kind, "k", |dir| {
            fs::write(dir.join("whole"), "").map_err(Error::file(dir))
        })
        .unwrap();
        assert!(layer.path().join("whole").exists());
        assert!(!layer.path().join("half").exists());

        let again = Layer::get(&kind, "k", |_| panic!("made twice")).unwrap();
        drop((layer, again));
        let next = Layer::get(&kind, "l", |_| Ok(())).unwrap();
        assert!(
            !next.path().with_file_name(format!("{kind}-k")).exists(),
            "old one pruned"
        );
        fs::remove_dir(next.path()).unwrap();
        for key in ["k", "l"] {
            fs::remove_file(next.path().with_file_name(format!("{kind}-{key}.lock"))).unwrap();
        }
    }
}
