//! What a session waits for.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Session, Stage};
use crate::leader::execs::ExecLog;
use crate::leader::failure::{Doing, Failure};
use crate::leader::recording::Recorder;

/// How soon to look again at a killed tree, should its cgroup not tell.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Something to attend to, in the order in which it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// Something is due.
    Timer,
    /// The command's process, before its exec.
    Link,
    /// `elevated` has something to say, or room for what we say.
    Control,
    /// The client has something to say, or room for what we say.
    Client,
    /// The client closed its end.
    ClientGone,
    /// The terminal shows something.
    Terminal,
    /// The terminal has room for what the user typed.
    Typed,
    /// A carried pipe holds something.
    Output(usize),
    /// The command tells of a file that it passes.
    Log,
    /// A process of the session is about to execute something: after what it showed before.
    Execs,
    /// Nobody is left under the exec filter.
    ExecsOver,
    /// A child changed its state, or we are to terminate.
    Signals,
    /// The killed tree changed.
    Tree,
}

/// One descriptor to be polled.
struct Interest<'a> {
    source: Source,
    descriptor: BorrowedFd<'a>,
    events: PollFlags,
}

impl Session {
    /// What happened, in the order in which it is to be attended to.
    pub(super) fn wait(&self) -> Result<Vec<Source>, Failure> {
        let interests = self.interests();
        let mut polled: Vec<PollFd<'_>> = interests
            .iter()
            .map(|interest| PollFd::from_borrowed_fd(interest.descriptor, interest.events))
            .collect();
        let timeout = self
            .timeout()
            .and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            other => return other.map(|_| Vec::new()).doing("wait"),
        }
        let mut sources = Vec::new();
        for (interest, polled) in interests.iter().zip(&polled) {
            collect(interest, polled.revents(), &mut sources);
        }
        sources.sort_unstable();
        Ok(sources)
    }

    fn interests(&self) -> Vec<Interest<'_>> {
        use std::os::fd::AsFd;
        let mut interests = Vec::with_capacity(10);
        let mut add = |source, descriptor, events| {
            interests.push(Interest {
                source,
                descriptor,
                events,
            });
        };
        add(Source::Timer, self.timer.as_fd(), PollFlags::IN);
        add(Source::Signals, self.signals.as_fd(), PollFlags::IN);
        if let Some(socket) = self.control.socket() {
            let events = with_out(PollFlags::IN, self.control.has_waiting());
            add(Source::Control, socket, events);
        }
        if let Some(link) = &self.link {
            add(Source::Link, link.as_fd(), PollFlags::IN);
        }
        if let Some(stream) = self.client.stream() {
            let full = self
                .terminal
                .as_ref()
                .is_some_and(|terminal| terminal.is_full());
            let hear = if full {
                PollFlags::empty()
            } else {
                PollFlags::IN
            };
            add(
                Source::Client,
                stream,
                with_out(hear, self.client.has_waiting()),
            );
        }
        if let Some(execs) = self.execs.as_ref().filter(|execs| execs.is_heard()) {
            add(Source::Execs, execs.listener(), PollFlags::IN);
        }
        if let Some(terminal) = &self.terminal {
            let show = if !self.may_show() {
                PollFlags::empty()
            } else {
                PollFlags::IN
            };
            add(
                Source::Terminal,
                terminal.master(),
                with_out(show, terminal.has_waiting()),
            );
        }
        if self.may_show() {
            for (place, output) in self.outputs.iter().enumerate() {
                add(Source::Output(place), output.pipe.as_fd(), PollFlags::IN);
            }
        }
        if let Some(log) = self.log_to_hear() {
            add(Source::Log, log, PollFlags::IN);
        }
        if let (Stage::Killing, Some(tree)) = (&self.stage, &self.tree) {
            add(Source::Tree, tree.events(), PollFlags::PRI);
        }
        interests
    }

    /// How long until something is to be done without anything having happened.
    fn timeout(&self) -> Option<Duration> {
        let now = Instant::now();
        let stage = match self.stage {
            Stage::Waiting { until, .. } | Stage::HangingUp { until } => Some(until),
            Stage::Running => self.scope_due,
            Stage::Delivering { until } => until,
            Stage::Killing => Some(now + LOOK_AGAIN),
            _ => None,
        };
        let recording = self.recorder.as_ref().and_then(Recorder::due);
        let execs = self.execs.as_ref().and_then(ExecLog::due);
        let next = [stage, recording, execs].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now))
    }
}

fn with_out(events: PollFlags, out: bool) -> PollFlags {
    if out { events | PollFlags::OUT } else { events }
}

/// What the events of one descriptor mean.
fn collect(interest: &Interest<'_>, events: PollFlags, sources: &mut Vec<Source>) {
    let ended = PollFlags::HUP | PollFlags::ERR;
    match interest.source {
        _ if events.is_empty() => {}
        Source::Client => {
            if events.intersects(PollFlags::IN | PollFlags::OUT) {
                sources.push(Source::Client);
            }
            if events.intersects(ended) {
                sources.push(Source::ClientGone);
            }
        }
        Source::Terminal => {
            if events.contains(PollFlags::OUT) {
                sources.push(Source::Typed);
            }
            if events.intersects(ended | PollFlags::IN) {
                sources.push(Source::Terminal);
            }
        }
        // Who asks for an exec then waits for ever on older kernels: Linux 6.1 does so.
        Source::Execs if !events.contains(PollFlags::IN) => sources.push(Source::ExecsOver),
        source => sources.push(source),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_filter_that_nobody_is_under_any_more_is_not_asked_for_execs() {
        let (read, _write) = rustix::pipe::pipe().unwrap();
        let interest = Interest {
            source: Source::Execs,
            descriptor: read.as_fd(),
            events: PollFlags::IN,
        };
        let heard = |events| {
            let mut sources = Vec::new();
            collect(&interest, events, &mut sources);
            sources
        };
        assert_eq!(heard(PollFlags::HUP), [Source::ExecsOver]);
        assert_eq!(heard(PollFlags::IN), [Source::Execs]);
        assert_eq!(heard(PollFlags::IN | PollFlags::HUP), [Source::Execs]);
    }
}
