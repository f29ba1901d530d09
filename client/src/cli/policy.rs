//! What `elevatectl policy` is told.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// How `elevatectl policy check` ends.
pub(super) const CHECK: &str = "\
Exit status:
  0  the daemon would load these files; there may be warnings
  1  it would not, or there are warnings and --strict, or a file cannot be read
  2  wrong use

Warnings:
  no-approver  a rule owes approvals that nobody can give
  covered      another rule always counts in the place of this one
  forbidden    a deny takes all that this rule allows
  conflict     somebody is in two roles that exclude each other, and so has neither
  root-shell   whoever may run this command as root can do anything
  writable     others than root can change what runs (with --here)

Examples:
  elevatectl policy check --strict policy.d
  elevatectl policy check --here /etc/elevate/policy.d";

/// What to check, and how.
#[derive(Debug, Args)]
pub struct Check {
    /// The files, or folders with them, all of one policy
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Let no warning pass
    #[arg(long)]
    pub strict: bool,
    /// Compare them with the files of this host, too: whether commands are links, and whether others
    /// can change them
    #[arg(long)]
    pub here: bool,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// How expectations are written, and how `elevatectl policy test` ends.
pub(super) const TEST: &str = "\
Exit status:
  0  the policy says what is expected
  1  it doesn't, or a file cannot be read or understood
  2  wrong use

Expectations:
  group ops: alice carol
  host web1 web1.example.org
  from 10.0.0.7
  at 2026-03-16 10:00 Europe/Berlin

  alice may \"systemctl restart nginx\" needs approval
  alice may \"systemctl reload nginx\" as root needs nothing
  alice may not \"systemctl restart nginx\" on db1
  erin may shell as postgres needs only mfa 15m, reason
  alice may edit \"/etc/nginx/nginx.conf\"
  eve may not log in

  A file says who is who, and where and when it is; nothing else is asked. All of it is explained in
  /usr/share/doc/elevate/policy-tools.md.

Examples:
  elevatectl policy test web.expect
  elevatectl policy test --policy policy.d web.expect db.expect";

/// What to test, and how.
#[derive(Debug, Args)]
pub struct Test {
    /// Files of expectations
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// A file or folder of the policy, any number of times; what this host's daemon reads if not given
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<PathBuf>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// How `elevatectl policy diff` writes and ends.
pub(super) const DIFF: &str = "\
Exit status:
  0  nobody gains or loses anything
  1  somebody does
  2  wrong use, or a file cannot be read or is no policy

Signs:
  +  may be done now, on these terms
  -  may no longer be done
  ~  may be done as before, on terms that demand more, less or something else
  !  a deny speaks of it now, or no longer

Examples:
  elevatectl policy diff /etc/elevate/policy.d new.d";

/// What to compare, and how.
#[derive(Debug, Args)]
pub struct Diff {
    /// A file, or a folder with the files of one policy
    pub old: PathBuf,
    /// The other
    pub new: PathBuf,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// How `elevatectl policy schema` is used.
pub(super) const SCHEMA: &str = "\
Editors that read TOML by a schema complete keys and underline mistakes. Those with the language server
of Taplo take it from the first line of a file:

  #:schema ./policy.schema.json

It says which keys there are and of which form they are; what they mean, `policy check` looks at.

Examples:
  elevatectl policy schema > policy.schema.json";

/// What `elevatectl policy why` tells, and to whom.
pub(super) const WHY: &str = "\
It tells the verdict, what is owed, and rule by rule whether it matches, or by which condition it does
not. Everybody may ask about themselves, here and now, and hears of their own rules alone; root about
anybody, and about other hosts, times and logins. What a command is called is looked up on this host,
and the policy is the one that it has.

Examples:
  elevatectl policy why -- systemctl restart nginx
  elevatectl policy why --user eve --host db1 --from 10.0.0.7 -- systemctl restart nginx
  elevatectl policy why --user eve --at \"2026-03-16 23:00 Europe/Berlin\" -- systemctl restart nginx";

/// What the policy is asked about.
#[derive(Debug, Args)]
pub struct WhyArguments {
    /// As if this user asked (root only)
    #[arg(long = "user", value_name = "USER")]
    pub caller: Option<String>,
    /// As if it were asked on the host of this name (root only)
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// As if it were asked then, as in "2026-03-16 10:00 Europe/Berlin" (root only)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<Timestamp>,
    /// As if they had logged in from this address, or from "console" (root only)
    #[arg(long, value_name = "ADDRESS", value_parser = origin)]
    pub from: Option<String>,
    /// As if they had logged in by this PAM service (root only)
    #[arg(long, value_name = "SERVICE")]
    pub via: Option<String>,
    /// To run as this user; root if not given
    #[arg(short = 'u', value_name = "TARGET")]
    pub target: Option<String>,
    /// To run with this group
    #[arg(short = 'g', value_name = "GROUP")]
    pub group: Option<String>,
    /// With this rule
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    pub command: Vec<OsString>,
}

/// `2026-03-16 10:00 Europe/Berlin`, or without a zone by the clock of this host.
fn moment(text: &str) -> Result<Timestamp, String> {
    let wrong = || "write it as in \"2026-03-16 10:00 Europe/Berlin\"".to_owned();
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(zoned.timestamp());
    }
    let words: Vec<_> = text.split_ascii_whitespace().collect();
    let (date, time, zone) = match words[..] {
        [date, time] => (date, time, TimeZone::system()),
        [date, time, zone] => {
            let unknown = |_| format!("there is no time zone `{zone}`");
            (date, time, TimeZone::get(zone).map_err(unknown)?)
        }
        _ => return Err(wrong()),
    };
    let shown: DateTime = format!("{date}T{time}").parse().map_err(|_| wrong())?;
    let moment = zone.to_ambiguous_timestamp(shown).unambiguous();
    moment.map_err(|_| "the clock shows this time twice or never; write it in UTC".to_owned())
}

fn origin(text: &str) -> Result<String, String> {
    match text == "console" || text.parse::<IpAddr>().is_ok() {
        true => Ok(text.to_owned()),
        false => Err("write an address, or console".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_that_of_its_zone() {
        let at = |text: &str| moment(text).map(|at| at.to_string());
        let utc = "2026-03-16T09:00:00Z".to_owned();
        assert_eq!(at("2026-03-16 10:00 Europe/Berlin"), Ok(utc.clone()));
        assert_eq!(at("2026-03-16T10:00+01:00[Europe/Berlin]"), Ok(utc.clone()));
        assert_eq!(at("2026-03-16 09:00 UTC"), Ok(utc));
        assert!(at("2026-03-16 10:00").is_ok());
        assert!(
            at("2026-03-16 10:00 Europe/Berln")
                .unwrap_err()
                .contains("time zone")
        );
        assert!(
            at("2026-03-29 02:30 Europe/Berlin")
                .unwrap_err()
                .contains("twice or never")
        );
        assert!(at("10:00").is_err() && at("tomorrow 10:00").is_err());
    }

    #[test]
    fn where_somebody_comes_from_is_an_address_or_a_console() {
        assert!(
            origin("10.0.0.7").is_ok()
                && origin("2001:db8::1").is_ok()
                && origin("console").is_ok()
        );
        assert!(origin("db1").is_err() && origin("10.0.0.0/8").is_err());
    }
}
