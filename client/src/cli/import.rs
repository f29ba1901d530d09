//! What `elevatectl policy import-sudoers` is told.

use std::path::PathBuf;

use clap::Args;

/// How `elevatectl policy import-sudoers` ends.
pub(super) const IMPORT: &str = "\
The result allows what sudo allows, or less, and never more. In sudoers the last entry that matches
counts; here a deny wins, and else any allow suffices: that is resolved. What cannot be said is left
out or made narrower, marked where it belongs and listed at the end.

A password of sudo becomes a code, as old as sudo remembers a password (timestamp_timeout, else
15m); NOPASSWD becomes a standing grant. Links in paths are followed on this host. Nothing is put in
force: read it, `elevatectl policy check` it, and put it into /etc/elevate/policy.d yourself.

Exit status:
  0  all of it could be said as sudoers does
  1  it cannot be read or converted; nothing was written
  2  wrong use
  3  converted, and something is marked LEFT OUT or NARROWER

Examples:
  elevatectl policy import-sudoers --output sudoers.toml
  elevatectl policy import-sudoers --password-as always /etc/sudoers.d/web
  ssh db1 cvtsudoers -f json /etc/sudoers | elevatectl policy import-sudoers --json-input -";

/// How a password of sudo is owed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// As a code, as the `mfa` of a rule is written.
    Code(String),
    /// Not at all.
    Nothing,
}

/// What to convert, and how.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The sudoers, with all that it includes
    #[arg(default_value = "/etc/sudoers", conflicts_with = "json_input")]
    pub path: PathBuf,
    /// Convert what `cvtsudoers -f json` wrote elsewhere, in a file; - is standard input
    #[arg(long, value_name = "FILE")]
    pub json_input: Option<PathBuf>,
    /// Have a password be a code that is at most so old (15m), always a new one, or none
    #[arg(long, value_name = "DURATION|always|none", value_parser = password)]
    pub password_as: Option<Password>,
    /// Write to this file, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

fn password(text: &str) -> Result<Password, String> {
    match text {
        "none" => Ok(Password::Nothing),
        "always" => Ok(Password::Code(text.to_owned())),
        text => {
            const LONGEST: u64 = 7 * 24 * 60 * 60;
            let whole = super::ctl::span(text).filter(|age| age.subsec_nanos() == 0);
            match whole.map(|age| age.as_secs()) {
                Some(1..=LONGEST) => Ok(Password::Code(text.to_owned())),
                _ => Err("write it as 15m, always or none; the longest is 168h".into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_password_is_owed_is_what_the_policy_reads() {
        assert_eq!(password("none"), Ok(Password::Nothing));
        for text in ["always", "15m", "1h 30m", "168h"] {
            assert_eq!(password(text), Ok(Password::Code(text.into())));
        }
        for text in ["", "never", "0s", "1ms", "169h", "5"] {
            assert!(password(text).is_err(), "{text}");
        }
    }
}
