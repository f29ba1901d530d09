//! One stream that we copy between a descriptor of the user's and a pipe of ours.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// How much is moved after a poll(2): what is certain not to block a pipe that is ready.
pub(super) const CHUNK: usize = 4096;

/// One side of a copy.
#[derive(Debug)]
pub(super) enum End {
    /// The user's: a blocking descriptor that others may share.
    Own(BorrowedFd<'static>),
    /// Ours: non-blocking.
    Pipe(OwnedFd),
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            End::Own(descriptor) => *descriptor,
            End::Pipe(descriptor) => descriptor.as_fd(),
        }
    }
}

/// A copy in one direction, until its source ends or its target is closed.
#[derive(Debug)]
pub(super) struct Copy {
    ends: Option<(End, End)>,
    buffer: Vec<u8>,
}

impl Copy {
    pub(super) fn new(from: End, to: End) -> Copy {
        Copy {
            ends: Some((from, to)),
            buffer: Vec::new(),
        }
    }

    /// What to wait for.
    pub(super) fn interest(&self) -> Vec<PollFd<'_>> {
        match &self.ends {
            None => Vec::new(),
            // A target that nobody reads any more shows even while there is nothing to write.
            Some((from, to)) if self.buffer.is_empty() => vec![
                PollFd::new(from, PollFlags::IN),
                PollFd::new(to, PollFlags::empty()),
            ],
            Some((_, to)) => vec![PollFd::new(to, PollFlags::OUT)],
        }
    }

    /// Move what can be moved, after a poll said so for `ready`, one of [`Copy::interest`].
    pub(super) fn step(&mut self, ready: usize) {
        let Some((from, to)) = &self.ends else { return };
        let result = match (self.buffer.is_empty(), ready) {
            (true, 0) => fill(from, &mut self.buffer),
            (true, _) => Err(Errno::PIPE),
            (false, _) => empty(to, &mut self.buffer),
        };
        if matches!(result, Err(error) if error != Errno::AGAIN && error != Errno::INTR) {
            // Closing our end tells the command, as closing the user's would.
            self.ends = None;
            self.buffer.clear();
        }
    }

    /// Copy what is still in a pipe that nobody writes to any more.
    pub(super) fn finish(&mut self) {
        if !matches!(self.ends, Some((End::Pipe(_), _))) {
            return;
        }
        while let Some((from, to)) = &self.ends {
            let target = &mut [PollFd::new(to, PollFlags::OUT)];
            if !self.buffer.is_empty() && poll(target, None).is_err() {
                continue;
            }
            // An empty pipe that somebody still holds open has nothing more that is ours.
            if self.buffer.is_empty() && fill(from, &mut self.buffer).is_err() {
                return;
            }
            if !self.buffer.is_empty() {
                self.step(0);
            }
        }
    }
}

fn fill(from: &End, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    let mut chunk = [0; CHUNK];
    match rustix::io::read(from, &mut chunk)? {
        // The end of the source.
        0 => Err(Errno::PIPE),
        count => {
            buffer.extend_from_slice(&chunk[..count]);
            Ok(())
        }
    }
}

fn empty(to: &End, buffer: &mut Vec<u8>) -> Result<(), Errno> {
    let count = rustix::io::write(to, buffer)?;
    buffer.drain(..count);
    Ok(())
}
