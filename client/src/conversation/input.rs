//! Answers by lines of standard input.

use std::io::Write as _;
use std::os::fd::{AsFd as _, BorrowedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, Termios};
use zeroize::Zeroizing;

use super::{Broken, Question};
use crate::signals::Signals;

/// A line holds at most 4095 bytes (termios(3)), wherever it comes from.
pub(super) const LINE_BYTES: usize = 4096;

/// Ask on standard error, and take the next line of standard input.
pub(super) fn ask(
    question: &Question<'_>,
    stream: BorrowedFd<'_>,
    signals: &mut Signals,
) -> Result<Option<Zeroizing<Vec<u8>>>, Broken> {
    let input = rustix::stdio::stdin();
    let silence = question.hidden.then(|| Silence::begin(input)).flatten();
    let _ = write!(std::io::stderr(), "{}", question.text);
    let line = line(input, stream, signals);
    // What is typed leaves no line end where it isn't shown, or isn't typed at all.
    if silence.is_some() || line.as_ref().is_ok_and(Option::is_none) {
        let _ = writeln!(std::io::stderr());
    }
    line
}

/// The next line of `from`, or what is there before its end; none where `stream` has something to
/// say first. It is read byte by byte: what follows is the command's.
pub(super) fn line(
    from: BorrowedFd<'_>,
    stream: BorrowedFd<'_>,
    signals: &mut Signals,
) -> Result<Option<Zeroizing<Vec<u8>>>, Broken> {
    // With all of its room from the start, it leaves no copy behind where it grew.
    let mut line = Zeroizing::new(Vec::with_capacity(LINE_BYTES));
    while line.len() < LINE_BYTES {
        let mut waiting = [
            PollFd::from_borrowed_fd(from, PollFlags::IN),
            PollFd::from_borrowed_fd(stream, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
        ];
        match poll(&mut waiting, None) {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        let [typed, said, _] = waiting.map(|descriptor| !descriptor.revents().is_empty());
        if let Some(signal) = signals.arrived() {
            return Err(Broken::Interrupted(signal as i32));
        }
        if said {
            return Ok(None);
        }
        let mut byte = [0];
        match typed.then(|| rustix::io::read(from, &mut byte)) {
            None | Some(Err(Errno::AGAIN | Errno::INTR)) => {}
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(0)) => break,
            Some(Ok(_)) if byte == *b"\n" => break,
            Some(Ok(_)) => line.push(byte[0]),
        }
    }
    Ok(Some(line))
}

/// While it lives, a terminal that isn't our own shows nothing of what is typed there.
struct Silence<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> Silence<'a> {
    /// None where `input` is no terminal.
    fn begin(input: BorrowedFd<'a>) -> Option<Silence<'a>> {
        let before = rustix::termios::tcgetattr(input).ok()?;
        let mut silent = before.clone();
        silent
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL);
        let how = OptionalActions::Flush;
        rustix::termios::tcsetattr(input, how, &silent).ok()?;
        Some(Silence {
            terminal: input,
            before,
        })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        let how = OptionalActions::Flush;
        let _ = rustix::termios::tcsetattr(self.terminal.as_fd(), how, &self.before);
    }
}
