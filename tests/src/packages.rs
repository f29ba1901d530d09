//! Our own .debs as a second layer over the base root, installed once per build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::layer::{Layer, key_of};
use crate::{Error, Release, paths};

/// The environment variable that names the .deb files to install, separated by `:`.
pub const DEBS_VARIABLE: &str = "ELEVATE_DEBS";

/// Installs into a root that is not booted, as an image builder would: units get enabled and start
/// with the machine, and what is made at first start is made in every machine anew.
const INSTALL: &str = include_str!("packages.sh");

pub(crate) fn layer(release: Release, base: &Path, debs: &[PathBuf]) -> Result<Layer, Error> {
    let contents = debs
        .iter()
        .map(|deb| fs::read(deb).map_err(Error::file(deb)))
        .collect::<Result<Vec<_>, _>>()?;
    let base_name = base.file_name().unwrap_or_default().as_encoded_bytes();
    let fixed = [base_name, INSTALL.as_bytes()];
    let key = key_of(fixed.into_iter().chain(contents.iter().map(Vec::as_slice)));
    Layer::get(&format!("packages-{release}"), &key, |dir| {
        install(dir, base, debs)?;
        // The layer itself is the folder `upper` in it; the overlay's work folder is done with.
        let work = dir.join("work");
        fs::remove_dir_all(&work).map_err(Error::file(work))
    })
}

/// The packages under test, as `DEBS_VARIABLE` names them.
pub(crate) fn from_environment() -> Result<Vec<PathBuf>, Error> {
    let list = std::env::var_os(DEBS_VARIABLE).ok_or(Error::NoPackages(DEBS_VARIABLE))?;
    let mut debs: Vec<_> = std::env::split_paths(&list)
        .filter(|p| !p.as_os_str().is_empty())
        .collect();
    debs.sort();
    if debs.is_empty() {
        Err(Error::NoPackages(DEBS_VARIABLE))
    } else {
        Ok(debs)
    }
}

fn install(dir: &Path, base: &Path, debs: &[PathBuf]) -> Result<(), Error> {
    let failed = |said: String| Error::Program {
        program: "installing our packages",
        said,
    };
    let output = Command::new("unshare")
        .args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-euc",
            INSTALL,
            "install",
        ])
        .arg(dir)
        .arg(base)
        .args(debs)
        .current_dir(paths::machines_dir()?)
        .stdin(Stdio::null())
        .output()
        .map_err(|why| failed(why.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(failed(String::from_utf8_lossy(&said).into_owned()))
}
