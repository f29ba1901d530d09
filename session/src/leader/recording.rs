//! The recording of a session: asciicast v3, compressed as it is written.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use elevate_protocol::launch::Launch;
use elevate_protocol::recording::{Encoder, Header, Term};
use elevate_protocol::stream::Window;
use elevate_protocol::{Id, escape, paths};
use rustix::fs::{CWD, Mode, OFlags, openat, unlinkat};
use zstd::stream::write::Encoder as Compressor;
use zstd::zstd_safe::CParameter;

/// Level 1: terminal output shrinks well at any, and this costs the least time.
const LEVEL: i32 = 1;
/// Look back 128 KiB; what a leader keeps in memory grows with it.
const WINDOW_LOG: u32 = 17;
/// A table of 16 KiB, which every session clears and keeps, in place of the level's 64; recordings
/// grow by less than a hundredth.
const HASH_LOG: u32 = 12;
/// How much of the end of a recording may be lost with a leader that is killed.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// The size of a terminal nobody told us of.
const USUAL: Window = Window {
    rows: 24,
    columns: 80,
};

/// A recording that is being written.
pub(super) struct Recorder {
    file: Compressor<'static, File>,
    encoder: Encoder,
    began: Instant,
    bytes: u64,
    unflushed_since: Option<Instant>,
}

impl Recorder {
    /// Begin the recording of session `id`, in a file that must not exist yet.
    pub(super) fn create(id: Id, launch: &Launch) -> io::Result<Recorder> {
        Recorder::create_at(Path::new(&paths::recording(id)), launch)
    }

    fn create_at(path: &Path, launch: &Launch) -> io::Result<Recorder> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(CWD, path, flags | OFlags::CLOEXEC, mode)?;
        let mut file = Compressor::new(File::from(file), LEVEL)?;
        file.window_log(WINDOW_LOG)?;
        file.set_parameter(CParameter::HashLog(HASH_LOG))?;
        file.write_all(header(launch).line().as_bytes())?;
        Ok(Recorder {
            file,
            encoder: Encoder::default(),
            began: Instant::now(),
            bytes: 0,
            unflushed_since: Some(Instant::now()),
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

    /// The terminal changed its size.
    pub(super) fn resize(&mut self, window: Window) -> io::Result<()> {
        let line = self.encoder.resize(self.began.elapsed(), window);
        self.write(&line)
    }

    /// We ended the session.
    pub(super) fn marker(&mut self, label: &str) -> io::Result<()> {
        let line = self.encoder.marker(self.began.elapsed(), label);
        self.write(&line)
    }

    /// When what was written has to be flushed; `None` if it was.
    pub(super) fn flush_at(&self) -> Option<Instant> {
        self.unflushed_since.map(|since| since + FLUSH_AFTER)
    }

    /// Flush if it is time.
    pub(super) fn flush_if_due(&mut self, now: Instant) -> io::Result<()> {
        if self.flush_at().is_some_and(|at| at <= now) {
            self.file.flush()?;
            self.unflushed_since = None;
        }
        Ok(())
    }

    /// The last line, with the exit status as shells have it.
    pub(super) fn finish(mut self, status: &str) -> io::Result<()> {
        let lines = self.encoder.exit(self.began.elapsed(), status);
        self.write(&lines)?;
        self.file.finish()?;
        Ok(())
    }

    fn write(&mut self, lines: &str) -> io::Result<()> {
        self.unflushed_since.get_or_insert_with(Instant::now);
        self.file.write_all(lines.as_bytes())
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
mod tests {
    use super::*;
    use crate::leader::start::tests::launch;
    use elevate_protocol::recording::{Event, parse_event};
    use std::os::unix::fs::PermissionsExt;

    fn lines(path: &Path) -> Vec<String> {
        let text = zstd::decode_all(File::open(path).unwrap()).unwrap();
        String::from_utf8(text)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_recording_holds_what_was_shown_and_how_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.cast.zst");
        let mut recorder = Recorder::create_at(&path, &launch()).unwrap();
        recorder.output(b"hello\r\n").unwrap();
        recorder.marker("deadline").unwrap();
        assert_eq!(recorder.bytes(), 7);
        recorder.finish("0").unwrap();
        let lines = lines(&path);
        let header: Header = serde_json_line(&lines[0]);
        assert_eq!(header.command, "/bin/true");
        let events: Vec<_> = lines[1..]
            .iter()
            .map(|line| parse_event(line).unwrap().1)
            .collect();
        let expected = [
            Event::Output("hello\r\n".into()),
            Event::Marker("deadline".into()),
            Event::Exit("0".into()),
        ];
        assert_eq!(events, expected);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    fn serde_json_line(line: &str) -> Header {
        use elevate_protocol::message::{Frame, decode};
        match decode(line.as_bytes()).unwrap() {
            Frame::Message(header) => header,
            Frame::Data(..) => panic!("no header: {line}"),
        }
    }

    #[test]
    fn what_was_flushed_can_be_read_without_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.cast.zst");
        let mut recorder = Recorder::create_at(&path, &launch()).unwrap();
        recorder.output(b"before the crash").unwrap();
        let due = recorder.flush_at().unwrap();
        recorder.flush_if_due(due).unwrap();
        assert_eq!(recorder.flush_at(), None);
        let mut text = Vec::new();
        let mut decoder = zstd::stream::read::Decoder::new(File::open(&path).unwrap()).unwrap();
        let _ = io::Read::read_to_end(&mut decoder, &mut text);
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("before the crash"), "{text}");
    }

    #[test]
    fn a_file_that_is_there_already_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.cast.zst");
        std::fs::write(&path, "older").unwrap();
        assert!(Recorder::create_at(&path, &launch()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"older");
    }
}
