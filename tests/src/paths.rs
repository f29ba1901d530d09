use std::path::{Path, PathBuf};

use crate::Error;

/// The build folder of this workspace: `CARGO_TARGET_DIR`, else `target/` beside the workspace's
/// `Cargo.toml`.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => std::path::absolute(&dir).unwrap_or_else(|_| dir.into()),
        None => {
            let here = Path::new(env!("CARGO_MANIFEST_DIR"));
            here.parent().unwrap_or(here).join("target")
        }
    }
}

/// Where cached roots, console logs and the journals of failed tests live; made if missing.
pub(crate) fn machines_dir() -> Result<PathBuf, Error> {
    let dir = target_dir().join("machines");
    std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
    dir.canonicalize().map_err(Error::file(&dir))
}

/// The folder that every machine mounts on, each in its own mount namespace.
pub(crate) fn mountpoint() -> Result<PathBuf, Error> {
    let dir = machines_dir()?.join("mount");
    std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
    Ok(dir)
}

/// The version of asciinema that `cargo xtask test` installs: it plays asciicast v1 and v2; those that
/// play v3 are not on PyPI.
pub const ASCIINEMA_VERSION: &str = "2.4.0";

/// The folder that Python finds asciinema in, once `cargo xtask test` has installed it.
pub fn asciinema() -> PathBuf {
    target_dir().join(format!("tools/asciinema-{ASCIINEMA_VERSION}"))
}
