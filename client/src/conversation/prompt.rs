//! Asking the person for a line, on their terminal.

use std::os::fd::{AsFd as _, BorrowedFd};

use elevate_protocol::Secret;
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::LocalModes;
use zeroize::Zeroizing;

use super::asking::Place;
use super::input::LINE_BYTES;
use super::{Broken, Question};
use crate::failure::Failure;
use crate::signals::Signals;
use crate::terminal::{Hidden, Terminal};

/// What stops a job and continues it. Between the two the terminal is the shell's, and in the end
/// it is as the shell left it.
const JOBS: [Signal; 2] = [Signal::SIGTSTP, Signal::SIGCONT];
/// How often to look what others made of the terminal meanwhile: nobody tells of that.
const LOOK_AGAIN: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

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
    /// Somebody had the terminal show again what is typed.
    Shown,
    /// Another command of the pipeline took the terminal for itself.
    Taken,
}

/// Ask `question` there. Ends without an answer when `stream` has something to say.
///
/// However it ends, the terminal is as it was before, and nothing that was typed and not answered
/// with is left in it: neither we nor the shell shows half a code. Where another command of the same
/// pipeline has taken the terminal, as pagers do, nothing is asked: it would read what is typed, and
/// show it.
pub(super) fn ask(
    place: Place<'_>,
    question: &Question<'_>,
    stream: BorrowedFd<'_>,
    signals: &mut Signals,
) -> Result<Option<Secret>, Broken> {
    let mut jobs = Signals::take(&JOBS)?;
    let terminal = place.terminal;
    loop {
        come_forward(terminal, &mut jobs)?;
        if place.shared && terminal.is_taken() {
            return Err(taken().into());
        }
        let event = {
            let _hidden = hide(terminal, question)?;
            // Whoever waited in the background for that was continued to get here. As news it would
            // have us ask anew, and forget what was typed meanwhile.
            forget(&mut jobs);
            show(place, question.text)?;
            next(place, question, stream, signals, &mut jobs)
        };
        match event {
            // What is typed leaves no line end where it isn't shown.
            Ok(Event::Line(_)) if !question.hidden => {}
            _ => show(place, "\n")?,
        }
        match event? {
            Event::Line(answer) => return Ok(Some(answer)),
            Event::Said => return Ok(None),
            Event::Fatal(signal) => return Err(Broken::Interrupted(signal)),
            Event::Taken => return Err(taken().into()),
            Event::Stop => stop(&mut jobs),
            Event::Continued | Event::Shown => {}
        }
    }
}

/// In the background the terminal belongs to somebody else: stop with the whole job, as whoever reads
/// it there does, until the shell brings us forward.
fn come_forward(terminal: &Terminal, jobs: &mut Signals) -> Result<(), Failure> {
    while !terminal.is_foreground() {
        forget(jobs);
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TTIN);
        let continued = std::iter::from_fn(|| jobs.arrived()).any(|s| s == Signal::SIGCONT);
        // No shell is there that could, or nobody wants us to stop (signal(7), SIG_IGN).
        if !continued && !terminal.is_foreground() {
            return Err(Failure::new("nothing can be asked in the background")
                .hint("run it in the foreground, or give a code first with: elevate -v"));
        }
    }
    Ok(())
}

fn taken() -> Failure {
    Failure::new("another command of the pipeline uses the terminal, and would read what is typed")
        .hint("answer first: give a code with elevate -v, a reason with --reason TEXT")
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

fn show(place: Place<'_>, text: &str) -> Result<(), Failure> {
    let to = match place.on_error {
        true => rustix::stdio::stderr(),
        false => place.terminal.as_fd(),
    };
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(to, rest) {
            Ok(count) => rest = &rest[count..],
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None)?;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn next(
    place: Place<'_>,
    question: &Question<'_>,
    stream: BorrowedFd<'_>,
    signals: &mut Signals,
    jobs: &mut Signals,
) -> Result<Event, Failure> {
    let terminal = place.terminal;
    loop {
        let mut waiting = [
            PollFd::new(terminal, PollFlags::IN),
            PollFd::from_borrowed_fd(stream, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
            PollFd::new(jobs, PollFlags::IN),
        ];
        match poll(&mut waiting, Some(&LOOK_AGAIN)) {
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
        if let Some(event) = disturbed(place, question) {
            return Ok(event);
        }
        if typed && let Some(line) = read(terminal)? {
            return question.answer(&line).map(Event::Line);
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

/// What somebody else made of the terminal while the question stood.
fn disturbed(place: Place<'_>, question: &Question<'_>) -> Option<Event> {
    if !place.terminal.is_foreground() {
        return None;
    }
    let modes = rustix::termios::tcgetattr(place.terminal).ok()?.local_modes;
    if place.shared && !modes.contains(LocalModes::ICANON) {
        // It is theirs now, and they put it back themselves.
        place.terminal.leave();
        return Some(Event::Taken);
    }
    let shown = question.hidden && modes.contains(LocalModes::ECHO);
    shown.then_some(Event::Shown)
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
