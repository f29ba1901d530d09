//! The packages, as they would be shipped.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use elevate_tests::target_dir;

use crate::command::{cargo, command, succeed};
use crate::setup;

const CARGO_DEB_VERSION: &str = "3.8.0";

/// Each .deb is a package of Cargo's, since its first line of description is that package's; with
/// the flags that cargo-deb knows on its command line only.
const DEBS: &[(&str, &[&str])] = &[
    ("elevate-packaging", &[]),
    ("elevate-packaging-libpam", &["--multiarch=same"]),
    ("elevate-packaging-directory", &[]),
];

/// Builds everything for release and packs it. Returns the .debs.
pub(crate) fn run() -> Result<Vec<PathBuf>> {
    setup::ready()?;
    let cargo_deb = tool("cargo-deb", CARGO_DEB_VERSION)?;
    build()?;
    pages()?;

    let dist = target_dir().join("dist");
    // Somebody else may be packing at the same time: only what is whole takes the old one's place.
    let staging = target_dir().join(format!("dist-{}", std::process::id()));
    let (unsummed, whole) = (staging.join("unsummed"), staging.join("dist"));
    empty(&unsummed)?;
    empty(&whole)?;
    for (package, flags) in DEBS {
        pack(&cargo_deb, package, flags, &unsummed)?;
    }
    for deb in debs(&unsummed)? {
        sum(&deb, &whole)?;
    }
    empty(&dist)?;
    fs::rename(&whole, &dist).with_context(|| dist.display().to_string())?;
    fs::remove_dir_all(&staging).with_context(|| staging.display().to_string())?;
    debs(&dist)
}

/// Makes a folder with nothing in it.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

/// The programs, the PAM module, and beside them the example that writes their pages: in one go,
/// since each set of packages and targets would choose features, and build its own copies of
/// dependencies, anew.
fn build() -> Result<()> {
    let build = [
        "build",
        "--release",
        "--lib",
        "--bins",
        "--example",
        "manuals",
    ];
    succeed(&mut cargo(&build))
}

/// Makes a .deb in `folder`, compressed quickly: it is packed anew with its sums.
fn pack(cargo_deb: &Path, package: &str, flags: &[&str], folder: &Path) -> Result<()> {
    let quick = ["--no-build", "--quiet", "--fast", "--compress-type=gz"];
    // Run as itself and not through cargo, which would look for it in its own folders first.
    let mut deb = command(&cargo_deb.to_string_lossy(), &["deb"]);
    deb.args(quick).args(flags).args(["--package", package]);
    // Standard output is for what the caller runs in the end.
    deb.arg("--output").arg(folder).stdout(std::io::stderr());
    succeed(&mut deb)
}

/// Packs a .deb anew into `dist` with the sums that `dpkg --verify` and debsums(1) compare files
/// with, which cargo-deb doesn't write.
fn sum(deb: &Path, dist: &Path) -> Result<()> {
    let contents = deb.with_extension("contents");
    let [deb, contents, dist] = [deb, &contents, dist].map(|path| path.to_string_lossy());
    // The changelog's date, so that the same programs make the same package.
    let script = r#"
        dpkg-deb --raw-extract "$1" "$2"
        # Not of conffiles, which have sums of their own.
        (cd "$2" && find . '(' -path ./DEBIAN -o -path ./etc ')' -prune -o -type f -printf '%P\0' |
            sort -z | xargs -0 md5sum) >"$2/DEBIAN/md5sums"
        SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l packaging/deb/changelog -S Timestamp)
        export SOURCE_DATE_EPOCH
        dpkg-deb --root-owner-group --build "$2" "$3"
    "#;
    let mut sum = command("sh", &["-euc", script, "sum", &deb, &contents, &dist]);
    succeed(sum.stdout(std::io::stderr()))
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

/// The packages in this folder.
pub(crate) fn debs(dist: &Path) -> Result<Vec<PathBuf>> {
    let mut debs = Vec::new();
    for entry in fs::read_dir(dist).with_context(|| dist.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            debs.push(path);
        }
    }
    ensure!(!debs.is_empty(), "no package is in {}", dist.display());
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
