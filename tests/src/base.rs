//! The base root of a release: Debian with what our machines need, made once by mmdebstrap.

use std::process::{Command, Stdio};

use crate::layer::{Layer, key_of};
use crate::{Error, Release};

/// What every machine has. Python is there for attack programs; slapd and openssl for the directory
/// that people come from; oathtool for codes, pamtester and Google's module to compare ours with.
const PACKAGES: &[&str] = &[
    "at",
    "cron",
    "dbus",
    "iproute2",
    "ldap-utils",
    "less",
    "libnss-systemd",
    "libpam-google-authenticator",
    "libpam-systemd",
    "login",
    "oathtool",
    "opendoas",
    "openssh-client",
    "openssh-server",
    "openssl",
    "pamtester",
    "passwd",
    "pkexec",
    "polkitd",
    "procps",
    "python3-minimal",
    "slapd",
    "sqlite3",
    "sudo",
    "systemd",
    "systemd-sysv",
    "systemd-userdbd",
    "tmux",
    "util-linux",
    "vim-tiny",
];

/// Runs in the new root once all packages are installed.
const CUSTOMIZE: &str = include_str!("base.sh");

pub(crate) fn layer(release: Release) -> Result<Layer, Error> {
    let packages = packages(release);
    let key = key_of([packages.as_bytes(), CUSTOMIZE.as_bytes()]);
    Layer::get(&format!("base-{release}"), &key, |dir| {
        eprintln!("making the base root for Debian {release} (once, about 20 s)");
        let made = Command::new("mmdebstrap")
            .args(["--variant=minbase", "--quiet"])
            .arg(format!("--include={packages}"))
            .arg("--customize-hook=chroot \"$1\" sh -euc \"$CUSTOMIZE\"")
            .env("CUSTOMIZE", CUSTOMIZE)
            .arg(release.name())
            .arg(dir)
            .stdin(Stdio::null())
            .output();
        match made {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(Error::Program {
                program: "mmdebstrap",
                said: String::from_utf8_lossy(&output.stderr).into_owned(),
            }),
            Err(why) => Err(Error::Program {
                program: "mmdebstrap",
                said: why.to_string(),
            }),
        }
    })
}

fn packages(release: Release) -> String {
    let mut packages = PACKAGES.to_vec();
    if release == Release::Trixie {
        packages.push("sudo-rs");
    }
    packages.join(",")
}
