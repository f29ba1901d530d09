//! Flags that sudo has and we don't: recognised, so that hands and scripts that know sudo are told
//! what to do instead of something being guessed.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::failure::Failure;

struct Missing {
    short: Option<char>,
    long: &'static str,
    takes_value: bool,
    instead: &'static str,
}

const fn missing(short: char, long: &'static str, instead: &'static str) -> Missing {
    Missing {
        short: Some(short),
        long,
        takes_value: false,
        instead,
    }
}

const fn with_value(short: char, long: &'static str, instead: &'static str) -> Missing {
    Missing {
        takes_value: true,
        ..missing(short, long, instead)
    }
}

const MISSING: &[Missing] = &[
    missing('B', "bell", "have the prompt ring: -p $'\\aCode: '"),
    missing(
        'N',
        "no-update",
        "have the code forgotten afterwards with: elevate -k",
    ),
    missing(
        'P',
        "preserve-groups",
        "the groups are always those of the target user; choose one with -g",
    ),
    with_value('C', "close-from", "no other descriptors are ever passed on"),
    with_value('R', "chroot", "run chroot itself, where a rule allows it"),
    with_value('T', "command-timeout", "use --for DURATION"),
    with_value('r', "role", "SELinux contexts cannot be chosen"),
    with_value('t', "type", "SELinux contexts cannot be chosen"),
    Missing {
        short: None,
        ..with_value(' ', "host", HOST)
    },
];
const HOST: &str = "run it there: ssh HOST elevate COMMAND";

/// Add them to `command`, hidden, so that they are parsed as sudo parses them.
pub(super) fn add_to(command: Command) -> Command {
    command.args(MISSING.iter().map(|missing| {
        let argument = Arg::new(missing.long).long(missing.long).hide(true);
        let argument = match missing.short {
            Some(short) => argument.short(short),
            None => argument,
        };
        argument.action(match missing.takes_value {
            true => ArgAction::Append,
            false => ArgAction::Count,
        })
    }))
}

/// The refusal for the first such flag.
pub(super) fn used(matches: &ArgMatches) -> Option<Failure> {
    let used = MISSING.iter().find(|missing| is_used(matches, missing))?;
    let name = match used.short {
        Some(short) => format!("-{short} (--{})", used.long),
        None => format!("--{}", used.long),
    };
    Some(unsupported(&name, used.instead))
}

fn is_used(matches: &ArgMatches, missing: &Missing) -> bool {
    matches.value_source(missing.long) == Some(clap::parser::ValueSource::CommandLine)
}

/// The refusal for sudo's `-h HOST`, which clap takes for a cry for help: that would end with
/// status 0, as if the command had run.
pub(super) fn elsewhere(words: &[OsString]) -> Option<Failure> {
    let host = |pair: &[OsString]| pair[0] == "-h" && !pair[1].as_bytes().starts_with(b"-");
    let named = words.windows(2).any(host);
    named.then(|| unsupported("-h HOST", HOST))
}

/// How many of the first words are `NAME=value`.
pub(super) fn assignments(words: &[OsString]) -> usize {
    let first_other = words.iter().position(|word| !is_assignment(word));
    first_other.unwrap_or(words.len())
}

fn is_assignment(word: &OsStr) -> bool {
    let bytes = word.as_bytes();
    let Some(end) = bytes.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let name = &bytes[..end];
    name.first().is_some_and(|byte| !byte.is_ascii_digit())
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// A flag as it is called on the command line.
pub(super) fn shown(long: &str) -> String {
    let command = super::elevate_command();
    let mut arguments = command.get_arguments();
    let argument = arguments.find(|argument| argument.get_long() == Some(long));
    match argument.and_then(Arg::get_short) {
        Some(short) => format!("-{short} (--{long})"),
        None => format!("--{long}"),
    }
}

fn unsupported(what: &str, instead: &str) -> Failure {
    Failure::usage(format!("{what} is not there in this version; {instead}"))
}
