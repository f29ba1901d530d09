//! Our own .debs as a second layer over the base root, installed once per build.

use std::fs;
use std::path::{Path, PathBuf};

use crate::layer::{Layer, key_of};
use crate::{Error, Release, overlay};

/// The environment variable that names the .deb files to install, separated by `:`.
pub const DEBS_VARIABLE: &str = "ELEVATE_DEBS";

pub(crate) const INSTALL: &str = include_str!("packages.sh");

pub(crate) fn layer(release: Release, base: &Path, debs: &[PathBuf]) -> Result<Layer, Error> {
    let contents = contents(debs)?;
    let base_name = base.file_name().unwrap_or_default().as_encoded_bytes();
    let fixed = [base_name, INSTALL.as_bytes()];
    let key = key_of(fixed.into_iter().chain(contents.iter().map(Vec::as_slice)));
    Layer::get(&format!("packages-{release}"), &key, |dir| {
        let what = "installing our packages";
        overlay::fill(dir, &[base.into()], what, &[INSTALL], debs)
    })
}

/// What is in these .debs, for a key.
pub(crate) fn contents(debs: &[PathBuf]) -> Result<Vec<Vec<u8>>, Error> {
    let read = |deb: &PathBuf| fs::read(deb).map_err(Error::file(deb));
    debs.iter().map(read).collect()
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
