//! Answers by a program of the person's, which asks in its own way.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use elevate_protocol::escape;
use rustix::process::{Pid, Signal, kill_process};
use zeroize::Zeroizing;

use super::{Broken, Question, input};
use crate::failure::Failure;
use crate::signals::Signals;

/// Start `program` with the question as its one argument, and take the first line that it writes.
/// It runs as the person themselves, like everything of ours here.
pub(super) fn ask(
    program: &Path,
    question: &Question<'_>,
    stream: BorrowedFd<'_>,
    signals: &mut Signals,
) -> Result<Option<Zeroizing<Vec<u8>>>, Broken> {
    let mut command = Command::new(program);
    // Standard input is the command's.
    command.arg(question.text).stdin(Stdio::null());
    let started = signals.with_all_default(|| command.stdout(Stdio::piped()).spawn());
    let mut asking = started.map_err(|error| {
        let program = escape::line(program.as_os_str().as_bytes());
        Failure::new(format!("cannot run {program}: {error}"))
            .hint("ELEVATE_ASKPASS, or SUDO_ASKPASS, names the program of -A by its path")
    })?;
    let Some(output) = asking.stdout.take() else {
        return Ok(None);
    };
    let line = input::line(output.as_fd(), stream, signals);
    if !matches!(line, Ok(Some(_))) {
        end(&asking);
    }
    line
}

/// Nobody waits for its answer any more. It may have a terminal to put back, and so it is asked.
fn end(asking: &Child) {
    if let Some(pid) = i32::try_from(asking.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
}
