//! The packages, as they would be shipped.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use elevate_tests::target_dir;

use crate::command::{cargo, command, succeed};
use crate::setup;

const CARGO_DEB_VERSION: &str = "3.8.0";

/// Builds everything for release and packs it. Returns the .debs.
pub(crate) fn run() -> Result<Vec<PathBuf>> {
    setup::ready()?;
    let cargo_deb = tool("cargo-deb", CARGO_DEB_VERSION)?;
    build()?;
    pages()?;

    let dist = target_dir().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).with_context(|| format!("cannot empty {}", dist.display()))?;
    }
    let arguments = [
        "deb",
        "--no-build",
        "--quiet",
        "--package",
        "elevate-packaging",
        "--output",
    ];
    // Run as itself and not through cargo, which would look for it in its own folders first.
    let mut cargo_deb = command(&cargo_deb.to_string_lossy(), &arguments);
    // Standard output is for what the caller runs in the end.
    succeed(cargo_deb.arg(&dist).stdout(std::io::stderr()))?;
    debs(&dist)
}

/// The programs, and beside them the example that writes their pages: in one go, since each set of
/// packages and targets would choose features, and build its own copies of dependencies, anew.
fn build() -> Result<()> {
    let build = ["build", "--release", "--bins", "--example", "manuals"];
    succeed(&mut cargo(&build))
}

/// Man pages and completions, which the client makes from its own table of flags. They lie beside
/// the programs, where cargo-deb looks for what a build made.
fn pages() -> Result<()> {
    let release = target_dir().join("release");
    let pages = release.join("pages");
    if pages.exists() {
        fs::remove_dir_all(&pages).with_context(|| pages.display().to_string())?;
    }
    let manuals = release.join("examples/manuals");
    succeed(command(&manuals.to_string_lossy(), &[]).arg(&pages))?;
    // cargo-deb compresses manuals, but none that a build made.
    let gzip = ["--recursive", "--best", "--no-name"];
    succeed(command("gzip", &gzip).arg(pages.join("man1")))
}

fn debs(dist: &PathBuf) -> Result<Vec<PathBuf>> {
    let mut debs = Vec::new();
    for entry in fs::read_dir(dist).with_context(|| dist.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            debs.push(path);
        }
    }
    ensure!(!debs.is_empty(), "no package came out");
    debs.sort();
    Ok(debs)
}

/// A tool of the build, kept under target/tools so that nothing is installed for the user.
fn tool(name: &str, version: &str) -> Result<PathBuf> {
    let root = target_dir().join("tools");
    let program = root.join("bin").join(name);
    // cargo install itself knows whether this version is there, but takes seconds to say so.
    let stamp = root.join(format!("{name}-{version}"));
    if !(program.exists() && stamp.exists()) {
        eprintln!("installing {name} {version} into target/tools (once, about a minute)");
        let package = format!("{name}@{version}");
        succeed(cargo(&["install", "--locked", "--quiet", &package, "--root"]).arg(&root))?;
        fs::write(&stamp, "").with_context(|| stamp.display().to_string())?;
    }
    Ok(program)
}
