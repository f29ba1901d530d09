//! Reporting execs: each waits until its record was handed over.

mod call;
mod outcome;
mod process;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use elevate_protocol::escape;
use elevate_protocol::launch::{Exec, Execs};
use elevate_protocol::limits::EXECS_PER_SESSION;

use self::call::{Call, Memory, convention};
use self::outcome::Attempts;
use self::process::Process;
use crate::sys::listener::{self, Answer, Notification};
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
    /// Whether only the first exec passes.
    deny: bool,
    /// An exec whose record waits to be handed over.
    held: Option<(u64, Answer)>,
    /// Whether nobody is left under the filter.
    deserted: bool,
    count: u64,
    attempts: Attempts,
}

/// What is heard of a process.
pub(super) enum Heard {
    /// Nothing: it died.
    Nothing,
    /// It is about to execute something, and waits; the exec of this number before it failed.
    Exec(Box<Exec>, Option<u64>),
    /// The program of this name asked for a listener of its own, escaped. It goes on, and the kernel
    /// refuses it: there is only one.
    Listener(String),
}

impl ExecLog {
    /// The log at `listener`, with `execs` as the rule says.
    pub(super) fn new(listener: OwnedFd, execs: Execs) -> ExecLog {
        listener::run_in_turn(listener.as_fd());
        ExecLog {
            listener,
            deny: execs == Execs::Deny,
            held: None,
            deserted: false,
            count: 0,
            attempts: Attempts::default(),
        }
    }

    pub(super) fn listener(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }

    /// Execs reported.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether the next exec is heard: not while one waits for its record.
    pub(super) fn is_heard(&self) -> bool {
        self.held.is_none() && !self.deserted
    }

    /// Nobody is left under the filter, and so nobody will be.
    pub(super) fn desert(&mut self) {
        self.deserted = true;
    }

    /// Hear of one process. Fails when no more execs may be reported.
    pub(super) fn hear(&mut self) -> io::Result<Heard> {
        let Some(notification) = listener::receive(self.listener())? else {
            return Ok(Heard::Nothing);
        };
        let pid = notification.pid as i32;
        let call = Call {
            arch: notification.arch,
            number: notification.number,
            arguments: notification.arguments,
        };
        let heard = match Process::open(pid) {
            Ok(process) if asks_for_listener(&call) => {
                listener::answer(self.listener(), notification.id, Answer::GoOn)?;
                Heard::Listener(escape::line(&process.name()))
            }
            Ok(process) => self.describe(&call, &process, &notification)?,
            // It waits, and could not be looked at: for want of a descriptor, perhaps.
            Err(error) if listener::still_waits(self.listener(), notification.id) => {
                return Err(error);
            }
            Err(_) => Heard::Nothing,
        };
        Ok(heard)
    }

    fn describe(
        &mut self,
        call: &Call,
        process: &Process,
        notification: &Notification,
    ) -> io::Result<Heard> {
        let pid = notification.pid as i32;
        let asked = call::read(call, &ProcessMemory(pid));
        let cwd = process.cwd();
        let real = process.real(asked.descriptor, &asked.path, &cwd);
        let stat = process.stat();
        let uid = process.uid();
        if !listener::still_waits(self.listener(), notification.id) {
            // Killed meanwhile: nothing is executed, and what was read may be another process's.
            return Ok(Heard::Nothing);
        }
        if self.count == EXECS_PER_SESSION {
            return Err(io::Error::other("too many execs"));
        }
        self.count += 1;
        let denied = self.deny && self.count > 1;
        let answer = if denied { Answer::Denied } else { Answer::GoOn };
        self.held = Some((notification.id, answer));
        let failed = stat.filter(|_| !denied).and_then(|stat| {
            self.attempts
                .begin(process, stat, self.count, Instant::now())
        });
        let exec = Exec {
            number: self.count,
            pid,
            ppid: stat.map_or(0, |stat| stat.ppid),
            uid,
            compat: asked.compat,
            path: asked.shown_path(),
            real,
            argv: asked.argv,
            cut: asked.cut,
            cwd,
            denied,
        };
        Ok(Heard::Exec(Box::new(exec), failed))
    }

    /// Answer the held exec: its record was handed over.
    pub(super) fn let_go(&mut self) -> io::Result<()> {
        match self.held.take() {
            Some((id, answer)) => listener::answer(self.listener(), id, answer),
            None => Ok(()),
        }
    }

    /// When to look which execs failed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.attempts.due()
    }

    /// The numbers of execs that failed, where that is seen now.
    pub(super) fn failed(&mut self, now: Instant) -> Vec<u64> {
        self.attempts.look(now)
    }
}

fn asks_for_listener(call: &Call) -> bool {
    convention(call).is_some_and(|known| known.seccomp.contains(&call.number))
}
