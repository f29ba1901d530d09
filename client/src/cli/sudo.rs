//! Flags that sudo has and this version doesn't: recognised, so that hands and scripts that know
//! sudo are told what to do instead of something being guessed.

use std::ffi::OsStr;
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

const SHELL: &str = "name the shell: elevate bash -l";
const FORGET: &str =
    "a code counts for this terminal of this login alone; log out to have it forgotten";
const TYPED: &str = "codes are typed on the terminal, and no password is asked for";

const MISSING: &[Missing] = &[
    missing('i', "login", SHELL),
    missing('s', "shell", SHELL),
    missing('e', "edit", "run the editor itself, where a rule allows it"),
    missing('k', "reset-timestamp", FORGET),
    missing('K', "remove-timestamp", FORGET),
    missing(
        'v',
        "validate",
        "a command asks for a code when one is owed",
    ),
    missing('l', "list", "ask with: elevatectl policy why -- COMMAND"),
    with_value(
        'U',
        "other-user",
        "ask with: elevatectl policy why --user USER -- COMMAND",
    ),
    missing(
        'E',
        "preserve-env",
        "name variables in the rule: session.keep_env",
    ),
    with_value(
        'D',
        "chdir",
        "change the folder first: cd DIR && elevate COMMAND",
    ),
    missing('H', "set-home", "HOME is always the target user's"),
    missing('b', "background", "use the shell: elevate COMMAND &"),
    missing('S', "stdin", TYPED),
    missing('A', "askpass", TYPED),
    with_value('p', "prompt", "the question for a code is always the same"),
    with_value('C', "close-from", "no other descriptors are ever passed on"),
    with_value('R', "chroot", "run chroot itself, where a rule allows it"),
    with_value('T', "command-timeout", "use --for DURATION"),
    with_value('r', "role", "SELinux contexts cannot be chosen"),
    with_value('t', "type", "SELinux contexts cannot be chosen"),
    Missing {
        short: None,
        ..with_value(
            ' ',
            "ticket",
            "write it into the reason: --reason \"OPS-1234 …\"",
        )
    },
];

/// Add them to `command`, hidden, so that they are parsed as sudo parses them.
pub(super) fn add_to(command: Command) -> Command {
    command.args(MISSING.iter().map(|missing| {
        let argument = Arg::new(missing.long).long(missing.long).hide(true);
        let argument = match missing.short {
            Some(short) => argument.short(short),
            None => argument,
        };
        if missing.takes_value {
            argument.action(ArgAction::Append)
        } else if missing.long == "preserve-env" {
            argument.num_args(0..=1).require_equals(true)
        } else {
            argument.action(ArgAction::Count)
        }
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

/// The refusal for `NAME=value` in place of a command.
pub(super) fn assignment(word: &OsStr) -> Option<Failure> {
    let mut parts = word.as_bytes().splitn(2, |byte| *byte == b'=');
    let name = parts.next()?;
    parts.next()?;
    let is_name = name.first().is_some_and(|byte| !byte.is_ascii_digit())
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let instead = "use env(1), where a rule allows it: elevate env NAME=value COMMAND";
    is_name.then(|| unsupported("NAME=value", instead))
}

fn unsupported(what: &str, instead: &str) -> Failure {
    Failure::usage(format!("{what} is not there in this version; {instead}"))
}
