//! What `sftp-server` tells of the files that it passes: recorded, and told to `elevated`. The person
//! is shown none of it, as where nobody records.

use std::os::fd::{AsFd, BorrowedFd};

use elevate_protocol::escape;
use elevate_protocol::launch::FromLeader;
use elevate_protocol::seqpacket::{self, Packet, Wait};

use super::Session;
use crate::leader::sftp_log;

/// Bytes of a message; sftp-server's have no more than 1023.
const MOST: usize = 4096;
/// Messages before others get their turn.
const TURN: usize = 16;
/// More than a socket holds.
const MOST_WAITING: usize = 4096;

impl Session {
    /// The log, where it is to be read: who can't be told of more has the command wait, which says
    /// what it does before it does it.
    pub(super) fn log_to_hear(&self) -> Option<BorrowedFd<'_>> {
        let log = self.log.as_ref().map(AsFd::as_fd);
        log.filter(|_| !self.control.has_waiting())
    }

    pub(super) fn hear_log(&mut self) {
        for _ in 0..TURN {
            if self.control.has_waiting() || !self.hear_message() {
                return;
            }
        }
    }

    /// The tree is gone: what it said is still there.
    pub(super) fn hear_the_rest(&mut self) {
        for _ in 0..MOST_WAITING {
            if !self.hear_message() {
                break;
            }
        }
        self.log = None;
    }

    /// Whether there was a message.
    fn hear_message(&mut self) -> bool {
        let Some(log) = &self.log else {
            return false;
        };
        match seqpacket::receive(log, MOST, Wait::No) {
            Ok(Some(packet)) => {
                self.take_message(&packet);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => false,
            Ok(None) => {
                self.log = None;
                false
            }
            Err(error) => {
                self.log = None;
                self.cannot_record(&error);
                false
            }
        }
    }

    fn take_message(&mut self, packet: &Packet) {
        let sender = packet.credentials.map(|sender| sender.pid);
        if sender != Some(self.command.as_raw_pid()) {
            eprintln!(
                "session {}: process {sender:?} is not its log's own",
                self.id
            );
            return;
        }
        // A name may hold what looks like a message of its own, or steers a terminal.
        let text = packet.body.strip_suffix(b"\r\n").unwrap_or(&packet.body);
        let line = escape::line(text) + "\r\n";
        self.record(|recorder| recorder.output(line.as_bytes()));
        if let Some(transfer) = sftp_log::read(&packet.body) {
            self.control.say(&FromLeader::Transfer(transfer));
        }
    }
}
