//! Reporting execs: each waits until its record was handed over.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::Bytes;
use elevate_protocol::launch::{Exec, FromLeader};
use elevate_protocol::limits::EXECS_PER_SESSION;
use rustix::fs::{CWD, readlinkat};

use super::control::Control;
use super::exec_record::{Call, Memory, record};
use crate::sys::listener::{self, Notification};
use crate::sys::memory::read_process;

struct ProcessMemory(i32);

impl Memory for ProcessMemory {
    fn read(&self, address: u64, into: &mut [u8]) -> usize {
        read_process(self.0, address, into)
    }
}

/// The listener of a session's exec filter.
pub(super) struct ExecLog {
    listener: OwnedFd,
    /// An exec whose record waits to be handed over.
    held: Option<u64>,
    count: u64,
}

impl ExecLog {
    pub(super) fn new(listener: OwnedFd) -> ExecLog {
        ExecLog {
            listener,
            held: None,
            count: 0,
        }
    }

    pub(super) fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Execs reported.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether an exec waits for its record; the next is not heard before.
    pub(super) fn is_holding(&self) -> bool {
        self.held.is_some()
    }

    /// Hear of one exec and report it. Fails when no more may be reported.
    pub(super) fn hear(&mut self, control: &mut Control) -> io::Result<()> {
        if self.is_holding() {
            return Ok(());
        }
        let Some(notification) = listener::receive(self.listener())? else {
            return Ok(());
        };
        let mut exec = describe(&notification);
        if !listener::still_waits(self.listener(), notification.id) {
            // Killed meanwhile: nothing is executed, and what was read may be another process's.
            return Ok(());
        }
        if self.count == EXECS_PER_SESSION {
            return Err(io::Error::other("too many execs"));
        }
        self.count += 1;
        exec.number = self.count;
        self.held = Some(notification.id);
        control.say(&FromLeader::Exec(exec));
        self.let_go(control)
    }

    /// Let the held exec go on if its record was handed over.
    pub(super) fn let_go(&mut self, control: &Control) -> io::Result<()> {
        match self.held {
            Some(id) if !control.has_waiting() => {
                self.held = None;
                listener::go_on(self.listener(), id)
            }
            _ => Ok(()),
        }
    }
}

fn describe(notification: &Notification) -> Exec {
    let pid = notification.pid as i32;
    let call = Call {
        arch: notification.arch,
        number: notification.number,
        arguments: notification.arguments,
    };
    record(&call, &ProcessMemory(pid), pid, working_directory(pid))
}

fn working_directory(pid: i32) -> Bytes {
    let path = readlinkat(CWD, format!("/proc/{pid}/cwd"), Vec::new());
    Bytes(path.map(|path| path.into_bytes()).unwrap_or_default())
}
