//! Who counts here, for everybody on this host: static user and group records, which nss-systemd
//! and userdbctl read (nss-systemd(8), systemd.io/USER_RECORD, systemd.io/GROUP_RECORD).

mod folder;
mod records;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use self::folder::Folder;
use super::People;

pub use self::records::wanted;

/// One file of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum File {
    /// A record that everybody may read.
    Public(String),
    /// One that only root may read.
    Private(String),
    /// A second name, for the file of that name.
    Link(String),
}

/// Keeps the folder in step with who counts.
#[derive(Debug)]
pub struct Publisher {
    path: PathBuf,
    /// What is there of ours.
    there: BTreeMap<String, File>,
    /// Whether `there` was looked up in the folder.
    looked: bool,
}

/// What a publishing did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Files written and files removed.
    pub changed: usize,
    /// Names of files that are somebody else's, so that nothing was written.
    pub taken: Vec<String>,
}

impl Publisher {
    /// A publisher for the folder at `path`.
    pub fn new(path: &Path) -> Self {
        Publisher {
            path: path.to_owned(),
            there: BTreeMap::new(),
            looked: false,
        }
    }

    /// Who is published in the folder, by name and uid: what an earlier daemon left there. A folder
    /// that is not there holds nobody.
    ///
    /// # Errors
    /// Where the folder can't be read, or others could write it.
    pub fn published(&mut self) -> io::Result<BTreeMap<String, u32>> {
        match self.look() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            looked => looked?,
        };
        let uids = self.there.iter().filter_map(|(file, content)| {
            let uid = file.strip_suffix(records::USER)?.parse().ok()?;
            let File::Link(target) = content else {
                return None;
            };
            Some((target.strip_suffix(records::USER)?.to_owned(), uid))
        });
        Ok(uids.collect())
    }

    /// Bring the folder in step: these people are in it and nobody else of ours. Files that are not
    /// ours stay as they are.
    ///
    /// # Errors
    /// Where the folder can't be read or written, or where others could write it. What was done until
    /// then stands, and the next call goes on from there.
    pub fn publish(&mut self, people: &People) -> io::Result<Outcome> {
        let wanted = wanted(people);
        if wanted.is_empty() && self.looked && self.there.is_empty() {
            return Ok(Outcome::default());
        }
        let folder = match self.look() {
            // Where nobody is to be published, there need be no folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound && wanted.is_empty() => {
                return Ok(Outcome::default());
            }
            looked => looked?,
        };
        let done = self.bring_in_step(&folder, wanted);
        if done.is_err() {
            // What is there is looked up anew the next time.
            self.looked = false;
        }
        done
    }

    fn bring_in_step(
        &mut self,
        folder: &Folder,
        wanted: BTreeMap<String, File>,
    ) -> io::Result<Outcome> {
        let mut outcome = Outcome::default();
        // Whoever left goes first. Of one record its main file goes last and comes first: it is what
        // says that the others are ours.
        let gone: Vec<String> = self
            .there
            .keys()
            .filter(|name| !wanted.contains_key(*name))
            .cloned()
            .collect();
        for name in order(gone, true) {
            folder.remove(&name)?;
            self.there.remove(&name);
            outcome.changed += 1;
        }
        let new = wanted
            .iter()
            .filter(|(name, file)| self.there.get(*name) != Some(file));
        let new: Vec<String> = new.map(|(name, _)| name.clone()).collect();
        for name in order(new, false) {
            let file = &wanted[&name];
            if !self.there.contains_key(&name) && folder.has(&name)? {
                if !folder.leads_as(&name, file)? {
                    outcome.taken.push(name);
                    continue;
                }
            } else {
                folder.write(&name, file)?;
                outcome.changed += 1;
            }
            self.there.insert(name.clone(), file.clone());
        }
        Ok(outcome)
    }

    fn look(&mut self) -> io::Result<Folder> {
        let folder = Folder::open(&self.path)?;
        if !self.looked {
            self.there = folder.ours()?;
            self.looked = true;
        }
        Ok(folder)
    }
}

/// Main files first, or last.
fn order(mut names: Vec<String>, main_last: bool) -> Vec<String> {
    names.sort_by_key(|name| records::is_main(name) == main_last);
    names
}
