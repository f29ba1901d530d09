//! What a machine prints while it boots.

use std::fs::{self, File};
use std::path::PathBuf;

use crate::{Error, paths};

/// A machine's console, in a file that stays.
#[derive(Debug)]
pub(crate) struct Console {
    machine: String,
    path: PathBuf,
}

impl Console {
    /// An empty one, and its file to write to.
    pub(crate) fn create(machine: &str) -> Result<(Self, File), Error> {
        let dir = paths::machines_dir()?.join("console");
        fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        let path = dir.join(format!("{machine}.log"));
        let file = File::create(&path).map_err(Error::file(&path))?;
        let machine = machine.to_owned();
        Ok((Self { machine, path }, file))
    }

    /// Why the machine did not boot, with what it printed.
    pub(crate) fn boot_error(&self, why: &str) -> Error {
        let printed = fs::read(&self.path).unwrap_or_default();
        let printed = String::from_utf8_lossy(&printed);
        let why = format!("{why}; its console ({}):\n{printed}", self.path.display());
        Error::Boot {
            name: self.machine.clone(),
            why,
        }
    }
}
