//! Writes the manual pages and the shell completions of both commands into a folder, for packages.
//!
//! ```text
//! cargo run -p elevate-client --example manuals -- OUTDIR
//! ```
//! makes `OUTDIR/man1/*.1` and `OUTDIR/completions/{bash,zsh,fish}/*`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Command;
use clap_complete::{Shell, generate_to};
use elevate_client::cli::{elevate_command, elevatectl_command};

const ELEVATECTL_EXAMPLES: &str = "\
Examples:
  elevatectl requests                    what waits for you or for others
  elevatectl show k7m2x9qd               exactly what would run
  elevatectl approve k7m2x9qd
  elevatectl grants revoke k7m2x9qd --reason \"wrong host\"
  elevatectl policy check web.toml       before it goes to /etc/elevate/policy.d
  elevatectl policy test web.expect      whether it says what you expect
  elevatectl policy diff /etc/elevate/policy.d new.d
  elevatectl policy why -- systemctl restart nginx
  elevatectl mfa enrol                   before a rule, a vote or a login asks for a code
  elevatectl mfa status
  elevatectl directory status
";

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("name a folder to write to"));
    };
    for (command, examples) in [
        // Its help has them.
        (elevate_command(), ""),
        (elevatectl_command(), ELEVATECTL_EXAMPLES),
    ] {
        completions(command.clone(), &folder.join("completions"))?;
        let manuals = folder.join("man1");
        std::fs::create_dir_all(&manuals)?;
        // A page for the command and one for each of its verbs.
        clap_mangen::generate_to(command.clone(), &manuals)?;
        let page = manuals.join(format!("{}.1", command.get_name()));
        std::fs::write(page, page_of(command, examples)?)?;
    }
    Ok(())
}

/// The page of a whole command: what its help says at the end becomes sections of their own.
fn page_of(command: Command, examples: &str) -> io::Result<Vec<u8>> {
    let after = command.get_after_help().map(ToString::to_string);
    // There is no page for `help`.
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let verbs = command.has_subcommands();
    let man = clap_mangen::Man::new(command.after_help(""));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if verbs {
        man.render_subcommands_section(&mut page)?;
    }
    let paragraphs = examples
        .split("\n\n")
        .chain(after.iter().flat_map(|text| text.split("\n\n")));
    for paragraph in paragraphs.filter(|paragraph| !paragraph.is_empty()) {
        let (title, lines) = paragraph
            .split_once(":\n")
            .ok_or_else(|| io::Error::other(format!("no title: {paragraph}")))?;
        writeln!(page, ".SH {}\n.nf", title.to_uppercase())?;
        for line in lines.lines() {
            let line = line.strip_prefix("  ").unwrap_or(line);
            // A line must not begin as a request of roff.
            writeln!(page, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-"))?;
        }
        writeln!(page, ".fi")?;
    }
    Ok(page)
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
