//! The other player that our recordings are tried with, from PyPI.

use std::fs;

use anyhow::Result;
use elevate_tests::{ASCIINEMA_VERSION, asciinema};

use crate::command::{command, succeed};

/// Installs it into a folder of its own, once.
pub(crate) fn ready() -> Result<()> {
    let folder = asciinema();
    if folder.exists() {
        return Ok(());
    }
    let fresh = folder.with_extension(format!("new.{}", std::process::id()));
    let pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--target"];
    let package = format!("asciinema=={ASCIINEMA_VERSION}");
    succeed(command("python3", &pip).arg(&fresh).arg(package))?;
    Ok(fs::rename(&fresh, &folder)?)
}
