//! A running session: everything between the command and the user's descriptors and terminal, in
//! one poll loop.

mod connect;
mod copy;
mod holding;
mod jobs;
mod pump;
mod screen;
mod sink;

use std::os::fd::OwnedFd;

use elevate_protocol::escape;
use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::{EndReason, Status};
use nix::sys::signal::Signal;

use crate::elevate::request::Attach;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::signals::{FORWARDED, Signals};
use crate::terminal::Terminal;

/// How a session ended, as far as we can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// It was told.
    Told(Status, EndReason),
    /// It could not begin.
    Refused(Failure),
    /// This signal ended us while the session's terminal was held.
    Interrupted(i32),
    /// The leader went away without a word.
    Vanished,
}

/// Serve the session until it ends; how we end then.
pub fn run(
    stream: OwnedFd,
    attach: Attach,
    kinds: Three<Kind>,
    terminal: Option<Terminal>,
) -> Result<Exit, Failure> {
    let mut taken = FORWARDED.to_vec();
    taken.extend([Signal::SIGWINCH, Signal::SIGTSTP, Signal::SIGCONT]);
    let signals = Signals::take(&taken)?;
    let terminal = terminal.filter(|_| attach.terminal);
    let jobs = jobs::Jobs::new(terminal, kinds);
    let keyboard = jobs.terminal().is_none() || jobs.listening().is_some();
    if !keyboard {
        connect::without_keyboard(&stream)?;
    }
    let copies = connect::standard_streams(&stream, attach.routes)?;
    // The terminal is put back, and the stream closed, before anything is said.
    let end = pump::Pump::new(stream, signals, (jobs, keyboard), copies).run()?;
    conclude(end)
}

fn conclude(end: End) -> Result<Exit, Failure> {
    match end {
        End::Told(status, reason) => {
            if let Some(why) = explanation(&reason) {
                Failure::new(why).report("elevate");
            }
            Ok(match status {
                Status::Exited(status) => Exit::Status(status),
                Status::Signaled(signal) => Exit::Signal(signal),
            })
        }
        End::Refused(failure) => Err(failure),
        End::Interrupted(signal) => Ok(Exit::Signal(signal)),
        End::Vanished => Err(Failure::new(
            "the session's supervisor went away; everything that ran in it is ended",
        )
        .hint("an admin finds out why with: journalctl SYSLOG_IDENTIFIER=elevate")),
    }
}

/// What the command's own end doesn't explain.
pub(crate) fn explanation(reason: &EndReason) -> Option<String> {
    let why = match reason {
        EndReason::Finished => return None,
        EndReason::Deadline => "its time was over".to_owned(),
        EndReason::Revoked { by } => format!("{} revoked it", escape::line(by.as_bytes())),
        EndReason::Idle => "nobody gave a code while its terminal was held".to_owned(),
        EndReason::Unwatched => "nobody watched it any more".to_owned(),
        EndReason::ClientGone => "this end of the session went away".to_owned(),
        EndReason::DaemonGone => "elevated stopped".to_owned(),
        EndReason::RecordingFailed => "the session could not be recorded".to_owned(),
        EndReason::LeaderGone => "the session's supervisor went away".to_owned(),
        EndReason::Reboot => "the machine went down".to_owned(),
    };
    Some(format!("the grant ended: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_was_not_the_commands_own_is_explained() {
        assert_eq!(explanation(&EndReason::Finished), None);
        let by = "ev\x1bil".to_owned();
        let why = explanation(&EndReason::Revoked { by }).unwrap();
        assert_eq!(why, "the grant ended: ev\\x1bil revoked it");
    }
}
