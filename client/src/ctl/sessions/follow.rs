//! `elevatectl sessions follow`: a session while it runs.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use elevate_protocol::{Id, bus};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::display::{self, Display};
use super::film::Film;
use super::growing::Lines;
use super::keys::Key;
use super::outline::ending;
use super::source::{self, Reading};
use super::tape::Tape;
use super::transcript::Transcript;
use super::{film, offset};
use crate::bus::{block_on, connect};
use crate::conversation::Broken;
use crate::ctl::objects::{self, Session};
use crate::ctl::output;
use crate::failure::Failure;

/// How often the recording is looked at for more.
const LOOK: Duration = Duration::from_millis(100);
/// How often we ask whether a session has begun.
const BEGUN: Duration = Duration::from_millis(300);
/// How often we ask whether a session is still there.
const ASK: Duration = Duration::from_secs(1);
/// Events that happen before they are shown.
const SLICE: usize = 256;

/// `elevatectl sessions follow ID`
pub(super) fn follow(id: Id) -> Result<(), Broken> {
    let mut watch = Watch::begin(id)?;
    let reading = watch.wait_for_recording()?;
    let tape = watch.wait_for_beginning(reading.clone())?;
    match display::is_possible() {
        true => show(&mut watch, Film::of(reading, tape)?),
        false => Ok(write(&mut watch, tape)?),
    }
}

/// The watch that we keep. While we hold the daemon's descriptor it counts, and is on record.
struct Watch {
    id: Id,
    lifeline: OwnedFd,
    asked: Instant,
    over: bool,
}

impl Watch {
    fn begin(id: Id) -> Result<Watch, Failure> {
        Ok(Watch {
            id,
            lifeline: source::descriptor("Follow", id)??,
            asked: Instant::now(),
            over: false,
        })
    }

    /// Whether the session is over, as far as is known. A daemon that was restarted has to be told
    /// again that we watch.
    fn is_over(&mut self) -> bool {
        if !self.over && self.asked.elapsed() >= ASK {
            self.asked = Instant::now();
            if self.hung_up(Duration::ZERO) {
                match source::descriptor("Follow", self.id).and_then(source::if_found) {
                    Ok(Some(lifeline)) => self.lifeline = lifeline,
                    Ok(None) => self.over = true,
                    // It is about to come back, as after an upgrade.
                    Err(_) => {}
                }
            }
            self.over |= session(self.id).is_some_and(|session| session.state == "ended");
        }
        self.over
    }

    /// Whether the daemon lets go of the lifeline within `time`.
    fn hung_up(&self, time: Duration) -> bool {
        let mut waiting = [PollFd::new(&self.lifeline, PollFlags::IN)];
        let time = Timespec::try_from(time).ok();
        poll(&mut waiting, time.as_ref()).is_ok_and(|count| count > 0)
    }

    /// Let `time` pass.
    fn rest(&self, time: Duration) {
        if self.hung_up(time) {
            // It is asked about again before long; the poll would not wait any more.
            std::thread::sleep(time);
        }
    }

    /// The recording, once the session began.
    fn wait_for_recording(&mut self) -> Result<Reading, Failure> {
        let mut told = false;
        loop {
            if let Some(reading) = source::recording_if_any(self.id)? {
                return Ok(reading);
            }
            let id = self.id;
            let session = session(id);
            if session.is_some_and(|session| session.begun != 0 && !session.recorded) {
                return Err(Failure::new(format!(
                    "session {id} is not recorded: there is nothing to watch"
                )));
            }
            if self.is_over() {
                return Err(Failure::new(format!("session {id} is over")));
            }
            if !std::mem::replace(&mut told, true) && output::is_terminal() {
                output::line(&format!("waiting for session {id} to begin"))?;
            }
            self.rest(BEGUN);
        }
    }

    /// The recording, once its first line is written.
    fn wait_for_beginning(&mut self, reading: Reading) -> Result<Tape<Reading>, Failure> {
        let mut lines = Some(Lines::new(reading));
        loop {
            let over = self.is_over();
            if let Some(tape) = Tape::begin(&mut lines)? {
                return Ok(tape);
            }
            if over {
                return Err(Failure::new("the recording is empty"));
            }
            self.rest(LOOK);
        }
    }
}

/// What the daemon says of the session, if it says something.
fn session(id: Id) -> Option<Session> {
    let path = bus::session_path(id);
    block_on(async { objects::one(&connect().await?, &path, bus::SESSION).await }).ok()
}

/// Show it on our terminal, until it is over or somebody has enough.
fn show(watch: &mut Watch, mut film: Film<Reading>) -> Result<(), Broken> {
    let mut display = Display::open()?;
    let name = format!("session {}", watch.id);
    loop {
        // Asked before: what is written until then is still shown.
        let over = watch.is_over();
        let mut steps = 0;
        while steps < SLICE && film.look()? {
            film.step()?;
            steps += 1;
        }
        display.show(film.screen(), &status(&film, &name))?;
        if film.place().status.is_some() || over && steps < SLICE {
            break;
        }
        let rest = if steps == SLICE { Duration::ZERO } else { LOOK };
        let came = display.wait(Some(rest))?;
        if came.keys.contains(&Key::Quit) {
            return Ok(());
        }
    }
    drop(display);
    let place = film.place();
    output::write(film.screen().text().as_bytes())?;
    let ending = ending(place.at, place.status.as_deref(), place.reason.as_ref());
    Ok(output::line(&format!("{name}: {ending}"))?)
}

fn status(film: &Film<Reading>, name: &str) -> String {
    let place = film.place();
    let at = offset::short(place.at);
    let mut status = format!("following {name} | last change at {at}");
    if let Some(command) = &place.command {
        status += &format!(" | command {}: {command}", place.commands);
    }
    status + " | " + &film.header().title
}

/// Write its text, line by line.
fn write(watch: &mut Watch, mut tape: Tape<Reading>) -> Result<(), Failure> {
    use elevate_protocol::recording::Event;
    let mut transcript = Transcript::new(film::size(tape.header()));
    loop {
        let over = watch.is_over();
        let mut ended = over;
        while let Some(moment) = tape.next()? {
            let lines = transcript.take(&moment.event);
            lines.iter().try_for_each(|line| output::line(line))?;
            ended |= matches!(moment.event, Event::Exit(_));
        }
        if ended {
            let lines = transcript.finish();
            return lines.iter().try_for_each(|line| output::line(line));
        }
        watch.rest(LOOK);
    }
}
