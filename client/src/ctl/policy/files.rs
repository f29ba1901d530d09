//! Policies as they lie in files and folders.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use elevate_policy::{HostFacts, Source, TimeZoneDatabase};
use elevate_protocol::{escape, paths};

use crate::failure::Failure;

/// The texts of files, and of what the daemon would read in folders.
pub(super) fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => {
                for file in listed(path)? {
                    sources.push(source(&file)?);
                }
            }
            false => sources.push(source(path)?),
        }
    }
    Ok(sources)
}

/// The files that the daemon of this host reads.
pub(super) fn sources_in_force() -> Result<Vec<Source>, Failure> {
    let mut by_name = BTreeMap::new();
    for folder in [paths::VENDOR_POLICY, paths::POLICY].map(Path::new) {
        if !folder.exists() {
            continue;
        }
        // A file of the same name takes the vendor's place.
        for file in listed(folder)? {
            by_name.insert(file.file_name().map(OsStr::to_owned), file);
        }
    }
    match by_name.is_empty() {
        true => {
            let none = format!("no policy is in {}", paths::POLICY);
            Err(Failure::new(none).hint("name the policy's files with --policy"))
        }
        false => by_name.values().map(|file| source(file)).collect(),
    }
}

/// One file, called in messages as it was named.
pub(super) fn source(path: &Path) -> Result<Source, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Source {
            name: name(path),
            text,
        }),
        Err(error) => Err(failed(path, &error)),
    }
}

/// What is known of a host that policies are read for away from it.
pub(super) fn host() -> HostFacts {
    HostFacts {
        zones: TimeZoneDatabase::from_dir(paths::ZONES)
            .unwrap_or_else(|_| TimeZoneDatabase::none()),
        ..HostFacts::default()
    }
}

/// The `*.toml` files of a folder, by name.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| failed(folder, &error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_bytes().starts_with(b"."));
        if !hidden && path.extension() == Some(OsStr::new("toml")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", name(path)))
}

fn name(path: &Path) -> String {
    escape::line(path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_folder_what_the_daemon_would_read_is_read() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.toml", "a.toml", ".hidden.toml", "a.toml.bak", "README"] {
            std::fs::write(folder.path().join(file), file).unwrap();
        }
        let alone = folder.path().join("README");
        let sources = sources(&[folder.path().to_owned(), alone]).unwrap();
        let texts: Vec<_> = sources.iter().map(|source| source.text.as_str()).collect();
        assert_eq!(texts, ["a.toml", "b.toml", "README"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let failure = sources(&["/nowhere/x.toml".into()]).unwrap_err();
        assert!(
            failure.message.starts_with("/nowhere/x.toml: "),
            "{failure}"
        );
    }
}
