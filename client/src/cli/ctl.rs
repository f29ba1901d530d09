//! `elevatectl VERB …`

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use elevate_protocol::Id;

use super::import::{IMPORT, ImportArguments};
use super::policy::{self, Check, Diff, Test, WhyArguments};
use super::{LoginVerb, SessionsVerb, Stop};
use crate::failure::Failure;

const AFTER: &str = "\
Exit status:
  0  done
  1  refused, or something failed
  2  wrong use

Listings:
  They hold what waits or runs, as far as you may see it: what you asked for, and what you
  may approve; root sees all. With --all they hold what is over, too, for up to an hour; the
  journal has it for good. Times are local. With --json, every listing is one JSON array,
  everything else one JSON object; keys are added over time, none is renamed. Without a
  terminal, listings have no header, and tabs between their columns.

Codes:
  A vote, and a change to a second factor of one's own, may ask for a verification code. It is
  typed on the terminal and not shown; without a terminal what owes one is refused. Votes can be
  cast, and factors changed, only from a login of one's own.

Files:
  /etc/elevate/elevated.toml       settings, each explained there
  /etc/elevate/policy.d/*.toml     the roles and rules
  /var/log/elevate/sessions        recordings; SYSLOG_IDENTIFIER=elevate in the journal has
                                   everything else

See also:
  elevate(1), journalctl(1); examples of policies are in /usr/share/doc/elevate/examples";

#[derive(Parser)]
#[command(name = "elevatectl", version, after_help = AFTER, subcommand_required = true)]
#[command(about = "See, approve and end what was asked of elevate, and manage second factors")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Whether the daemon runs, and with which policy
    Status(Output),
    /// List the requests that wait
    Requests(Listed),
    /// Show a request exactly as it would run
    Show(One),
    /// Agree to a request
    Approve(Decision),
    /// Refuse a request
    Deny(Denial),
    /// Take back a request of your own
    Cancel {
        /// The request
        id: Id,
    },
    /// Tell of every request as it comes and changes, until Ctrl-C
    Watch(Output),
    /// Have a grant of yours last longer
    #[command(after_help = EXTEND)]
    Extend(Extension),
    /// List, lengthen and end grants
    #[command(subcommand)]
    Grants(GrantsVerb),
    /// List, watch and end sessions, and play and search their recordings
    #[command(subcommand)]
    Sessions(SessionsVerb),
    /// Check policy files, and ask what the policy says
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Enrol, remove and look at second factors
    #[command(subcommand)]
    Mfa(MfaVerb),
    /// Ask how the directory is that people come from
    #[command(subcommand)]
    Directory(DirectoryVerb),
    /// Have logins of sshd, login or su pass elevated
    #[command(subcommand)]
    Login(LoginVerb),
}

/// What to do with second factors.
#[derive(Debug, Subcommand)]
pub enum MfaVerb {
    /// Bring a new secret into your authenticator, and confirm it with a code
    Enrol(Whose),
    /// Whether there is a second factor, and how many recovery codes are left
    Status(FactorStatus),
    /// Remove it; asks for a code, but not root about others
    Remove(Whose),
    /// Replace the recovery codes; asks for a code, but not root about others
    RecoveryCodes(Whose),
}

/// Whose second factor.
#[derive(Debug, Args)]
pub struct Whose {
    /// The user; yourself if not given, and others for root only
    pub user: Option<String>,
}

/// Whose second factor, and how to write it.
#[derive(Debug, Args)]
pub struct FactorStatus {
    #[command(flatten)]
    pub whose: Whose,
    #[command(flatten)]
    pub output: Output,
}

/// What to ask of the directory.
#[derive(Debug, Subcommand)]
pub enum DirectoryVerb {
    /// Whether it is reached, how long its records count, and which are not believed
    Status(Output),
    /// Have elevate-directory compare everything anew (root only)
    Sync,
}

/// How to write it.
#[derive(Debug, Clone, Copy, Args)]
pub struct Output {
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// What to list, of what the caller may see, and how.
#[derive(Debug, Clone, Copy, Args)]
pub struct Listed {
    /// List those of the last hour that are over, too
    #[arg(long)]
    pub all: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// One thing and how to show it.
#[derive(Debug, Args)]
pub struct One {
    /// The request
    pub id: Id,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// A vote.
#[derive(Debug, Args)]
pub struct Decision {
    /// The request
    pub id: Id,
    /// Why; the requester and the journal see it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub comment: String,
    /// Don't ask; needed where there is no terminal
    #[arg(long)]
    pub yes: bool,
}

/// A no.
#[derive(Debug, Args)]
pub struct Denial {
    /// The request
    pub id: Id,
    /// Why; the requester and the journal see it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub comment: String,
}

/// What to do with grants.
#[derive(Debug, Subcommand)]
pub enum GrantsVerb {
    /// List the grants that are in force
    List(Listed),
    /// Have a grant of yours last longer
    #[command(after_help = EXTEND)]
    Extend(Extension),
    /// End a grant and everything that runs under it, at once
    Revoke(End),
}

const EXTEND: &str = "\
The rule says for how long a grant may last in all, and what it requires: a code, a reason or
approvals are asked for as they were for the grant itself, and until they are there the grant ends
when it would have ended.

Examples:
  elevatectl extend k7m2x9qd
  elevatectl extend k7m2x9qd --for 30m --reason \"the import takes longer\"";

/// How to lengthen a grant.
#[derive(Debug, Args)]
pub struct Extension {
    /// The grant, which is a session's too
    pub id: Id,
    /// By how long, as in 30m; the rule's usual time if not given
    #[arg(long = "for", value_name = "DURATION", value_parser = extension)]
    pub duration: Option<Duration>,
    /// Why; approvers and the journal see it
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Never ask anything, and never wait for approvals
    #[arg(short, long)]
    pub non_interactive: bool,
}

/// What to end, and why.
#[derive(Debug, Args)]
pub struct End {
    /// The grant
    pub id: Id,
    /// Why; the journal has it
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}

/// What to ask of the policy.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Check files without loading them; nothing is asked of the daemon
    #[command(after_help = policy::CHECK)]
    Check(Check),
    /// Test whether a policy says what you expect; nothing is asked of the daemon
    #[command(after_help = policy::TEST)]
    Test(Test),
    /// Tell who gains and who loses what from one policy to another; nothing is asked of the daemon
    #[command(after_help = policy::DIFF)]
    Diff(Diff),
    /// Write the language as a JSON Schema, for editors
    #[command(after_help = policy::SCHEMA)]
    Schema,
    /// Ask what the loaded policy says to a command, and why
    #[command(after_help = policy::WHY)]
    Why(WhyArguments),
    /// Write a sudoers in this language, and mark what cannot be said
    #[command(after_help = IMPORT)]
    ImportSudoers(ImportArguments),
}

/// The definition of `elevatectl`'s command line.
pub fn elevatectl_command() -> clap::Command {
    Arguments::command()
}

/// Read `elevatectl`'s command line.
pub fn parse_elevatectl(words: impl IntoIterator<Item = OsString>) -> Result<Verb, Stop> {
    let mut words = words.into_iter().peekable();
    if words.peek().is_none() {
        return Err(Failure::usage("started without a command line").into());
    }
    let matches = elevatectl_command().try_get_matches_from(words)?;
    Ok(Arguments::from_arg_matches(&matches)?.verb)
}

fn extension(text: &str) -> Result<Duration, String> {
    span(text)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "write it as 30m or 1h 30m".into())
}

/// A time with its units, as in `1h 30m`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    parsed.and_then(|duration| Duration::try_from(duration).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Verb, Stop> {
        parse_elevatectl(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound() {
        elevatectl_command().debug_assert();
    }

    #[test]
    fn every_verb_is_read() {
        for line in [
            "elevatectl status --json",
            "elevatectl requests",
            "elevatectl requests --all",
            "elevatectl show k7m2x9qd --json",
            "elevatectl approve k7m2x9qd --comment fine",
            "elevatectl deny k7m2x9qd --comment no",
            "elevatectl cancel k7m2x9qd",
            "elevatectl watch --json",
            "elevatectl grants list --all --json",
            "elevatectl grants revoke k7m2x9qd --reason over",
            "elevatectl extend k7m2x9qd",
            "elevatectl grants extend k7m2x9qd --for 30m --reason longer -n",
            "elevatectl sessions list --all --user alice --json",
            "elevatectl sessions list --recordings",
            "elevatectl sessions show k7m2x9qd --json",
            "elevatectl sessions play k7m2x9qd --speed 2 --idle-limit 1s --from 1:02.5",
            "elevatectl sessions play ./k7m2x9qd.cast --jump 3",
            "elevatectl sessions play k7m2x9qd --dump",
            "elevatectl sessions search DROP --ignore-case --user eve --since 2h",
            "elevatectl sessions search --regex a+ --json",
            "elevatectl sessions follow k7m2x9qd",
            "elevatectl sessions kill k7m2x9qd --reason over",
            "elevatectl sessions export k7m2x9qd",
            "elevatectl policy check a.toml b.toml",
            "elevatectl policy check --strict --here --json policy.d",
            "elevatectl policy test a.expect --policy a.toml --policy b --json",
            "elevatectl policy diff a.toml b --json",
            "elevatectl policy schema",
            "elevatectl policy why --user eve -u postgres -- id -u",
            "elevatectl policy why --host db1 --at 2026-03-16T10:00[Europe/Berlin] --from ::1 -- id",
            "elevatectl policy import-sudoers",
            "elevatectl policy import-sudoers --password-as none -o a.toml /etc/sudoers.d/a",
            "elevatectl policy import-sudoers --json-input - --password-as 1h",
            "elevatectl login enable sshd --timeout 5 --force",
            "elevatectl login enable login --rescue root@tty1",
            "elevatectl login disable sshd",
            "elevatectl login disable --all",
            "elevatectl login status sshd --json",
            "elevatectl login status",
            "elevatectl mfa enrol",
            "elevatectl mfa enrol alice",
            "elevatectl mfa status --json",
            "elevatectl mfa status alice",
            "elevatectl mfa remove alice",
            "elevatectl mfa recovery-codes",
            "elevatectl directory status --json",
            "elevatectl directory sync",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn wrong_use_is_status_2() {
        for line in [
            "elevatectl",
            "elevatectl approve",
            "elevatectl show ../../etc",
            "elevatectl show K7M2X9QD",
            "elevatectl sessions play k7m2x9qd --speed 0",
            "elevatectl sessions play k7m2x9qd --speed nan",
            "elevatectl sessions play k7m2x9qd --from yesterday",
            "elevatectl sessions play k7m2x9qd --from 1s --jump 1",
            "elevatectl sessions play k7m2x9qd --jump 0",
            "elevatectl sessions search",
            "elevatectl sessions search a --regex b",
            "elevatectl sessions list --all --recordings",
            "elevatectl sessions follow",
            "elevatectl extend k7m2x9qd --for 0s",
            "elevatectl policy check",
            "elevatectl policy diff a.toml",
            "elevatectl policy why",
            "elevatectl policy why --at yesterday id",
            "elevatectl policy why --from nowhere id",
            "elevatectl policy import-sudoers --json-input - /etc/sudoers",
            "elevatectl policy import-sudoers --password-as never",
            "elevatectl mfa",
            "elevatectl mfa enrol alice bob",
            "elevatectl directory",
            "elevatectl login enable",
            "elevatectl login enable sshd --timeout 0",
            "elevatectl login disable",
            "elevatectl login disable sshd --all",
        ] {
            assert_eq!(parse(line).unwrap_err().status(), 2, "{line}");
        }
        assert_eq!(parse_elevatectl([]).unwrap_err().status(), 2);
    }
}
