//! Bytes on their way from the stream to the user.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::copy::CHUNK;

/// What is still to be written to one descriptor.
#[derive(Debug, Default)]
pub(super) struct Sink {
    bytes: Vec<u8>,
    written: usize,
    gone: bool,
}

impl Sink {
    /// Write `bytes` next. They are dropped if nobody reads them any more.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if !self.gone {
            self.bytes.extend_from_slice(bytes);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether a write failed, so that nothing more can be shown there.
    pub(super) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Write to a blocking descriptor that a poll(2) found ready.
    pub(super) fn write_some(&mut self, to: BorrowedFd<'_>) {
        self.write(to, CHUNK);
    }

    /// Write to a non-blocking descriptor as much as it takes.
    pub(super) fn write_all(&mut self, to: BorrowedFd<'_>) {
        while self.write(to, usize::MAX) {}
    }

    /// Whether to go on.
    fn write(&mut self, to: BorrowedFd<'_>, limit: usize) -> bool {
        let rest = &self.bytes[self.written..];
        let rest = &rest[..rest.len().min(limit)];
        match rustix::io::write(to, rest) {
            Ok(count) => self.written += count,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return false,
            Err(_) => self.gone = true,
        }
        if self.gone || self.written == self.bytes.len() {
            self.bytes.clear();
            self.written = 0;
        }
        !self.is_idle()
    }
}
