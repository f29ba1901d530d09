use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Machine;

/// A Debian release that Elevate supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Debian 12: systemd 252, dbus 1.14.
    Bookworm,
    /// Debian 13: systemd 257, dbus 1.16.
    Trixie,
}

impl Release {
    /// The code name, as the archive spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
        }
    }

    /// The release named by `ELEVATE_TEST_RELEASE`, else trixie. `cargo xtask test --release` sets
    /// it, so that every test file can run on both.
    ///
    /// # Panics
    /// If the variable names no supported release.
    pub fn from_environment() -> Self {
        match std::env::var("ELEVATE_TEST_RELEASE") {
            Ok(name) => name
                .parse()
                .unwrap_or_else(|why| panic!("ELEVATE_TEST_RELEASE: {why}")),
            Err(_) => Self::Trixie,
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Bookworm, Self::Trixie]
            .into_iter()
            .find(|release| release.name() == name)
            .ok_or_else(|| format!("{name:?} is neither trixie nor bookworm"))
    }
}

/// What machine to boot.
#[derive(Clone, Debug)]
pub struct Spec {
    pub(crate) name: String,
    pub(crate) release: Release,
    pub(crate) packages: Packages,
    pub(crate) whole: bool,
    pub(crate) prepare: Option<fn(&Machine)>,
}

/// What is installed beside Debian.
#[derive(Clone, Debug)]
pub(crate) enum Packages {
    Nothing,
    /// The .debs that [`DEBS_VARIABLE`](crate::DEBS_VARIABLE) names.
    FromEnvironment,
    These(Vec<PathBuf>),
}

impl Spec {
    /// A machine with our packages installed, called `name` (its hostname, and the name under which
    /// a failed test keeps its journal). Letters, digits and `-` only.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            release: Release::from_environment(),
            packages: Packages::FromEnvironment,
            whole: false,
            prepare: None,
        }
    }

    /// What is done to the machine once it is up, before anybody gets it.
    pub fn prepared(mut self, prepare: fn(&Machine)) -> Self {
        self.prepare = Some(prepare);
        self
    }

    /// A whole machine instead of a container: with the release's own kernel, and with what the
    /// host's does not give a container, such as cgroup controllers. It is emulated, boots in some
    /// fifteen seconds, and is several times slower at everything.
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Another release than the environment asks for.
    pub fn release(mut self, release: Release) -> Self {
        self.release = release;
        self
    }

    /// These .debs instead of the ones that the environment names.
    pub fn debs(mut self, debs: Vec<PathBuf>) -> Self {
        self.packages = Packages::These(debs);
        self
    }

    /// Debian alone, without our packages.
    pub fn plain(mut self) -> Self {
        self.packages = Packages::Nothing;
        self
    }
}
