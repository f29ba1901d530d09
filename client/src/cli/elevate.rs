//! `elevate [OPTIONS] COMMAND…`

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::{Stop, sudo};
use crate::failure::Failure;

/// What the user asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// `-u`: whom to run as.
    pub user: Option<String>,
    /// `-g`: the group to run as.
    pub group: Option<String>,
    /// `-n`: never ask, never wait.
    pub non_interactive: bool,
    /// `--for`: how long the grant lasts.
    pub duration: Option<Duration>,
    /// `--reason`: why.
    pub reason: Option<String>,
    /// `--rule`: which rule to use.
    pub rule: Option<String>,
    /// The command's words; never empty.
    pub command: Vec<OsString>,
}

const AFTER: &str = "\
Exit status:
  the command's own, if it ran; a command that a signal ended ends elevate by the same signal
  1    refused, denied, timed out, or something failed
  2    wrong use
  126  the command was found, and cannot be executed
  127  the command was not found

Codes:
  A rule may ask for a verification code, of the authenticator that was enrolled with
  elevatectl mfa enrol, or for a recovery code. It is typed on the terminal and not shown. One
  that was given shortly before, at this login or on this terminal, may do, as the rule says.
  Without a terminal, and with -n, a command that owes a code is refused.

Files:
  /etc/elevate/policy.d/*.toml  the roles and rules

See also:
  elevatectl(1)";

/// The definition of `elevate`'s command line.
pub fn elevate_command() -> Command {
    let visible = Command::new("elevate")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Run one command as another user, for as long as the policy lends it")
        .override_usage("elevate [OPTIONS] [--] COMMAND [ARGUMENTS]...")
        .after_help(AFTER)
        .args([
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
            flag(
                "non-interactive",
                "Never ask anything, not even for a code, and never wait for approvals",
            )
            .short('n'),
            text(
                "for",
                "DURATION",
                "How long it may take, as in 30m or \"1h 30m\"",
            )
            .value_parser(parse_duration),
            text("reason", "TEXT", "Why; approvers and the journal see it"),
            text(
                "rule",
                "NAME",
                "Use this rule, of those that allow the command",
            ),
            Arg::new("command")
                .value_name("COMMAND")
                .help("The command and its arguments")
                .value_parser(value_parser!(OsString))
                .num_args(1..)
                .trailing_var_arg(true),
        ]);
    sudo::add_to(visible)
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    let action = ArgAction::SetTrue;
    Arg::new(name).long(name).help(help).action(action)
}

/// Read `elevate`'s command line.
pub fn parse_elevate(words: impl IntoIterator<Item = OsString>) -> Result<Options, Stop> {
    let words: Vec<OsString> = words.into_iter().collect();
    let options = match words.as_slice() {
        // execve(2) with an empty argv: there isn't even a program name.
        [] => return Err(Failure::usage("started without a command line").into()),
        // The usual case, without building what tells flags from each other.
        [_, command @ ..] if begins_with_a_command(command) => Options {
            command: command.to_vec(),
            ..Options::default()
        },
        _ => read_flags(words)?,
    };
    let first = options.command.first();
    match first.and_then(|word| sudo::assignment(word)) {
        Some(unsupported) => Err(unsupported.into()),
        None => Ok(options),
    }
}

fn begins_with_a_command(words: &[OsString]) -> bool {
    let first = words.first();
    first.is_some_and(|word| !word.as_bytes().starts_with(b"-"))
}

fn read_flags(words: Vec<OsString>) -> Result<Options, Stop> {
    let matches = elevate_command().try_get_matches_from(words)?;
    // Before the command is missed: `elevate -l` has none.
    if let Some(unsupported) = sudo::used(&matches) {
        return Err(unsupported.into());
    }
    let options = options(matches);
    if options.command.is_empty() {
        let kind = clap::error::ErrorKind::MissingRequiredArgument;
        let error = elevate_command().error(kind, "name a COMMAND to run");
        return Err(error.into());
    }
    Ok(options)
}

fn options(mut matches: ArgMatches) -> Options {
    Options {
        user: matches.remove_one("user"),
        group: matches.remove_one("group"),
        non_interactive: matches.get_flag("non-interactive"),
        duration: matches.remove_one("for"),
        reason: matches.remove_one("reason"),
        rule: matches.remove_one("rule"),
        command: matches
            .remove_many("command")
            .map_or_else(Vec::new, Iterator::collect),
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
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Options, Stop> {
        let words = std::iter::once("elevate").chain(line.iter().copied());
        parse_elevate(words.map(OsString::from))
    }

    fn status(line: &[&str]) -> (u8, String) {
        let stop = parse(line).unwrap_err();
        let lines = match &stop {
            Stop::Told(_) => String::new(),
            Stop::Failed(failure) => failure.lines("elevate"),
        };
        (stop.status(), lines)
    }

    #[test]
    fn the_definition_is_sound() {
        elevate_command().debug_assert();
    }

    #[test]
    fn options_end_at_the_first_word_of_the_command() {
        let options = parse(&["-n", "-upostgres", "-g", "adm", "ls", "-u", "--for", "-h"]).unwrap();
        assert_eq!(options.user.as_deref(), Some("postgres"));
        assert_eq!(options.group.as_deref(), Some("adm"));
        assert!(options.non_interactive);
        assert_eq!(options.command, ["ls", "-u", "--for", "-h"]);
        let options = parse(&["--", "-i", "--"]).unwrap();
        assert_eq!(options.command, ["-i", "--"]);
        let options = parse(&["sh", "--", "-c", "x"]).unwrap();
        assert_eq!(options.command, ["sh", "--", "-c", "x"]);
    }

    #[test]
    fn a_line_without_flags_means_what_it_means_with_all_of_them_built() {
        for line in [
            &["ls"][..],
            &["ls", "-u", "--", "--for", "-h"],
            &["help"],
            &[""],
            &["/opt/a=b", "A=b"],
        ] {
            let words = std::iter::once("elevate").chain(line.iter().copied());
            let words: Vec<_> = words.map(OsString::from).collect();
            assert!(begins_with_a_command(&words[1..]), "{line:?}");
            let slowly = read_flags(words.clone()).unwrap();
            assert_eq!(parse_elevate(words).unwrap(), slowly, "{line:?}");
        }
    }

    #[test]
    fn words_that_are_not_text_reach_the_command_unchanged() {
        use std::os::unix::ffi::OsStringExt;
        let raw = OsString::from_vec(b"\xff\x01".to_vec());
        let words = vec!["elevate".into(), "echo".into(), raw.clone()];
        assert_eq!(parse_elevate(words).unwrap().command[1], raw);
    }

    #[test]
    fn durations_need_a_unit() {
        for (text, seconds) in [("30m", 1800), ("1h 30m", 5400), ("5s", 5), ("1h30m", 5400)] {
            let options = parse(&["--for", text, "id"]).unwrap();
            assert_eq!(
                options.duration,
                Some(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for text in ["300", "", "-5m", "0s", "soon", "30 parsecs"] {
            assert_eq!(status(&[&format!("--for={text}"), "id"]).0, 2, "{text:?}");
        }
    }

    #[test]
    fn wrong_use_is_status_2_and_help_status_0() {
        assert_eq!(status(&[]).0, 2);
        assert_eq!(status(&["--no-such-flag", "id"]).0, 2);
        assert_eq!(status(&["-x", "id"]).0, 2);
        assert_eq!(status(&["-u"]).0, 2);
        assert_eq!(status(&["-h"]).0, 0);
        assert_eq!(status(&["--help"]).0, 0);
        assert_eq!(status(&["-V"]).0, 0);
        assert_eq!(status(&["-u", "bob"]).0, 2);
        assert_eq!(parse_elevate(std::iter::empty()).unwrap_err().status(), 2);
    }

    #[test]
    fn what_sudo_has_and_we_do_not_yet_is_said_in_one_line_with_a_way_out() {
        for line in [
            &["-i"][..],
            &["-s"],
            &["-s", "id"],
            &["-e", "/etc/hosts"],
            &["-k"],
            &["-K"],
            &["-v"],
            &["-l"],
            &["-ll"],
            &["-U", "bob", "-l"],
            &["-E", "id"],
            &["--preserve-env=HOME", "id"],
            &["-D", "/", "id"],
            &["--chdir=/", "id"],
            &["-H", "id"],
            &["-b", "id"],
            &["-S", "id"],
            &["-A", "id"],
            &["-p", "pw:", "id"],
            &["--ticket", "OPS-1", "id"],
            &["-nE", "id"],
            &["-u", "bob", "-i"],
            &["LANG=C", "id"],
        ] {
            let (status, lines) = status(line);
            assert_eq!(status, 2, "{line:?}");
            assert!(lines.contains("this version"), "{line:?}: {lines}");
            assert!(lines.contains("; "), "a way out: {line:?}: {lines}");
            assert_eq!(lines.lines().count(), 1, "{line:?}");
        }
    }

    #[test]
    fn a_path_with_an_equals_sign_is_a_command() {
        assert_eq!(parse(&["/opt/a=b"]).unwrap().command, ["/opt/a=b"]);
        assert_eq!(parse(&["id", "-i", "A=b"]).unwrap().command.len(), 3);
    }
}
