//! What is told to the daemon about the command and about us.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use elevate_protocol::bus::ask;
use elevate_protocol::limits;
use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::{harmless, kept_by_default};
use zbus::Variant;

use crate::bus::Ask;
use crate::cli::Options;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The argument of `Manager.Elevate`.
pub(super) fn ask(
    options: &Options,
    kinds: Three<Kind>,
    terminal: Option<&Terminal>,
) -> Result<Ask, Failure> {
    let argv: Vec<Vec<u8>> = words(&options.command)?;
    let mut asked = Ask::from([
        (ask::ARGV, Variant::new(argv)),
        (ask::CWD, Variant::new(folder()?)),
        (
            ask::ENVIRONMENT,
            Variant::new(environment(std::env::vars_os())),
        ),
        (ask::STDIO, Variant::new(kinds.map(name).to_vec())),
    ]);
    let texts = [
        (ask::USER, &options.user),
        (ask::GROUP, &options.group),
        (ask::REASON, &options.reason),
        (ask::RULE, &options.rule),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            asked.insert(key, Variant::new(text.clone()));
        }
    }
    if let Some(duration) = options.duration {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        asked.insert(ask::DURATION, Variant::new(milliseconds));
    }
    if let Some(window) = terminal.and_then(Terminal::window) {
        asked.insert(ask::WINDOW, Variant::new((window.rows, window.columns)));
    }
    if options.non_interactive {
        asked.insert(ask::NON_INTERACTIVE, Variant::new(true));
    }
    Ok(asked)
}

/// A command's words, where they are within what the daemon takes (its message would be a
/// refusal all the same, but the bus could cut the connection first).
pub(crate) fn words(command: &[OsString]) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes: usize = command.iter().map(|word| word.len() + 1).sum();
    if command.len() > limits::ARGV_WORDS || bytes > limits::ARGV_BYTES {
        return Err(Failure::new(format!(
            "the command is too long: at most {} words and {} bytes",
            limits::ARGV_WORDS,
            limits::ARGV_BYTES
        ))
        .hint("put the words into a file or a pipe, where the command can read them"));
    }
    Ok(command
        .iter()
        .map(|word| word.as_bytes().to_vec())
        .collect())
}

/// The working directory, as the kernel has it; `$PWD` is only what somebody says.
pub(crate) fn folder() -> Result<Vec<u8>, Failure> {
    match std::env::current_dir() {
        Ok(folder) if folder.is_absolute() => Ok(folder.into_os_string().into_vec()),
        _ => Err(
            Failure::new("the current folder is gone or cannot be reached from here")
                .hint("change to another folder first: cd /"),
        ),
    }
}

fn environment(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<Vec<u8>> {
    let kept =
        all.filter(|(name, value)| kept_by_default(name.as_bytes()) && harmless(value.as_bytes()));
    within_limits(kept.map(|(name, value)| assignment(name.as_bytes(), value.as_bytes())))
}

/// `NAME=value`.
pub(super) fn assignment(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b"=", value].concat()
}

/// As many of `variables` as the daemon takes.
pub(super) fn within_limits(variables: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut room = limits::ENVIRONMENT_BYTES;
    let fits = |variable: &Vec<u8>| match room.checked_sub(variable.len() + 1) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    variables
        .filter(fits)
        .take(limits::ENVIRONMENT_VARIABLES)
        .collect()
}

/// The name of a kind on D-Bus, which is its name in messages.
fn name(kind: Kind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_variables_are_offered() {
        let all = [
            ("TERM", "xterm"),
            ("LC_ALL", "C"),
            ("LANGUAGE", "../../tmp/x"),
            ("LC_TIME", "%n"),
            ("LD_PRELOAD", "/tmp/x.so"),
            ("BASH_FUNC_x%%", "() { :; }"),
            ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/tmp/x"),
        ];
        let all = all.map(|(name, value)| (name.into(), value.into()));
        let offered = environment(all.into_iter());
        assert_eq!(offered, [b"TERM=xterm".to_vec(), b"LC_ALL=C".to_vec()]);
    }

    #[test]
    fn a_huge_variable_is_left_out_and_the_next_is_kept() {
        let huge = assignment(b"LC_A", &vec![b'x'; limits::ENVIRONMENT_BYTES]);
        let kept = within_limits([huge, b"LC_B=1".to_vec()].into_iter());
        assert_eq!(kept, [b"LC_B=1".to_vec()]);
    }

    #[test]
    fn a_command_that_is_too_long_is_refused_before_it_is_sent() {
        let long = vec![OsString::from("x"); limits::ARGV_WORDS + 1];
        assert!(words(&long).unwrap_err().hint.is_some());
        let wide = vec![OsString::from("x".repeat(limits::ARGV_BYTES))];
        assert!(words(&wide).is_err());
    }

    #[test]
    fn kinds_have_the_names_of_the_protocol() {
        assert_eq!(name(Kind::Terminal), "terminal");
        assert_eq!(name(Kind::Closed), "closed");
    }
}
