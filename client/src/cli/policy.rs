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
