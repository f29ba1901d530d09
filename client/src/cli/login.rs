//! `elevatectl login VERB …`

use clap::{Args, Subcommand};

use super::Output;

/// What to do with a service's PAM file.
#[derive(Debug, Subcommand)]
pub enum LoginVerb {
    /// Have logins of a service pass elevated: codes, and roles that admit (root only)
    Enable(Enable),
    /// Undo it: the service's PAM file is what it was before (root only)
    Disable(Disable),
    /// Whether it is on, and what would keep people out (root only)
    Status(LoginStatus),
}

/// Which service, and how.
#[derive(Debug, Args)]
pub struct Enable {
    /// The PAM service, a file in /etc/pam.d: sshd, login, su
    pub service: String,
    /// Who may pass on which consoles while elevated can't be asked, as in root@tty1,ttyS0; their
    /// password still counts. For the service login root@tty1,ttyS0,hvc0 unless given; none for
    /// nobody
    #[arg(long, value_name = "USER@TERMINALS")]
    pub rescue: Option<String>,
    /// How long each answer of elevated may take, from 1 to 60
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u8).range(1..=60))]
    pub timeout: Option<u8>,
    /// Do it though elevated does not answer now, and nobody could log in
    #[arg(long)]
    pub force: bool,
}

/// Which service.
#[derive(Debug, Args)]
pub struct Disable {
    /// The PAM service
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub service: Option<String>,
    /// Every service that it is on for
    #[arg(long)]
    pub all: bool,
}

/// Which service, and how to write it.
#[derive(Debug, Args)]
pub struct LoginStatus {
    /// The PAM service; all that it is on for if not given
    pub service: Option<String>,
    #[command(flatten)]
    pub output: Output,
}
