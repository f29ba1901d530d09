//! What a session does as its time goes by.

use elevate_protocol::stream::{EndReason, ToClient};
use rustix::process::{Signal, kill_process};

use super::{Session, Stage};
use crate::leader::failure::{Doing, Failure};
use crate::leader::schedule::{Due, spoken};
use crate::leader::timer;

impl Session {
    /// Do what is due, and set the timer to what comes next.
    pub(super) fn hear_timer(&mut self) -> Result<(), Failure> {
        while let Some(due) = self.schedule.take(timer::now()) {
            match due {
                Due::Warning { left } => self.warn(left),
                Due::Grace => self.ask_to_end(),
                Due::End => self.end(EndReason::Deadline)?,
                Due::Hold => self.hold(),
                Due::GiveUp => self.end(EndReason::Idle)?,
            }
        }
        self.set_timer()
    }

    /// To be called where what comes next may come earlier than before.
    pub(super) fn set_timer(&mut self) -> Result<(), Failure> {
        let next = self.schedule.next();
        self.timer.set(next).doing("set the timer")
    }

    /// The session may last longer.
    pub(super) fn extend(&mut self, deadline: u64) -> Result<(), Failure> {
        let now = timer::now();
        if !self.schedule.extend(deadline, now) {
            return Ok(());
        }
        if self.reason == EndReason::Deadline && matches!(self.stage, Stage::Running) {
            // What was asked to end need not any more.
            self.reason = EndReason::Finished;
        }
        let left = spoken(self.schedule.left(now));
        self.tell(format!("the session is extended: it ends in {left}"));
        self.set_timer()
    }

    fn warn(&mut self, left: u64) {
        let (left, id) = (spoken(left), self.id);
        self.tell(format!(
            "the session ends in {left}; to go on for longer: elevatectl extend {id}"
        ));
    }

    /// Have the whole tree end by itself while there is time.
    fn ask_to_end(&mut self) {
        if !matches!(self.stage, Stage::Running) {
            return;
        }
        let left = spoken(self.schedule.left(timer::now()));
        self.tell(format!(
            "the session's time is over: everything in it is asked to end, and is killed in {left}"
        ));
        self.reason = EndReason::Deadline;
        self.send_to_all(Signal::TERM);
    }

    /// Signal every process of the tree, those that are stopped too.
    pub(super) fn send_to_all(&self, signal: Signal) {
        for pid in self.tree.iter().flat_map(|tree| tree.processes()) {
            let _ = kill_process(pid, signal);
            let _ = kill_process(pid, Signal::CONT);
        }
    }

    /// A line for the person.
    pub(super) fn tell(&mut self, text: String) {
        self.client.say(&ToClient::Notice { text });
    }
}
