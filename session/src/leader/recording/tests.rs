use std::fs::File;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::leader::start::tests::launch;
use elevate_protocol::recording::{Event, parse_event};

struct Place {
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.cast.zst");
    Place {
        _folder: folder,
        path,
    }
}

impl Place {
    fn recorder(&self, launch: &Launch) -> Recorder {
        Recorder::create_at(&self.path, launch).unwrap()
    }

    /// The lines as far as they can be read.
    fn lines(&self) -> Vec<String> {
        let mut text = Vec::new();
        let file = File::open(&self.path).unwrap();
        let mut decoder = zstd::stream::read::Decoder::new(file).unwrap();
        let _ = io::Read::read_to_end(&mut decoder, &mut text);
        let text = String::from_utf8(text).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn events(&self) -> Vec<Event> {
        let lines = self.lines();
        let events = lines[1..].iter().map(|line| parse_event(line).unwrap().1);
        events.collect()
    }
}

fn header_of(line: &str) -> Header {
    use elevate_protocol::message::{Frame, decode};
    match decode(line.as_bytes()).unwrap() {
        Frame::Message(header) => header,
        Frame::Data(..) => panic!("no header: {line}"),
    }
}

#[test]
fn a_recording_holds_what_was_shown_and_how_it_ended() {
    let place = place();
    let mut recorder = place.recorder(&launch());
    recorder.output(b"hello\r\n").unwrap();
    recorder.mark(Mark::Held).unwrap();
    assert_eq!(recorder.bytes(), 7);
    recorder.finish("0").unwrap();
    assert_eq!(header_of(&place.lines()[0]).command, "/bin/true");
    let expected = [
        Event::Output("hello\r\n".into()),
        Event::Marker(Mark::Held),
        Event::Exit("0".into()),
    ];
    assert_eq!(place.events(), expected);
    let mode = std::fs::metadata(&place.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_typed_is_kept_only_where_it_was_asked_for_and_shown() {
    for (record, kept) in [
        (Record::Output, vec![]),
        (
            Record::Full,
            vec![
                Event::Input("id\n".into()),
                Event::Marker(Mark::Hidden),
                Event::Input("exit\n".into()),
            ],
        ),
    ] {
        let place = place();
        let mut recorder = place.recorder(&Launch { record, ..launch() });
        for (bytes, echo) in [
            ("id\n", Echo::On),
            ("secret\n", Echo::Off),
            ("exit\n", Echo::Unsure),
        ] {
            recorder.typed(bytes.as_bytes(), echo).unwrap();
        }
        recorder.settle(true).unwrap();
        recorder.finish("0").unwrap();
        let expected = [kept, vec![Event::Exit("0".into())]].concat();
        assert_eq!(place.events(), expected);
    }
}

#[test]
fn what_was_flushed_can_be_read_without_the_end() {
    let place = place();
    let mut recorder = place.recorder(&launch());
    recorder.output(b"before the crash").unwrap();
    let due = recorder.due().unwrap();
    assert!(due <= Instant::now() + FLUSH_AFTER);
    recorder.flush_if_due(due).unwrap();
    assert_eq!(recorder.due(), None);
    let shown = [Event::Output("before the crash".into())];
    assert_eq!(place.events(), shown);
}

#[test]
fn who_watches_waits_for_no_buffer() {
    let place = place();
    let mut recorder = place.recorder(&launch());
    recorder.watched(true);
    recorder.output(b"seen").unwrap();
    assert!(recorder.due().unwrap() <= Instant::now() + WATCHED_FLUSH_AFTER);
}

#[test]
fn a_recording_that_was_taken_away_fails_when_it_is_flushed_and_when_it_ends() {
    let place = place();
    let mut recorder = place.recorder(&launch());
    std::fs::remove_file(&place.path).unwrap();
    recorder.output(b"unseen").unwrap();
    assert!(recorder.flush_if_due(recorder.due().unwrap()).is_err());
    assert!(recorder.finish("0").is_err());
}

#[test]
fn a_file_that_is_there_already_is_left_alone() {
    let place = place();
    std::fs::write(&place.path, "older").unwrap();
    assert!(Recorder::create_at(&place.path, &launch()).is_err());
    assert_eq!(std::fs::read(&place.path).unwrap(), b"older");
}
