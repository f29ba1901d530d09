//! A machine to try things on.

use std::process::ExitCode;

use anyhow::Result;
use elevate_tests::{Machine, Release, Spec};

use crate::{dist, setup};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The Debian release: trixie or bookworm
    #[arg(long, default_value = "trixie")]
    release: Release,
    /// Leave our packages out
    #[arg(long)]
    plain: bool,
    /// What to run in it instead of a shell; its words reach the program as they are
    #[arg(last = true)]
    command: Vec<String>,
}

/// The exit code is the command's.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let spec = Spec::new("machine").release(arguments.release);
    let spec = if arguments.plain {
        setup::ready()?;
        spec.plain()
    } else {
        spec.debs(dist::run()?)
    };
    let machine = Machine::boot(spec)?;
    let line: Vec<_> = arguments.command.iter().map(|word| quoted(word)).collect();
    let status = machine.interact((!line.is_empty()).then_some(&line.join(" ")))?;
    Ok(ExitCode::from(
        status
            .code()
            .and_then(|code| code.try_into().ok())
            .unwrap_or(1),
    ))
}

/// ssh hands one line to the login shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
