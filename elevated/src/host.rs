//! What this host is, read once.

use std::fs;
use std::io;

/// Facts about the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name, for people.
    pub name: String,
    /// Its machine-id(5), to which all state is bound.
    pub machine_id: String,
    /// The id of this boot; deadlines on the boot clock mean nothing in another one.
    pub boot_id: String,
    /// The cgroup controllers that limits can use (cgroups(7)).
    pub controllers: Vec<String>,
}

impl Host {
    /// The names that a policy knows it by: its whole name, and that without its domain.
    pub fn names(&self) -> Vec<String> {
        names_of(&self.name)
    }

    /// Read them.
    pub fn read() -> io::Result<Self> {
        let text = |path: &str| {
            let read = fs::read_to_string(path).map(|text| text.trim().to_owned());
            read.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
        };
        let controllers = text("/sys/fs/cgroup/cgroup.controllers")?;
        Ok(Host {
            name: rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned(),
            machine_id: text("/etc/machine-id")?,
            boot_id: text("/proc/sys/kernel/random/boot_id")?,
            controllers: controllers.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// The names that a policy knows a host of this name by.
pub fn names_of(name: &str) -> Vec<String> {
    let short = name.split('.').next().unwrap_or_default();
    let mut names = vec![name.to_owned(), short.to_owned()];
    names.dedup();
    names
}
