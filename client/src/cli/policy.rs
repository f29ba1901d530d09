//! What `elevatectl policy` is told.

use std::path::PathBuf;

use clap::Args;

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
