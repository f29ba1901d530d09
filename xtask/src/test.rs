//! Every tier of tests.

use std::env::join_paths;
use std::ffi::OsStr;

use anyhow::Result;
use elevate_tests::{DEBS_VARIABLE, Release};

use crate::command::{cargo, succeed};
use crate::dist;

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
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let debs = join_paths(dist::run()?)?;
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
    succeed(cargo(&own).args(&arguments.filter))
}

fn on_machines(release: Release, debs: &OsStr, arguments: &Arguments) -> Result<()> {
    println!("--- machines: {release} ---");
    let mut tests = cargo(&["test", "--package", "elevate-tests", "--no-fail-fast"]);
    if let Some(file) = &arguments.file {
        tests.args(["--test", file]);
    }
    tests
        .args(&arguments.filter)
        .env(DEBS_VARIABLE, debs)
        .env("ELEVATE_TEST_RELEASE", release.name());
    succeed(&mut tests)
}
