//! `elevatectl sessions play`, and `export`.

use std::io::Read;
use std::time::{Duration, Instant};

use elevate_protocol::escape;

use super::display::{self, Display};
use super::film::{Film, Goal};
use super::growing::Lines;
use super::offset;
use super::outline::Outline;
use super::player::Player;
use super::playhead::Playhead;
use super::source::{self, Reading};
use super::tape::Tape;
use super::transcript;
use crate::cli::{Play, Which};
use crate::conversation::Broken;
use crate::ctl::output;
use crate::failure::Failure;

/// Nobody sees more pictures than this in a second.
const PICTURE: Duration = Duration::from_millis(16);
/// How often the clock of the last row goes on at least.
const CLOCK: Duration = Duration::from_millis(250);

/// `elevatectl sessions play ID|FILE`
pub(super) fn play(how: &Play) -> Result<(), Broken> {
    let recording = source::open(&how.which)?;
    if how.dump || !display::is_possible() {
        let mut tape = Tape::open(recording)?;
        return Ok(transcript::write(&mut tape, output::line)?);
    }
    let (player, ending) = player(recording, how)?;
    let name = name(&how.which);
    if let Some(last) = run(player, &name)? {
        output::write(last.as_bytes())?;
        output::line(&format!("{name}: {ending}"))?;
    }
    Ok(())
}

/// What plays `recording`, and what is to be said at its end.
fn player(recording: Reading, how: &Play) -> Result<(Player<Reading>, String), Failure> {
    let outline = Outline::of(&mut Tape::open(recording.clone())?)?;
    let goal = goal(&outline, how)?;
    let ending = outline.ending();
    let head = Playhead {
        at: Duration::ZERO,
        speed: how.speed,
        paused: false,
        idle_limit: how.idle_limit,
    };
    let player = Player::new(Film::open(recording)?, outline, head, goal)?;
    Ok((player, ending))
}

/// Where to begin.
fn goal(outline: &Outline, how: &Play) -> Result<Option<Goal>, Failure> {
    if let Some(from) = how.from
        && from > outline.length
    {
        let length = offset::show(outline.length);
        return Err(Failure::usage(format!("the recording is {length} long")));
    }
    let Some(number) = how.jump else {
        return Ok(how.from.map(Goal::At));
    };
    match usize::try_from(number.get()) {
        Ok(number) if number <= outline.commands.len() => Ok(Some(Goal::Command(number))),
        _ => {
            let commands = match outline.commands.len() {
                1 => "1 command".to_owned(),
                more => format!("{more} commands"),
            };
            Err(Failure::usage(format!("the recording has {commands}"))
                .hint("see them with: elevatectl sessions show ID"))
        }
    }
}

/// What the last row calls it.
fn name(which: &Which) -> String {
    match which {
        Which::Session(id) => format!("session {id}"),
        Which::File(path) => escape::line(path.as_os_str().as_encoded_bytes()),
    }
}

/// Play until it is over; the last picture, unless somebody had enough before.
fn run(mut player: Player<Reading>, name: &str) -> Result<Option<String>, Broken> {
    let mut display = Display::open()?;
    let mut last = Instant::now();
    loop {
        display.show(player.film().screen(), &player.status(name))?;
        if player.is_over() {
            return Ok(Some(player.film().screen().text()));
        }
        let came = display.wait(player.wait().map(rest))?;
        let now = Instant::now();
        if !came.stopped {
            player.pass(now - last)?;
        }
        last = now;
        for key in came.keys {
            player.press(key)?;
            if player.is_over() {
                return Ok(None);
            }
        }
    }
}

/// How long to wait for keys, where something happens after `time`.
fn rest(time: Duration) -> Duration {
    match time {
        // We are on the way somewhere, or late.
        Duration::ZERO => Duration::ZERO,
        time => time.clamp(PICTURE, CLOCK),
    }
}

/// `elevatectl sessions export ID|FILE`: the recording unpacked, as far as its lines are whole.
pub(super) fn export(which: &Which) -> Result<(), Failure> {
    if output::is_terminal() {
        return Err(
            Failure::usage("a recording may hold anything that a terminal would obey")
                .hint("write it to a file: elevatectl sessions export ID > ID.cast"),
        );
    }
    // That it is a recording is found out before anything of it is written.
    let recording = source::open(which)?;
    Tape::open(recording.clone())?;
    copy(recording, |line| output::write(line.as_bytes()))
}

fn copy(
    recording: impl Read,
    mut write: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut lines = Lines::new(recording);
    while let Some(line) = lines.next()? {
        write(line)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tape::tests::{after, exec, text};
    use super::*;

    #[test]
    fn what_is_exported_is_the_recording_as_far_as_it_was_written() {
        let text = text(|encoder| encoder.output(after(1.0), b"\x1b[31mred").unwrap());
        let packed = zstd::encode_all(format!("{text}[1.0, \"o").as_bytes(), 1).unwrap();
        let mut copied = String::new();
        let keep = |line: &str| {
            copied += line;
            Ok(())
        };
        copy(&packed[..], keep).unwrap();
        assert_eq!(copied, text);
    }

    #[test]
    fn a_beginning_that_is_not_there_is_refused_with_what_is() {
        let bytes = text(|encoder| encoder.marker(after(2.0), exec(1, "ls")));
        let outline = Outline::of(&mut Tape::open(bytes.as_bytes()).unwrap()).unwrap();
        let how = |from: Option<f64>, jump: Option<u64>| Play {
            which: Which::File("x".into()),
            speed: 1.0,
            idle_limit: None,
            from: from.map(after),
            jump: jump.and_then(std::num::NonZeroU64::new),
            dump: false,
        };
        let found = |from, jump| goal(&outline, &how(from, jump));
        assert_eq!(found(None, None), Ok(None));
        assert_eq!(found(Some(2.0), None), Ok(Some(Goal::At(after(2.0)))));
        assert_eq!(found(None, Some(1)), Ok(Some(Goal::Command(1))));
        let failure = found(Some(2.1), None).unwrap_err();
        assert_eq!(failure.message, "the recording is 0:02.000 long");
        let failure = found(None, Some(2)).unwrap_err();
        assert_eq!(failure.message, "the recording has 1 command");
    }
}
