//! Connecting our standard descriptors with the command's.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::message;
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stdio::{Route, Three};
use elevate_protocol::stream::ToServer;
use rustix::fs::OFlags;
use rustix::pipe::{PipeFlags, pipe_with};

use super::copy::{Copy, End};
use crate::failure::Failure;

/// What is handed over for one stream.
enum Handed {
    Own(BorrowedFd<'static>),
    Pipe(OwnedFd),
}

/// Hand over one descriptor for each stream that wants one; the copies that are ours to make.
pub(super) fn standard_streams(
    stream: &OwnedFd,
    routes: Three<Route>,
) -> Result<Vec<Copy>, Failure> {
    let (mut handed, mut copies) = (Vec::new(), Vec::new());
    for (number, route) in routes.into_iter().enumerate() {
        match route {
            Route::Pass => handed.push(Handed::Own(standard(number))),
            Route::Pump => {
                let (theirs, copy) = pump(number)?;
                handed.push(Handed::Pipe(theirs));
                copies.push(copy);
            }
            // Nobody can carry standard input: the protocol has no channel for it.
            Route::Carry | Route::Terminal | Route::Null | Route::Log => {}
        }
    }
    let descriptors: Vec<BorrowedFd<'_>> = handed
        .iter()
        .map(|handed| match handed {
            Handed::Own(descriptor) => *descriptor,
            Handed::Pipe(end) => end.as_fd(),
        })
        .collect();
    say(stream, &ToServer::Stdio, &descriptors)?;
    Ok(copies)
}

/// Before anything runs: the command is not to read the terminal yet.
pub(super) fn without_keyboard(stream: &OwnedFd) -> Result<(), Failure> {
    say(stream, &ToServer::Keyboard { given: false }, &[])
}

fn say(
    stream: &OwnedFd,
    message: &ToServer,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), Failure> {
    match seqpacket::send(stream, &message::encode(message), descriptors, Wait::Yes) {
        // What the leader said before it went is still to be read.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

fn pump(number: usize) -> Result<(OwnedFd, Copy), Failure> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (theirs, ours) = if number == 0 {
        (read, write)
    } else {
        (write, read)
    };
    // Each end of a pipe has flags of its own: the command's stays a blocking one.
    rustix::fs::fcntl_setfl(&ours, OFlags::NONBLOCK)?;
    let (ours, own) = (End::Pipe(ours), End::Own(standard(number)));
    let copy = match number {
        0 => Copy::new(own, ours),
        _ => Copy::new(ours, own),
    };
    Ok((theirs, copy))
}

fn standard(number: usize) -> BorrowedFd<'static> {
    match number {
        0 => rustix::stdio::stdin(),
        1 => rustix::stdio::stdout(),
        _ => rustix::stdio::stderr(),
    }
}
