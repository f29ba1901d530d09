//! Playing a recording.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::time::Duration;

use elevate_protocol::recording::{Event, Header, parse_event};

use super::output;
use crate::bus::{block_on, call, connect};
use crate::cli::Play;
use crate::failure::Failure;

/// `elevatectl sessions play ID`: what was shown, as it was, at its own pace on a terminal and at
/// once elsewhere.
pub(super) fn play(how: &Play) -> Result<(), Failure> {
    let recording: OwnedFd = block_on(async {
        let connection = connect().await?;
        let reply = call(&connection, "ReadRecording", &(how.id.as_str(),)).await?;
        let recording: zbus::OwnedFd = reply.body().deserialize()?;
        Ok(recording.into())
    })?;
    let at_once = how.dump || !output::is_terminal();
    let pace = |interval: Duration| match at_once {
        true => Duration::ZERO,
        false => paced(interval, how.speed, how.idle_limit),
    };
    Recording::open(File::from(recording))?.play(
        |text| output::write(text.as_bytes()),
        |interval| match pace(interval) {
            Duration::ZERO => {}
            time => std::thread::sleep(time),
        },
    )
}

fn paced(interval: Duration, speed: f64, idle_limit: Option<Duration>) -> Duration {
    let interval = idle_limit.map_or(interval, |limit| interval.min(limit));
    Duration::try_from_secs_f64(interval.as_secs_f64() / speed).unwrap_or_default()
}

/// A recording that is read from its compressed bytes.
pub struct Recording<R: BufRead> {
    lines: R,
    header: Header,
}

impl<R: Read> Recording<BufReader<zstd::Decoder<'static, BufReader<R>>>> {
    /// Begin to read; fails if it is no recording of ours.
    pub fn open(compressed: R) -> Result<Self, Failure> {
        let mut lines = BufReader::new(zstd::Decoder::new(compressed)?);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let header: Header = serde_json::from_str(&first)
            .map_err(|_| Failure::new("this is not a recording of a session"))?;
        if header.version != 3 {
            let version = header.version;
            return Err(Failure::new(format!(
                "the recording is of version {version}; this program plays version 3"
            )));
        }
        Ok(Recording { lines, header })
    }
}

impl<R: BufRead> Recording<R> {
    /// What the recording says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Show all of it, with `pause` before each event. A recording that stops in the middle (a
    /// session that still runs, a machine that lost power) is played as far as it goes.
    pub fn play(
        mut self,
        mut show: impl FnMut(&str) -> Result<(), Failure>,
        mut pause: impl FnMut(Duration),
    ) -> Result<(), Failure> {
        let mut line = String::new();
        loop {
            line.clear();
            match self.lines.read_line(&mut line) {
                Ok(0) => return Ok(()),
                // The end of a compressed stream that was not finished.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
                other => other?,
            };
            let Some((interval, event)) = parse_event(&line) else {
                continue;
            };
            pause(interval);
            if let Event::Output(text) = event {
                show(&text)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use elevate_protocol::recording::{Encoder, Term};

    use super::*;

    fn recording(finish: bool) -> Vec<u8> {
        let header = Header {
            version: 3,
            term: Term {
                cols: 80,
                rows: 24,
                kind: None,
            },
            timestamp: 0,
            command: "id".into(),
            title: "alice as root".into(),
        };
        let mut encoder = Encoder::default();
        let mut lines = header.line();
        lines += &encoder
            .output(Duration::from_secs(1), b"\x1b[1muid=0\r\n")
            .unwrap();
        lines += &encoder.marker(Duration::from_secs(2), "mark");
        lines += &encoder
            .output(Duration::from_secs(61), "é".as_bytes())
            .unwrap();
        let mut compressed = zstd::Encoder::new(Vec::new(), 1).unwrap();
        compressed.write_all(lines.as_bytes()).unwrap();
        if finish {
            let end = encoder.exit(Duration::from_secs(61), "0");
            compressed.write_all(end.as_bytes()).unwrap();
            return compressed.finish().unwrap();
        }
        compressed.flush().unwrap();
        compressed.get_ref().clone()
    }

    fn played(bytes: &[u8]) -> (String, Vec<Duration>) {
        let (mut shown, mut pauses) = (String::new(), Vec::new());
        let show = |text: &str| {
            shown.push_str(text);
            Ok(())
        };
        let recording = Recording::open(bytes).unwrap();
        recording.play(show, |pause| pauses.push(pause)).unwrap();
        (shown, pauses)
    }

    #[test]
    fn what_was_shown_is_shown_byte_for_byte_and_in_its_time() {
        let (shown, pauses) = played(&recording(true));
        assert_eq!(shown, "\x1b[1muid=0\r\né");
        assert_eq!(pauses.iter().sum::<Duration>(), Duration::from_secs(61));
    }

    #[test]
    fn a_recording_that_was_cut_off_is_played_as_far_as_it_goes() {
        let (shown, _) = played(&recording(false));
        assert_eq!(shown, "\x1b[1muid=0\r\né");
    }

    #[test]
    fn something_else_is_refused() {
        assert!(Recording::open(&b"plain text"[..]).is_err());
        let other = zstd::encode_all(&b"{\"version\":2}\n"[..], 1).unwrap();
        assert!(Recording::open(&other[..]).is_err());
    }

    #[test]
    fn pauses_are_limited_before_they_are_sped_up() {
        let minute = Duration::from_secs(60);
        assert_eq!(paced(minute, 2.0, None), Duration::from_secs(30));
        let limit = Some(Duration::from_secs(2));
        assert_eq!(paced(minute, 2.0, limit), Duration::from_secs(1));
        assert_eq!(paced(minute, f64::MIN_POSITIVE, None), Duration::ZERO);
    }
}
