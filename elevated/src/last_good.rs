//! What was believed last, kept beside the store: a daemon that starts where `/etc/elevate` can't
//! be believed goes on with it, as one that was not restarted does.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use elevate_policy::Source;
use serde::{Deserialize, Serialize};

/// The place where the last good texts of one kind (the policy, the settings) are kept.
#[derive(Debug)]
pub struct LastGood {
    path: PathBuf,
    machine_id: String,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Kept {
    /// The machine they were believed on: a cloned image starts without.
    machine_id: String,
    /// Names and texts.
    files: Vec<(String, String)>,
}

impl LastGood {
    /// Kept at `path`, a file in a folder that nobody but root can enter.
    pub fn new(path: &Path, machine_id: &str) -> Self {
        LastGood {
            path: path.to_owned(),
            machine_id: machine_id.to_owned(),
        }
    }

    /// What is kept, if anything readable of this machine is.
    pub fn take(&self) -> Option<Vec<Source>> {
        let kept: Kept = serde_json::from_slice(&fs::read(&self.path).ok()?).ok()?;
        let files = kept.files.into_iter();
        (kept.machine_id == self.machine_id)
            .then(|| files.map(|(name, text)| Source { name, text }).collect())
    }

    /// Keep `sources`, durably, in place of what was kept before.
    ///
    /// # Errors
    /// Where they can't be written; what was kept before stays.
    pub fn keep(&self, sources: &[Source]) -> io::Result<()> {
        if self.take().as_deref() == Some(sources) {
            return Ok(());
        }
        let files = sources.iter().cloned();
        let kept = serde_json::to_vec(&Kept {
            machine_id: self.machine_id.clone(),
            files: files.map(|source| (source.name, source.text)).collect(),
        })?;
        let new = self.path.with_extension("new");
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(&kept)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_last_is_there_on_this_machine_and_on_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.last-good");
        let source = |text: &str| Source {
            name: "/etc/elevate/policy.d/a.toml".into(),
            text: text.into(),
        };
        let last_good = LastGood::new(&path, "machine");
        assert_eq!(last_good.take(), None);
        for sources in [vec![source("one"), source("two")], vec![], vec![source("")]] {
            last_good.keep(&sources).unwrap();
            assert_eq!(last_good.take(), Some(sources));
        }
        assert_eq!(LastGood::new(&path, "clone").take(), None);
        fs::write(&path, "{ half").unwrap();
        assert_eq!(last_good.take(), None);
    }
}
