//! Every tier of tests.

use std::env::join_paths;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use elevate_tests::{DEBS_VARIABLE, Release};

use crate::command::{cargo, succeed};
use crate::{dist, player};

/// Machine tests of installing, upgrading and removing the packages, of their units, of the main path
/// from an empty server to its end, of the doors to both, sshd and a directory, and of what the kernel
/// does.
const SMOKE: &[&str] = &[
    "packages",
    "units",
    "admin_guide",
    "door",
    "directory",
    "limits",
];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only tests whose name contains this
    filter: Option<String>,
    /// Only the machine tests of this file, such as approvals
    #[arg(long)]
    file: Option<String>,
    /// Run the machine tests on this Debian release only: trixie or bookworm
    #[arg(long)]
    release: Option<Release>,
    /// On this Debian release run only the tests of packages, units, the main path, logins, the
    /// directory and limits
    #[arg(long, value_name = "RELEASE", conflicts_with_all = ["filter", "file"])]
    smoke: Option<Release>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let debs = join_paths(dist::run()?)?;
    player::ready()?;
    if arguments.file.is_none() {
        on_this_host(arguments)?;
    }
    let releases = match arguments.release {
        Some(release) => vec![release],
        None => vec![Release::Trixie, Release::Bookworm],
    };
    releases
        .into_iter()
        .try_for_each(|release| on_machines(release, &debs, arguments))
}

fn on_this_host(arguments: &Arguments) -> Result<()> {
    let own = [
        "test",
        "--workspace",
        "--exclude",
        "elevate-tests",
        "--no-fail-fast",
    ];
    let run = || succeed(cargo(&own).args(&arguments.filter));
    // Clients at real terminals have deadlines, too.
    if run().is_ok() {
        return Ok(());
    }
    run().or_else(|_| run())?;
    println!("--- unsteady on this host: what failed above passed at a later run ---");
    Ok(())
}

/// File by file. One that fails is run once more, with nothing beside it: its machines have real
/// deadlines, and share this one with whatever else it does. What passes only then is named at the
/// end, and is a defect to mend.
fn on_machines(release: Release, debs: &OsStr, arguments: &Arguments) -> Result<()> {
    println!("--- machines: {release} ---");
    let files = match (&arguments.file, arguments.smoke == Some(release)) {
        (Some(file), _) => vec![file.clone()],
        (None, true) => SMOKE.iter().map(|&file| file.to_owned()).collect(),
        (None, false) => files()?,
    };
    let run = |file: &String| -> Result<()> {
        let mut tests = cargo(&["test", "--package", "elevate-tests", "--test", file]);
        tests
            .args(&arguments.filter)
            .env(DEBS_VARIABLE, debs)
            .env("ELEVATE_TEST_RELEASE", release.name());
        succeed(&mut tests)
    };
    let failed: Vec<_> = files.iter().filter(|file| run(file).is_err()).collect();
    let (unsteady, broken): (Vec<_>, Vec<_>) =
        failed.into_iter().partition(|file| run(file).is_ok());
    for file in unsteady {
        println!("--- unsteady on {release}: {file} passed at its second run ---");
    }
    ensure!(broken.is_empty(), "failed twice on {release}: {broken:?}");
    Ok(())
}

/// The files of machine tests, by name.
fn files() -> Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tests");
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let file = path.file_stem().unwrap_or_default();
        files.push(file.to_string_lossy().into_owned());
    }
    files.sort();
    Ok(files)
}
