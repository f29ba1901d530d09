use std::io;
use std::path::PathBuf;

/// Why a machine did not come up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of the harness could not be used.
    #[error("{path}: {source}")]
    File {
        /// The file that was touched.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A program of the host could not be started, or failed.
    #[error("{program} failed: {said}")]
    Program {
        /// The program's name.
        program: &'static str,
        /// Its standard error, or why it did not start.
        said: String,
    },
    /// The machine needs packages, and none were named.
    #[error("no packages to install: run `cargo xtask test`, or set {0} to the .deb files")]
    NoPackages(&'static str),
    /// The machine did not reach a healthy end of boot.
    #[error("machine {name} did not boot: {why}")]
    Boot {
        /// The machine's name.
        name: String,
        /// What was seen of it.
        why: String,
    },
    /// Only root can mount, make cgroups and start machines.
    #[error("machines need root: run this as root")]
    NotRoot,
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
