//! `elevate [OPTIONS] COMMAND…`

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, value_parser};

use super::order::{self, Options, Order, What};
use super::{Stop, sudo};
use crate::failure::Failure;

/// What `--preserve-env` without a list stands for.
pub(super) const EVERYTHING: &str = "*";

const USAGE: &str = "elevate [OPTIONS] [NAME=value]... [--] COMMAND [ARGUMENTS]...
       elevate [OPTIONS] [NAME=value]... -i | -s [COMMAND [ARGUMENTS]...]
       elevate [OPTIONS] -e FILE...
       elevate -l [-l] [-U USER] [-u USER] [-g GROUP] [COMMAND [ARGUMENTS]...]
       elevate -v | -k | -K";

const AFTER: &str = "\
Examples:
  elevate systemctl restart cron
  elevate -u postgres --for 30m psql
  elevate --reason \"restart after config change\" systemctl restart nginx
  elevate -i                            a login shell of root's
  elevate -e /etc/hosts                 an editor of your own, on a copy
  elevate -l                            what you may run
  elevate -l systemctl restart nginx && echo \"allowed\"
  elevate -v && make | elevate tee -a /var/log/build
  LC_ALL=C elevate -u www-data DEBUG=1 /srv/app/check

Commands:
  Everything after the first word that is no option belongs to the command. A bare name is looked
  for in the folders of secure_path (elevated.toml) and not in your PATH. After -i and -s the
  words are a command, too, and judged as it; with -i the target user's shell executes it, in
  their home.

Codes:
  A rule may ask for a verification code, of the authenticator that was enrolled with
  elevatectl mfa enrol, or for a recovery code. It is typed on the terminal and not shown. One
  that was given shortly before, at this login or on this terminal, may do, as the rule says:
  -v gives one ahead of time, -k and -K have those forgotten that were given. Without a terminal
  a command that owes a code needs -S or -A; with -n it is refused.

Exit status:
  the command's own, if it ran; a command that a signal ended ends elevate by the same signal
  0    with -b, once the command runs; with -l COMMAND, if it may be run
  1    refused, denied, timed out, or something failed; with -l COMMAND, if it may not be run
  2    wrong use
  126  the command was found, and cannot be executed
  127  the command was not found

Environment:
  ELEVATE_ASKPASS, SUDO_ASKPASS  the program that -A asks with; the first that is set
  ELEVATE_EDITOR, SUDO_EDITOR, VISUAL, EDITOR  the editor of -e, likewise
  The command gets an environment of its own. TERM, COLORTERM, NO_COLOR, LANG, LANGUAGE and LC_*
  come from yours; others where the rule's session.keep_env names them.

