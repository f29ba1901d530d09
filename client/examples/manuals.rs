//! Writes the manual pages and the shell completions of both commands into a folder, for packages.
//!
//! ```text
//! cargo run -p elevate-client --example manuals -- OUTDIR
//! ```
//! makes `OUTDIR/man1/*.1` and `OUTDIR/completions/{bash,zsh,fish}/*`.

use std::io;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::{Shell, generate_to};
use elevate_client::cli::{elevate_command, elevatectl_command};

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("name a folder to write to"));
    };
    for command in [elevate_command(), elevatectl_command()] {
        completions(command.clone(), &folder.join("completions"))?;
        let manuals = folder.join("man1");
        std::fs::create_dir_all(&manuals)?;
        // A page for the command and one for each of its verbs.
        clap_mangen::generate_to(command, manuals)?;
    }
    Ok(())
}

fn completions(mut command: Command, folder: &Path) -> io::Result<()> {
    let name = command.get_name().to_owned();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let folder = folder.join(shell.to_string());
        std::fs::create_dir_all(&folder)?;
        generate_to(shell, &mut command, &name, folder)?;
    }
    Ok(())
}
