//! How a session ends: its tree is killed, what it left is passed on, and both sides are told.

use std::time::{Duration, Instant};

use elevate_protocol::ErrorName;
use elevate_protocol::launch::FromLeader;
use elevate_protocol::recording::Mark;
use elevate_protocol::stream::{EndReason, Status, ToClient};
use rustix::process::{Signal, WaitOptions, kill_process, waitpid};

use super::hearing::ended;
use super::{Session, Stage};
use crate::leader::failure::Failure;
use crate::leader::recording::Recorder;
use crate::leader::timer;

/// How long a client may take to read the last output of a session whose time is over.
const DELIVERY_TIME: Duration = Duration::from_secs(10);
/// How long a tree has to end by itself when its client is gone.
const HANG_UP_TIME: Duration = Duration::from_secs(2);

impl Session {
    /// The session is to end because of `reason`. Fails if nothing was executed yet.
    pub(super) fn end(&mut self, reason: EndReason) -> Result<(), Failure> {
        if matches!(self.stage, Stage::Released) {
            // The news that it was executed may be waiting.
            self.hear_link()?;
        }
        match self.stage {
            Stage::Waiting { .. } | Stage::Released => Err(not_begun(&reason)),
            Stage::Running => {
                self.kill(reason);
                Ok(())
            }
            Stage::HangingUp { .. } => {
                // The client went first; that the tree then ended is no other reason.
                let reason = match reason {
                    EndReason::Finished => EndReason::ClientGone,
                    other => other,
                };
                self.kill(reason);
                Ok(())
            }
            Stage::Killing | Stage::Over => Ok(()),
            Stage::Delivering { until } => {
                // Only a client that doesn't read keeps this session.
                let latest = Instant::now() + DELIVERY_TIME;
                let until = Some(until.unwrap_or(latest));
                self.stage = Stage::Delivering { until };
                Ok(())
            }
        }
    }

    /// End every process of the session, now.
    pub(super) fn kill(&mut self, reason: EndReason) {
        if reason != EndReason::Finished {
            self.mark(Mark::end(&reason));
        }
        if !matches!(self.stage, Stage::Killing) {
            self.reason = reason;
            self.stage = Stage::Killing;
        }
        self.look_at_tree();
    }

    /// The client went away: tell the tree as a terminal that hangs up would, and give it a moment.
    pub(super) fn lose_client(&mut self) -> Result<(), Failure> {
        self.client.give_up();
        match self.stage {
            Stage::Waiting { .. } | Stage::Released => self.end(EndReason::ClientGone),
            Stage::Running => {
                self.settle_typed();
                self.terminal = None;
                self.send_to_all(Signal::HUP);
                self.stage = Stage::HangingUp {
                    until: Instant::now() + HANG_UP_TIME,
                };
                Ok(())
            }
            Stage::Delivering { .. } => {
                self.deliver();
                Ok(())
            }
            Stage::HangingUp { .. } | Stage::Killing | Stage::Over => Ok(()),
        }
    }

    /// What is due without anything having happened.
    pub(super) fn attend_to_time(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        self.keep_recording(now);
        self.look_at_execs(now);
        match self.stage {
            Stage::Waiting { until, .. } if until <= now => {
                return Err(Failure::new(
                    ErrorName::TimedOut,
                    "the command could not begin in time",
                ));
            }
            Stage::Running if self.scope_due.is_some_and(|due| due <= now) => {
                self.kill(EndReason::Revoked {
                    by: "elevate (systemd made no scope)".into(),
                });
            }
            Stage::HangingUp { until } if until <= now => self.kill(EndReason::ClientGone),
            Stage::Killing => self.look_at_tree(),
            Stage::Delivering { until } => {
                if until.is_some_and(|until| until <= now) {
                    self.client.give_up();
                }
                self.deliver();
            }
            _ => {}
        }
        Ok(())
    }

    /// Is the tree gone? If not, kill what is left of it.
    pub(super) fn look_at_tree(&mut self) {
        let (Stage::Killing, Some(tree)) = (&self.stage, &self.tree) else {
            return;
        };
        if !tree.is_empty() {
            if let Err(error) = tree.kill() {
                eprintln!("session {}: cannot kill its tree: {error}", self.id);
            }
            if !tree.is_empty() {
                return;
            }
        }
        self.reap();
        if let Some(execs) = self.execs.take() {
            self.exec_count = execs.count();
        }
        self.show_the_rest();
        self.finish_recording();
        let late = self.reason != EndReason::Finished || self.schedule.is_over(timer::now());
        self.stage = Stage::Delivering {
            until: late.then(|| Instant::now() + DELIVERY_TIME),
        };
        self.deliver();
    }

    /// Take every child's status; the command's is the session's.
    fn reap(&mut self) {
        if self.status.is_none() {
            // It isn't in its cgroup any more, so that it has ended and this doesn't wait, unless
            // it moved itself out, which only root can: then it is not waited for.
            let status = waitpid(Some(self.command), WaitOptions::NOHANG);
            self.status = status.ok().flatten().and_then(|(_, status)| ended(status));
        }
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
    }

    fn finish_recording(&mut self) {
        let status = match self.status() {
            Status::Exited(code) => code.to_string(),
            Status::Signaled(signal) => (128 + signal).to_string(),
        };
        self.settle_typed();
        if let Some(recorder) = self.recorder.take() {
            self.recorded = recorder.bytes();
            if let Err(error) = recorder.finish(&status) {
                eprintln!("session {}: cannot finish the recording: {error}", self.id);
                self.reason = EndReason::RecordingFailed;
            }
        }
    }

    fn status(&self) -> Status {
        self.status
            .unwrap_or(Status::Signaled(Signal::KILL.as_raw()))
    }

    /// Tell both how it ended once the client has taken all output.
    fn deliver(&mut self) {
        self.client.flush();
        if !self.told && !self.client.has_waiting() {
            self.told = true;
            let (status, reason) = (self.status(), self.reason.clone());
            // First who keeps the books: whoever waits for the client may look at them next.
            self.control.say(&FromLeader::Ended {
                status,
                reason: reason.clone(),
                recorded: self.recorded,
                execs: self.exec_count,
            });
            self.client.say(&ToClient::Ended { status, reason });
        }
        if self.told && !self.client.has_waiting() {
            self.stage = Stage::Over;
            // The client goes on as soon as its stream closes; what is left to do is ours alone.
            self.client.give_up();
        }
    }

    /// Nothing was executed, and nothing will be.
    pub(super) fn abandon(&mut self, failure: Failure) {
        self.link = None;
        let _ = kill_process(self.command, Signal::KILL);
        if let Some(Err(error)) = self.tree.as_ref().map(|tree| tree.kill()) {
            eprintln!("session {}: cannot kill its tree: {error}", self.id);
        }
        if self.recorder.take().is_some() {
            Recorder::discard(self.id);
        }
        failure.tell(self.id, &mut self.control, &mut self.client);
        self.client.give_up();
    }
}

/// What is said where a session ends before its command began.
fn not_begun(reason: &EndReason) -> Failure {
    let (error, message) = match reason {
        EndReason::Deadline => (
            ErrorName::TimedOut,
            "the time was over before the command began",
        ),
        EndReason::ClientGone => (ErrorName::Withdrawn, "the client went away"),
        EndReason::Revoked { .. } => (ErrorName::Denied, "revoked before the command began"),
        EndReason::RecordingFailed => (ErrorName::Failed, "the session cannot be recorded"),
        _ => (
            ErrorName::Failed,
            "the command's process ended before it began",
        ),
    };
    Failure::new(error, message)
}
