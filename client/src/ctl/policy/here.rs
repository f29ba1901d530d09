//! What the files of this host say to a policy.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use elevate_policy::{PathFacts, Resolved};

/// Where a path leads.
pub(super) fn resolved(path: &[u8]) -> Option<Resolved> {
    let path = Path::new(OsStr::from_bytes(path));
    let folder = path.parent()?.canonicalize().ok()?;
    let bytes = |path: PathBuf| path.into_os_string().into_vec();
    Some(Resolved {
        file: bytes(folder.join(path.file_name()?)),
        real: bytes(path.canonicalize().ok()?),
    })
}

/// Every part that decides what `path` leads to: down to it, and where it is a link down to the
/// file.
pub(super) fn parts(path: &[u8]) -> Option<Vec<PathFacts>> {
    let Resolved { file, real } = resolved(path)?;
    let mut parts = down_to(&file)?;
    if real != file {
        parts.extend(down_to(&real)?);
    }
    Some(parts)
}

fn down_to(path: &[u8]) -> Option<Vec<PathFacts>> {
    let path = Path::new(OsStr::from_bytes(path));
    let mut all: Vec<_> = path.ancestors().map(facts).collect::<Option<_>>()?;
    all.reverse();
    Some(all)
}

fn facts(path: &Path) -> Option<PathFacts> {
    let found = path.symlink_metadata().ok()?;
    // The mode of a link means nothing (symlink(7)).
    let mode = match found.is_symlink() {
        true => 0,
        false => found.mode(),
    };
    Some(PathFacts {
        path: path.as_os_str().as_bytes().to_vec(),
        uid: found.uid(),
        gid: found.gid(),
        mode,
    })
}

/// The number of a user of this host.
pub(super) fn uid(name: &str) -> Option<u32> {
    let found = nix::unistd::User::from_name(name).ok()??;
    Some(found.uid.as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_s_own_folders_and_those_of_its_file_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (real, link) = (folder.join("real"), folder.join("link"));
        std::fs::create_dir(&real).unwrap();
        std::fs::write(real.join("tool"), "").unwrap();
        std::os::unix::fs::symlink(real.join("tool"), &link).unwrap();
        let parts = parts(link.as_os_str().as_bytes()).unwrap();
        let paths: Vec<_> = parts
            .iter()
            .map(|part| OsStr::from_bytes(&part.path))
            .collect();
        for path in [Path::new("/"), &folder, &link, &real, &real.join("tool")] {
            assert!(paths.contains(&path.as_os_str()), "{path:?} of {paths:?}");
        }
        let link = parts
            .iter()
            .find(|part| part.path == link.as_os_str().as_bytes());
        assert_eq!(link.unwrap().mode, 0);
    }

    #[test]
    fn what_is_not_there_has_no_parts() {
        assert_eq!(parts(b"/nowhere/tool"), None);
        assert_eq!(uid("nobody-of-this-name"), None);
        assert_eq!(uid("root"), Some(0));
    }
}
