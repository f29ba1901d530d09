//! Layers that a script makes in a root that is not booted.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Error, paths};

const OPEN: &str = include_str!("overlay.sh");

/// Several folders as overlayfs takes them, the lowest last.
pub(crate) fn joined(lower: &[PathBuf]) -> OsString {
    let folders: Vec<_> = lower.iter().map(|dir| dir.as_os_str()).collect();
    folders.join(":".as_ref())
}

/// Runs `scripts`, one after the other, in a root over the folders `lower`. What they change there
/// is in `layer`'s folder `upper` afterwards.
pub(crate) fn fill(
    layer: &Path,
    lower: &[PathBuf],
    what: &'static str,
    scripts: &[&str],
    debs: &[PathBuf],
) -> Result<(), Error> {
    let failed = |said: String| Error::Program {
        program: what,
        said,
    };
    let script = [&[OPEN], scripts].concat().concat();
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .args(["sh", "-euc", &script, "fill"])
        .arg(layer)
        .arg(joined(lower))
        .args(debs)
        .current_dir(paths::machines_dir()?)
        .stdin(Stdio::null())
        .output()
        .map_err(|why| failed(why.to_string()))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(failed(String::from_utf8_lossy(&said).into_owned()));
    }
    // The mounts ended with their namespace.
    ["work", "root"].into_iter().try_for_each(|folder| {
        let folder = layer.join(folder);
        fs::remove_dir_all(&folder).map_err(Error::file(folder))
    })
}
