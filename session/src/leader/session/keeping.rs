//! What of a session is put on record, and what happens where it can't be.

use std::io;
use std::time::Instant;

use elevate_protocol::recording::Mark;
use elevate_protocol::stream::{EndReason, ToClient};
use rustix::process::{Signal, kill_process};

use super::{Session, Stage};
use crate::leader::recording::Recorder;
use crate::leader::terminal::Terminal;

impl Session {
    /// Write something into the recording, if there is one. A session that cannot be recorded is
    /// ended.
    pub(super) fn record(&mut self, write: impl FnOnce(&mut Recorder) -> io::Result<()>) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let outcome = write(recorder);
        self.recorded = recorder.bytes();
        if let Err(error) = outcome {
            self.recorder = None;
            self.cannot_record(&error);
        }
    }

    /// Note something beside what is shown.
    pub(super) fn mark(&mut self, mark: Mark) {
        self.record(|recorder| recorder.mark(mark));
    }

    /// Do what is due in the recording.
    pub(super) fn keep_recording(&mut self, now: Instant) {
        if (self.recorder.as_ref()).is_some_and(|recorder| recorder.is_to_settle(now)) {
            self.settle_typed();
        }
        self.record(|recorder| recorder.flush_if_due(now));
    }

    /// Somebody watches the recording from now on, or nobody.
    pub(super) fn watched(&mut self, yes: bool) {
        if let Some(recorder) = &mut self.recorder {
            recorder.watched(yes);
        }
    }

    /// Keep what was typed, if the terminal showed it.
    pub(super) fn settle_typed(&mut self) {
        let echo = self.terminal.as_ref().is_some_and(Terminal::echoes);
        self.record(|recorder| recorder.settle(echo));
    }

    /// Pass on what was typed: `bytes`, and what waits.
    pub(super) fn type_in(&mut self, bytes: &[u8]) {
        let (Some(terminal), recorder) = (&mut self.terminal, &mut self.recorder) else {
            return;
        };
        let mut kept = Ok(());
        terminal.type_in(bytes, |passed, echo| {
            if let (Some(recorder), Ok(())) = (recorder.as_mut(), &kept) {
                kept = recorder.typed(passed, echo);
            }
        });
        self.record(|_| kept);
    }

    /// What must be recorded can't be: it ends, and the person hears why.
    pub(super) fn cannot_record(&mut self, error: &io::Error) {
        eprintln!("session {}: cannot record: {error}", self.id);
        let text = format!("this session can't be recorded any more, and ends: {error}");
        self.client.say(&ToClient::Notice { text });
        match self.stage {
            Stage::Running | Stage::HangingUp { .. } => {
                self.reason = EndReason::RecordingFailed;
                // The tree is killed at the end of this turn, not from amid what is done now.
                self.stage = Stage::Killing;
            }
            Stage::Waiting { .. } | Stage::Released => {
                self.reason = EndReason::RecordingFailed;
                // Its end is heard of, and this reason given.
                let _ = kill_process(self.command, Signal::KILL);
            }
            _ => self.reason = EndReason::RecordingFailed,
        }
    }
}
