//! Installs what the commands need and the host lacks.

use anyhow::{Context, Result, ensure};

use crate::command::{command, succeed};

/// Everything that building, packaging and booting machines needs beside Rust.
const PACKAGES: &[&str] = &[
    "debian-archive-keyring",
    "dpkg-dev",
    "e2fsprogs",
    "gcc",
    "libc6-dev",
    "libpam0g-dev",
    "mmdebstrap",
    "openssh-client",
    "pkg-config",
    "python3-pip",
    "qemu-system-x86",
    "systemd-container",
];

/// Makes sure of root and of every package.
pub(crate) fn ready() -> Result<()> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "this boots machines and installs what it needs, for which it must run as root"
    );
    let missing = missing()?;
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("installing with apt-get: {}", missing.join(" "));
    apt_get(&["update"])?;
    apt_get(
        &[
            &["install", "--yes", "--no-install-recommends"],
            missing.as_slice(),
        ]
        .concat(),
    )
}

fn missing() -> Result<Vec<&'static str>> {
    let query = ["--show", "--showformat=${Package} ${db:Status-Status}\n"];
    let output = command("dpkg-query", &query).args(PACKAGES).output();
    // It fails when it has never heard of a package, and still lists the others.
    let output = output.context("no dpkg-query: only Debian 12 and 13 are supported")?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let installed = |package: &&str| listed.lines().any(|l| l == format!("{package} installed"));
    Ok(PACKAGES
        .iter()
        .copied()
        .filter(|package| !installed(package))
        .collect())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut apt_get = command("apt-get", &["--quiet=2"]);
    succeed(
        apt_get
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}
