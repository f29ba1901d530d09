//! C programs of the bench: compiled on this host, since machines have no compiler.

use std::process::Command;

use anyhow::Result;
use elevate_tests::{Machine, target_dir};

use crate::command::{command, succeed};

/// Where they are in a machine.
pub(super) const FOLDER: &str = "/usr/local/lib/bench";

/// Compiles `source` with these `libraries` (`-lpam`) and installs it as [`FOLDER`]`/NAME`.
pub(super) fn install(
    machine: &Machine,
    name: &str,
    source: &str,
    libraries: &[&str],
) -> Result<()> {
    let folder = target_dir().join("bench");
    std::fs::create_dir_all(&folder)?;
    let (file, program) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&file, source)?;
    let mut cc: Command = command("cc", &["-O2", "-Wall", "-Werror", "-o"]);
    succeed(cc.arg(&program).arg(&file).args(libraries))?;
    machine.write(&format!("{FOLDER}/{name}"), std::fs::read(program)?, 0o755);
    Ok(())
}
