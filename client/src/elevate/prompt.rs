//! Asking the person for a line.

use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd};

use elevate_protocol::limits;
use rustix::event::{PollFd, PollFlags, poll};

use crate::failure::Failure;
use crate::terminal::Terminal;

/// Ask `question` on the terminal, in its own line mode: nothing of it is changed, so nothing can
/// be left changed. Ends without an answer when `stream` has something to say, such as that the
/// time for it is over.
pub(super) fn line(
    terminal: &Terminal,
    question: &str,
    stream: BorrowedFd<'_>,
) -> Result<Option<String>, Failure> {
    let mut device = &std::fs::File::from(terminal.as_fd().try_clone_to_owned()?);
    write!(device, "{question}")?;
    loop {
        let mut waiting = [
            PollFd::new(terminal, PollFlags::IN),
            PollFd::from_borrowed_fd(stream, PollFlags::IN),
        ];
        match poll(&mut waiting, None) {
            Err(rustix::io::Errno::INTR) => continue,
            other => other?,
        };
        if !waiting[1].revents().is_empty() {
            writeln!(device)?;
            return Ok(None);
        }
        // A line holds at most 4095 bytes (termios(3)).
        let mut typed = [0; 4096];
        match rustix::io::read(terminal, &mut typed) {
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(count) => return answer(&typed[..count]).map(Some),
        }
    }
}

fn answer(typed: &[u8]) -> Result<String, Failure> {
    let text = String::from_utf8_lossy(typed).trim().to_owned();
    if text.is_empty() {
        return Err(Failure::new("no reason was given; nothing was run"));
    }
    if text.len() > limits::REASON_BYTES {
        let limit = limits::REASON_BYTES;
        return Err(Failure::new(format!("a reason has at most {limit} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_endless_reason_is_none() {
        assert_eq!(answer(b" restart \n").unwrap(), "restart");
        assert!(answer(b"").is_err());
        assert!(answer(b" \n").is_err());
        assert!(answer(&[b'x'; limits::REASON_BYTES + 1]).is_err());
    }
}
