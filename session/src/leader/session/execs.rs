//! Execs below the command: each is on record before it goes on.

use std::io;
use std::time::Instant;

use elevate_protocol::launch::{Exec, FromLeader};
use elevate_protocol::recording::Mark;
use elevate_protocol::stream::{EndReason, ToClient};

use super::{Session, Stage};
use crate::leader::execs::Heard;
use crate::leader::failure::Failure;

impl Session {
    /// A process is about to execute something.
    pub(super) fn hear_exec(&mut self) -> Result<(), Failure> {
        let Some(execs) = self.execs.as_mut().filter(|execs| execs.is_heard()) else {
            return Ok(());
        };
        match execs.hear() {
            Ok(Heard::Nothing) => Ok(()),
            Ok(Heard::Listener(name)) => {
                self.explain_listener(&name);
                Ok(())
            }
            Ok(Heard::Exec(exec, failed)) => {
                self.report_failed(failed);
                self.report(*exec)
            }
            Err(error) => self.cannot_report(&error),
        }
    }

    /// Nobody is left who could execute anything. The listener would say so at every look until the
    /// kernel tells of the last one's end, and keep a processor from them meanwhile.
    pub(super) fn forget_listener(&mut self) {
        if let Some(execs) = &mut self.execs {
            execs.desert();
        }
    }

    fn report(&mut self, exec: Exec) -> Result<(), Failure> {
        self.mark(Mark::Exec((&exec).into()));
        self.control.say(&FromLeader::Exec(exec));
        self.let_exec_go()
    }

    /// Answer the exec that waits, if its record was handed over.
    pub(super) fn let_exec_go(&mut self) -> Result<(), Failure> {
        // What could not be recorded is about to be killed.
        let killed = matches!(self.stage, Stage::Killing);
        let Some(execs) = &mut self.execs else {
            return Ok(());
        };
        if killed || self.control.has_waiting() {
            return Ok(());
        }
        match execs.let_go() {
            Ok(()) => Ok(()),
            Err(error) => self.cannot_report(&error),
        }
    }

    /// Say which execs failed, where that is seen by now.
    pub(super) fn look_at_execs(&mut self, now: Instant) {
        let failed = self.execs.as_mut().map(|execs| execs.failed(now));
        self.report_failed(failed.unwrap_or_default());
    }

    fn report_failed(&mut self, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.mark(Mark::ExecFailed { number });
            self.control.say(&FromLeader::ExecFailed { number });
        }
    }

    /// The kernel only says EBUSY, which nobody understands.
    fn explain_listener(&mut self, name: &str) {
        if std::mem::replace(&mut self.listener_explained, true) {
            return;
        }
        let text = format!(
            "{name} asks for a seccomp listener of its own and can't have one (EBUSY): this session \
             logs execs, and the kernel allows no second listener; a rule with execs = \"none\" \
             has none"
        );
        self.client.say(&ToClient::Notice { text });
    }

    fn cannot_report(&mut self, error: &io::Error) -> Result<(), Failure> {
        eprintln!("session {}: cannot report execs: {error}", self.id);
        self.end(EndReason::RecordingFailed)
    }
}