Files:
  /etc/elevate/policy.d/*.toml  the roles and rules

See also:
  elevatectl(1)";

/// The definition of `elevate`'s command line.
pub fn elevate_command() -> Command {
    let visible = Command::new("elevate")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Run one command as another user, for as long as the policy lends it")
        .override_usage(USAGE)
        .after_help(AFTER)
        .args(what_runs())
        .args(as_whom())
        .args(surroundings())
        .args(questions())
        .args(instead());
    sudo::add_to(visible)
}

fn what_runs() -> Vec<Arg> {
    let command = Arg::new("command")
        .value_name("COMMAND")
        .help("The command and its arguments; with -e the files")
        .value_parser(value_parser!(OsString))
        .num_args(1..)
        .trailing_var_arg(true);
    let flags = [
        flag(
            "login",
            'i',
            "Run the target user's login shell in their home, or COMMAND by way of it",
        ),
        flag(
            "shell",
            's',
            "Run your own login's shell as the target user, or COMMAND",
        ),
        flag(
            "edit",
            'e',
            "Edit files: your editor runs as you on copies, which are then put back",
        ),
        flag(
            "background",
            'b',
            "Go to the background once it runs; it has no terminal input",
        ),
    ];
    let flags = headed("What runs", flags);
    std::iter::once(command).chain(flags).collect()
}

fn as_whom() -> Vec<Arg> {
    let reason = "Why; approvers and the journal see it";
    let args = [
        text(
            "user",
            "USER",
            "Run as USER, a name or #UID; root if not given",
        )
        .short('u'),
        text(
            "group",
            "GROUP",
            "Run with GROUP, a name or #GID, as its group",
        )
        .short('g'),
        text(
            "for",
            "DURATION",
            "How long it may take, as in 30m or \"1h 30m\"",
        )
        .value_parser(parse_duration),
        text("reason", "TEXT", reason),
        text(
            "ticket",
            "ID",
            "The ticket that it is for; approvers and the journal see it",
        ),
        text(
            "rule",
            "NAME",
            "Use this rule, of those that allow the command",
        ),
    ];
    headed("As whom, and under which terms", args)
}

fn surroundings() -> Vec<Arg> {
    let keep = "Keep these variables, with commas between them, or all of them, where the rule \
                keeps them";
    let args = [
        text("chdir", "DIR", "Run it in DIR")
            .short('D')
            .value_parser(value_parser!(OsString)),
        Arg::new("preserve-env")
            .long("preserve-env")
            .short('E')
            .value_name("LIST")
            .help(keep)
            .action(ArgAction::Append)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(EVERYTHING),
        flag(
            "set-home",
            'H',
            "Set HOME to the target user's; it always is",
        ),
    ];
    headed("Where it runs, and with what around it", args)
}

fn questions() -> Vec<Arg> {
    let args = [
        flag(
            "non-interactive",
            'n',
            "Never ask anything, not even for a code, and never wait for approvals",
        ),
        flag("stdin", 'S', "Read answers from standard input, a line each, and ask on standard error"),
        flag("askpass", 'A', "Have the program of ELEVATE_ASKPASS ask, and take what it prints"),
        text(
            "prompt",
            "PROMPT",
            "Ask for a code with this: %u you, %p whose code, %U the target, %h and %H the host, %% a %",
        )
        .short('p'),
    ];
    headed("What is asked", args)
}

fn instead() -> Vec<Arg> {
    let args = [
        flag(
            "list",
            'l',
            "List what you may run, at length with -ll; with COMMAND, whether you may run it",
        )
        .action(ArgAction::Count),
        text(
            "other-user",
            "USER",
            "With -l: what USER may run (root and auditors only)",
        )
        .short('U'),
        flag(
            "validate",
            'v',
            "Give a code now, so that it counts for what comes",
        ),
        flag(
            "reset-timestamp",
            'k',
            "Have no code count that was given on this terminal; with COMMAND, for it alone",
        ),
        flag(
            "remove-timestamp",
            'K',
            "Have no code count that you gave anywhere",
        ),
    ];
    headed("Instead of running something", args)
}

fn headed<const N: usize>(heading: &'static str, args: [Arg; N]) -> Vec<Arg> {
    args.map(|argument| argument.help_heading(heading)).into()
}

/// An option with a value. Given twice it is an error, as with sudo.
fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// An option without a value. It may be repeated, as with sudo.
fn flag(name: &'static str, short: char, help: &'static str) -> Arg {
    let argument = Arg::new(name).long(name).short(short).help(help);
    argument.action(ArgAction::SetTrue).overrides_with(name)
}

/// Read `elevate`'s command line.
pub fn parse_elevate(words: impl IntoIterator<Item = OsString>) -> Result<Order, Stop> {
    let words: Vec<OsString> = words.into_iter().collect();
    match words.as_slice() {
        // execve(2) with an empty argv: there isn't even a program name.
        [] => Err(Failure::usage("started without a command line").into()),
        // The usual case, without building what tells flags from each other.
        [_, command @ ..] if begins_with_a_command(command) => {
            let options = Options {
                command: command.to_vec(),
                ..Options::default()
            };
            Ok(Order::Run(Box::new(options)))
        }
        _ => read_flags(words),
    }
}

fn begins_with_a_command(words: &[OsString]) -> bool {
    let first = words.first();
    first.is_some_and(|word| !word.as_bytes().starts_with(b"-")) && sudo::assignments(words) == 0
}

fn read_flags(mut words: Vec<OsString>) -> Result<Order, Stop> {
    let mut set = Vec::new();
    loop {
        let mut matches = matches(&words)?;
        let command = matches.remove_many("command");
        let command: Vec<OsString> = command.map_or_else(Vec::new, Iterator::collect);
        let begin = words.len() - command.len();
        let assigned = sudo::assignments(&command);
        // As with sudo, options may follow variables, and what follows `--` is the command.
        if assigned > 0 && words[begin - 1] != "--" {
            set.extend(words.drain(begin..begin + assigned));
            continue;
        }
        let order = order::order(matches, command, set)?;
        return match needs_words(&order) {
            Some(missing) => {
                let error = elevate_command().error(ErrorKind::MissingRequiredArgument, missing);
                Err(error.into())
            }
            None => Ok(order),
        };
    }
}

fn matches(words: &[OsString]) -> Result<clap::ArgMatches, Stop> {
    let matches = elevate_command().try_get_matches_from(words);
    let matches = matches.map_err(|told| match sudo::elsewhere(words) {
        Some(unsupported) if told.kind() == ErrorKind::DisplayHelp => Stop::from(unsupported),
        _ => Stop::from(told),
    })?;
    match sudo::used(&matches) {
        Some(unsupported) => Err(unsupported.into()),
        None => Ok(matches),
    }
}

/// What is missing to carry `order` out.
fn needs_words(order: &Order) -> Option<&'static str> {
    match order {
        Order::Run(options) if options.command.is_empty() => match options.what {
            What::Command => Some("name a COMMAND to run, or a shell with -i or -s"),
            What::Edit => Some("name a FILE to edit"),
            What::Shell | What::Login => None,
        },
        _ => None,
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let example = "write it as 30m, 90s or \"1h 30m\"";
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| example.to_owned())?;
    match Duration::try_from(parsed) {
        Ok(duration) if duration >= Duration::from_millis(1) => Ok(duration),
        _ => Err(format!("it must be longer than nothing; {example}")),
    }
}

#[cfg(test)]
#[path = "elevate_tests.rs"]
mod tests;
