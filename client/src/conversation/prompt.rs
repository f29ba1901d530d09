//! Asking the person for a line.

use std::os::fd::BorrowedFd;

use elevate_protocol::Secret;
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::Broken;
use crate::failure::Failure;
use crate::signals::Signals;
use crate::terminal::{Hidden, Terminal};

/// What stops a job and continues it. Between the two the terminal is the shell's, and in the end
/// it is as the shell left it.
const JOBS: [Signal; 2] = [Signal::SIGTSTP, Signal::SIGCONT];
/// A line holds at most 4095 bytes (termios(3)).
const LINE_BYTES: usize = 4096;

/// What to ask for, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// As it is shown.
    pub(crate) text: &'a str,
    /// Whether nothing of what is typed may be shown.
    pub(crate) hidden: bool,
    /// Bytes of an answer at most.
    pub(crate) longest: usize,
    /// What is said where nothing is answered.
    pub(crate) missing: &'static str,
}

/// What came while the question stood.
enum Event {
    /// A line.
    Line(Secret),
    /// The daemon said something.
    Said,
    /// A signal to end by.
    Fatal(i32),
    /// Ctrl-Z.
    Stop,
    /// We were stopped, and were continued.
    Continued,
}

/// Ask `question` on the terminal. Ends without an answer when `stream` has something to say.
///
/// However it ends, the terminal is as it was before, and nothing that was typed and not answered
/// with is left in it: neither we nor the shell shows half a code.
pub(super) fn ask(
    terminal: &Terminal,
    question: &Question<'_>,
    stream: BorrowedFd<'_>,
    signals: &mut Signals,
) -> Result<Option<Secret>, Broken> {
    let mut jobs = Signals::take(&JOBS)?;
    loop {
        let event = {
            let _hidden = hide(terminal, question)?;
            // Whoever waited in the background for that was continued to get here. As news it would
            // have us ask anew, and forget what was typed meanwhile.
            forget(&mut jobs);
            show(terminal, question.text)?;
            next(terminal, question, stream, signals, &mut jobs)
        };
        match event {
            // What is typed leaves no line end where it isn't shown.
            Ok(Event::Line(_)) if !question.hidden => {}
            _ => show(terminal, "\n")?,
        }
        match event? {
            Event::Line(answer) => return Ok(Some(answer)),
            Event::Said => return Ok(None),
            Event::Fatal(signal) => return Err(Broken::Interrupted(signal)),
            Event::Stop => stop(&mut jobs),
            Event::Continued => {}
        }
    }
}

fn hide<'a>(
    terminal: &'a Terminal,
    question: &Question<'_>,
) -> Result<Option<Hidden<'a>>, Failure> {
    match question.hidden {
        true => Ok(Some(terminal.hide()?)),
        false => Ok(None),
    }
}

fn show(terminal: &Terminal, text: &str) -> Result<(), Failure> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(terminal, rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(terminal, PollFlags::OUT)], None)?;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn next(
    terminal: &Terminal,
    question: &Question<'_>,
    stream: BorrowedFd<'_>,
    signals: &mut Signals,
    jobs: &mut Signals,
) -> Result<Event, Failure> {
    loop {
        let mut waiting = [
            PollFd::new(terminal, PollFlags::IN),
            PollFd::from_borrowed_fd(stream, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
            PollFd::new(jobs, PollFlags::IN),
        ];
        match poll(&mut waiting, None) {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        let [typed, said, ..] = waiting.map(|descriptor| !descriptor.revents().is_empty());
        if let Some(signal) = signals.arrived() {
            return Ok(Event::Fatal(signal as i32));
        }
        match jobs.arrived() {
            Some(Signal::SIGTSTP) => return Ok(Event::Stop),
            Some(_) => return Ok(Event::Continued),
            None => {}
        }
        if said {
            return Ok(Event::Said);
        }
        if typed && let Some(line) = read(terminal)? {
            return answer(&line, question).map(Event::Line);
        }
    }
}

/// The line that was typed; none if there is none yet.
fn read(terminal: &Terminal) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    let mut line = Zeroizing::new(vec![0; LINE_BYTES]);
    match rustix::io::read(terminal, line.as_mut_slice()) {
        Ok(count) => {
            line.truncate(count);
            Ok(Some(line))
        }
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn answer(typed: &[u8], question: &Question<'_>) -> Result<Secret, Failure> {
    let text = Zeroizing::new(String::from_utf8_lossy(typed).into_owned());
    let text = text.trim();
    let longest = question.longest;
    if text.is_empty() {
        return Err(Failure::new(question.missing));
    }
    if text.len() > longest {
        let message = format!("an answer here has at most {longest} bytes");
        return Err(Failure::new(message));
    }
    Ok(Secret::from(text.to_owned()))
}

/// Stop with the whole job until the shell continues us. Returns at once where nobody could.
fn stop(jobs: &mut Signals) {
    jobs.with_default(Signal::SIGTSTP, || {
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    });
    // That we go on is no news any more.
    forget(jobs);
}

fn forget(jobs: &mut Signals) {
    while jobs.arrived().is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_endless_answer_is_none() {
        let question = Question {
            text: "Reason: ",
            hidden: false,
            longest: 20,
            missing: "no reason was given",
        };
        assert_eq!(
            answer(b" restart \n", &question).unwrap().reveal(),
            "restart"
        );
        for empty in [&b""[..], b" \n"] {
            let failure = answer(empty, &question).unwrap_err();
            assert_eq!(failure.message, "no reason was given");
        }
        let failure = answer(&[b'x'; 21], &question).unwrap_err();
        assert_eq!(failure.message, "an answer here has at most 20 bytes");
    }
}
