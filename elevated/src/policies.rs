//! The policy in force: loaded from files that only root may have written, looked at again before
//! every decision, and kept when what the files say now can't be believed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use elevate_policy::{Defaults, HostFacts, Policy, Resolved, Source};

use crate::last_good::LastGood;
use crate::stamp::Stamp;
use crate::trusted::{self, Untrusted};

/// What a look at the files brought.
#[derive(Debug)]
pub enum Look {
    /// Nothing changed.
    Same,
    /// A new policy is in force.
    Loaded,
    /// The files can't be believed; the last good policy stays.
    Refused,
}

/// The policy files of a host.
#[derive(Debug)]
pub struct Policies {
    vendor: PathBuf,
    local: PathBuf,
    host: HostFacts,
    defaults: Defaults,
    last_good: LastGood,
    stamps: Option<BTreeMap<PathBuf, Option<Stamp>>>,
    policy: Arc<Policy>,
    files: Vec<String>,
    problem: Option<String>,
}

impl Policies {
    /// The policy of the `*.toml` files in `vendor` and `local`; a file in `local` takes the place
    /// of one of the same name in `vendor`. Nothing is loaded before the first [`Policies::look`],
    /// and an empty policy lends nothing. Where that look finds nothing to believe, what `last_good`
    /// holds is in force.
    pub fn new(
        vendor: &Path,
        local: &Path,
        host: HostFacts,
        defaults: Defaults,
        last_good: LastGood,
    ) -> Self {
        Policies {
            vendor: vendor.to_owned(),
            local: local.to_owned(),
            host,
            defaults,
            last_good,
            stamps: None,
            policy: Arc::default(),
            files: Vec::new(),
            problem: None,
        }
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// The files it came from.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Why the files as they are now are not in force.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Load what changed since the last look.
    pub fn look(&mut self) -> Look {
        let stamps = self.stamp();
        if self.stamps.as_ref() == Some(&stamps) {
            return Look::Same;
        }
        // A file that changes while it is read is seen at the next look.
        let first = self.stamps.replace(stamps).is_none();
        match self.load() {
            Ok((policy, sources)) => {
                if let Err(error) = self.last_good.keep(&sources) {
                    eprintln!("a start without this policy's files would find none: {error}");
                }
                self.put_in_force(policy, sources);
                self.problem = None;
                Look::Loaded
            }
            Err(problem) => {
                if first {
                    self.restore();
                }
                self.problem = Some(problem);
                Look::Refused
            }
        }
    }

    /// Put in force what was so before the daemon was restarted.
    fn restore(&mut self) {
        let Some(sources) = self.last_good.take() else {
            return;
        };
        // What a former version or another kernel took may be refused here: then nothing is lent.
        if let Ok(policy) = elevate_policy::load(&sources, &self.host, &self.defaults) {
            self.put_in_force(policy, sources);
        }
    }

    fn put_in_force(&mut self, policy: Policy, sources: Vec<Source>) {
        self.policy = Arc::new(policy);
        self.files = sources.into_iter().map(|source| source.name).collect();
    }

    fn load(&self) -> Result<(Policy, Vec<Source>), String> {
        let paths = self.paths().map_err(|error| error.to_string())?;
        let mut sources = Vec::new();
        for path in paths.values() {
            let text = trusted::read(path).map_err(|error| error.to_string())?;
            sources.push(Source {
                name: path.display().to_string(),
                text,
            });
        }
        let policy = elevate_policy::load(&sources, &self.host, &self.defaults)
            .map_err(|diagnostics| diagnostics.to_string())?;
        let links = policy.check_links(resolved);
        if !links.is_empty() {
            return Err(links.to_string());
        }
        Ok((policy, sources))
    }

    fn paths(&self) -> Result<BTreeMap<OsString, PathBuf>, Untrusted> {
        let mut paths = BTreeMap::new();
        for folder in [&self.vendor, &self.local] {
            for path in trusted::list(folder)? {
                paths.insert(path.file_name().unwrap_or_default().to_owned(), path);
            }
        }
        Ok(paths)
    }

    fn stamp(&self) -> BTreeMap<PathBuf, Option<Stamp>> {
        let folders = [self.vendor.clone(), self.local.clone()];
        let entries = folders
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok());
        let files = entries
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()));
        let paths: Vec<PathBuf> = files.chain(folders.iter().cloned()).collect();
        paths
            .into_iter()
            .map(|path| (path.clone(), stamp(&path)))
            .collect()
    }
}

/// Where a command's path leads on this host.
fn resolved(path: &[u8]) -> Option<Resolved> {
    let path = Path::new(OsStr::from_bytes(path));
    let folder = path.parent()?.canonicalize().ok()?;
    let bytes = |path: PathBuf| path.into_os_string().into_vec();
    Some(Resolved {
        file: bytes(folder.join(path.file_name()?)),
        real: bytes(path.canonicalize().ok()?),
    })
}

fn stamp(path: &Path) -> Option<Stamp> {
    Some(std::fs::symlink_metadata(path).ok()?.into())
}
