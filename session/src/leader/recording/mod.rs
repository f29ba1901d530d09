//! The recording of a session: asciicast v3, compressed as it is written.

mod tape;
mod typed;

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use elevate_protocol::launch::{Launch, OnFull, Record};
use elevate_protocol::recording::{Encoder, Header, Mark, Term};
use elevate_protocol::stream::Window;
use elevate_protocol::{Id, escape, paths};
use rustix::fs::{CWD, unlinkat};
use zstd::stream::write::Encoder as Compressor;
use zstd::zstd_safe::CParameter;

use self::tape::Tape;
use self::typed::{Settled, Typed};
use super::terminal::Echo;

/// Level 1: terminal output shrinks well at any, and this costs the least time.
const LEVEL: i32 = 1;
/// Look back 128 KiB; what a leader keeps in memory grows with it.
const WINDOW_LOG: u32 = 17;
/// A table of 16 KiB, which every session clears and keeps, in place of the level's 64; recordings
/// grow by less than a hundredth.
const HASH_LOG: u32 = 12;
/// How much of the end of a recording may be lost with a leader that is killed.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// The same while somebody watches.
const WATCHED_FLUSH_AFTER: Duration = Duration::from_millis(40);
/// The size of a terminal nobody told us of.
const USUAL: Window = Window {
    rows: 24,
    columns: 80,
};

/// A recording that is being written.
pub(super) struct Recorder {
    tape: Compressor<'static, Tape>,
    encoder: Encoder,
    began: Instant,
    bytes: u64,
    unflushed_since: Option<Instant>,
    flush_after: Duration,
    /// What is typed, where it is to be kept.
    typed: Option<Typed>,
}

impl Recorder {
    /// Begin the recording of session `id`, in a file that must not exist yet.
    pub(super) fn create(id: Id, launch: &Launch) -> io::Result<Recorder> {
        Recorder::create_at(Path::new(&paths::recording(id)), launch)
    }

    fn create_at(path: &Path, launch: &Launch) -> io::Result<Recorder> {
        if let (OnFull::Refuse, Some(folder)) = (launch.on_full, path.parent()) {
            tape::demand_room(folder)?;
        }
        let mut tape = Compressor::new(Tape::create(path)?, LEVEL)?;
        tape.window_log(WINDOW_LOG)?;
        tape.set_parameter(CParameter::HashLog(HASH_LOG))?;
        tape.write_all(header(launch).line().as_bytes())?;
        // A disk that is full already is noticed before anything runs.
        tape.flush()?;
        Ok(Recorder {
            tape,
            encoder: Encoder::default(),
            began: Instant::now(),
            bytes: 0,
            unflushed_since: None,
            flush_after: flush_after(launch.watched),
            typed: (launch.record == Record::Full).then(Typed::default),
        })
    }

    /// Forget a recording of a session that never began.
    pub(super) fn discard(id: Id) {
        let _ = unlinkat(CWD, paths::recording(id), rustix::fs::AtFlags::empty());
    }

    /// Bytes recorded, before compression.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Something was shown.
    pub(super) fn output(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        match self.encoder.output(self.began.elapsed(), bytes) {
            Some(line) => self.write(&line),
            None => Ok(()),
        }
    }

    /// Something that was typed was passed on, and shown or not; where that isn't sure, it is
    /// decided later whether it is kept.
    pub(super) fn typed(&mut self, bytes: &[u8], echo: Echo) -> io::Result<()> {
        let typed = self.typed.as_mut();
        match typed.map(|typed| typed.push(bytes, echo, Instant::now())) {
            Some(settled) => self.keep(settled),
            None => Ok(()),
        }
    }

    /// Whether it is to be decided now what of the typed is kept.
    pub(super) fn is_to_settle(&self, now: Instant) -> bool {
        self.settle_at().is_some_and(|at| at <= now)
    }

    /// Keep what was typed, if the terminal echoes still.
    pub(super) fn settle(&mut self, echo: bool) -> io::Result<()> {
        match self.typed.as_mut().map(|typed| typed.settle(echo)) {
            Some(settled) => self.keep(settled),
            None => Ok(()),
        }
    }

    fn keep(&mut self, settled: Settled) -> io::Result<()> {
        match settled {
            Settled::Keep(bytes) => match self.encoder.input(self.began.elapsed(), &bytes) {
                Some(line) => self.write(&line),
                None => Ok(()),
            },
            Settled::Hide => self.mark(Mark::Hidden),
            Settled::Nothing => Ok(()),
        }
    }

    /// The terminal changed its size.
    pub(super) fn resize(&mut self, window: Window) -> io::Result<()> {
        let line = self.encoder.resize(self.began.elapsed(), window);
        self.write(&line)
    }

    /// Something else happened.
    pub(super) fn mark(&mut self, mark: Mark) -> io::Result<()> {
        let line = self.encoder.marker(self.began.elapsed(), mark);
        self.write(&line)
    }

    /// Somebody watches from now on, or nobody.
    pub(super) fn watched(&mut self, yes: bool) {
        self.flush_after = flush_after(yes);
    }

    /// When something is to be done without anything having happened.
    pub(super) fn due(&self) -> Option<Instant> {
        [self.flush_at(), self.settle_at()]
            .into_iter()
            .flatten()
            .min()
    }

    fn settle_at(&self) -> Option<Instant> {
        self.typed.as_ref().and_then(Typed::due)
    }

    fn flush_at(&self) -> Option<Instant> {
        self.unflushed_since.map(|since| since + self.flush_after)
    }

    /// Flush if it is time.
    pub(super) fn flush_if_due(&mut self, now: Instant) -> io::Result<()> {
        if self.flush_at().is_some_and(|at| at <= now) {
            self.tape.flush()?;
            self.unflushed_since = None;
            self.tape.get_ref().check()?;
        }
        Ok(())
    }

    /// The last line, with the exit status as shells have it.
    pub(super) fn finish(mut self, status: &str) -> io::Result<()> {
        let lines = self.encoder.exit(self.began.elapsed(), status);
        self.write(&lines)?;
        self.tape.finish()?.check()
    }

    fn write(&mut self, lines: &str) -> io::Result<()> {
        self.unflushed_since.get_or_insert_with(Instant::now);
        self.tape.write_all(lines.as_bytes())
    }
}

fn flush_after(watched: bool) -> Duration {
    match watched {
        true => WATCHED_FLUSH_AFTER,
        false => FLUSH_AFTER,
    }
}

fn header(launch: &Launch) -> Header {
    let window = launch.window.unwrap_or(USUAL);
    let term = launch
        .environment
        .iter()
        .find_map(|variable| variable.strip_prefix(b"TERM="));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let title = format!(
        "{} as {} by rule {}",
        launch.caller.name, launch.target.name, launch.rule
    );
    Header {
        version: 3,
        term: Term {
            cols: window.columns,
            rows: window.rows,
            kind: term.map(escape::line),
        },
        timestamp: now.unwrap_or_default().as_secs(),
        command: escape::command(launch.argv.iter().map(|word| &word[..])),
        title: escape::line(title.as_bytes()),
    }
}

#[cfg(test)]
mod tests;
