//! A recording that is played: what keys do, and what happens as time passes. Time comes in as an
//! argument, and nothing is drawn here.

use std::io::Read;
use std::time::Duration;

use super::film::{Film, Goal};
use super::keys::Key;
use super::offset;
use super::outline::Outline;
use super::playhead::Playhead;
use crate::failure::Failure;

/// What an arrow key passes over.
const LEAP: Duration = Duration::from_secs(5);
/// Going back to the last command right after it began means the one before.
const JUST_BEGUN: Duration = Duration::from_secs(1);
/// Events that happen before somebody looks whether a key was pressed.
const SLICE: usize = 256;

/// A recording that is played.
pub(super) struct Player<R> {
    film: Film<R>,
    outline: Outline,
    head: Playhead,
    /// Where we are going at once, and not in time.
    goal: Option<Goal>,
    over: bool,
}

impl<R: Read + Clone> Player<R> {
    /// Begin at `goal`, or at the beginning.
    pub(super) fn new(
        film: Film<R>,
        outline: Outline,
        head: Playhead,
        goal: Option<Goal>,
    ) -> Result<Self, Failure> {
        let mut player = Player {
            film,
            outline,
            head,
            goal: None,
            over: false,
        };
        if let Some(goal) = goal {
            player.go(goal)?;
        }
        Ok(player)
    }

    /// The recording, where it is.
    pub(super) fn film(&self) -> &Film<R> {
        &self.film
    }

    /// Whether it was played to its end, or somebody had enough.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// How long until something happens without a key; none while nothing would.
    pub(super) fn wait(&self) -> Option<Duration> {
        if self.goal.is_some() {
            return Some(Duration::ZERO);
        }
        match self.film.gap() {
            Some(gap) => self.head.wait(gap),
            None if self.head.paused => None,
            None => Some(Duration::ZERO),
        }
    }

    /// Do what a key asks for.
    pub(super) fn press(&mut self, key: Key) -> Result<(), Failure> {
        match key {
            Key::Pause => self.head.paused = !self.head.paused,
            Key::Step => {
                self.head.paused = true;
                if let Some(gap) = self.film.gap() {
                    self.go(Goal::At(gap.to))?;
                }
            }
            Key::Back => self.go(Goal::At(self.head.at.saturating_sub(LEAP)))?,
            Key::Forward => {
                let place = (self.head.at + LEAP).min(self.outline.length);
                self.go(Goal::At(place))?;
            }
            Key::Faster => self.head.faster(),
            Key::Slower => self.head.slower(),
            Key::NextCommand => {
                let next = self.film.place().commands + 1;
                if next <= self.outline.commands.len() {
                    self.go(Goal::Command(next))?;
                }
            }
            Key::LastCommand => self.go_to_last_command()?,
            Key::Quit => self.over = true,
        }
        Ok(())
    }

    fn go_to_last_command(&mut self) -> Result<(), Failure> {
        let before = self.head.at.saturating_sub(JUST_BEGUN);
        let begun = self
            .outline
            .commands
            .iter()
            .take(self.film.place().commands);
        match begun.filter(|at| **at < before).count() {
            0 => self.go(Goal::At(Duration::ZERO)),
            number => self.go(Goal::Command(number)),
        }
    }

    fn go(&mut self, goal: Goal) -> Result<(), Failure> {
        self.film.rewind(goal)?;
        self.goal = Some(goal);
        if let Goal::At(at) = goal {
            self.head.at = at;
        }
        Ok(())
    }

    /// Let `time` pass, or go on to where a key sent us: as far as is done in a moment.
    pub(super) fn pass(&mut self, mut time: Duration) -> Result<(), Failure> {
        for _ in 0..SLICE {
            match (self.goal, self.film.gap()) {
                (Some(goal), _) if self.film.reached(goal) => {
                    self.goal = None;
                    if let Goal::Command(_) = goal {
                        self.head.at = self.film.place().at;
                    }
                    return Ok(());
                }
                // The session may still run, and have written more.
                (None, None) if self.head.paused || self.film.look()? => return Ok(()),
                (None, None) => {
                    self.over = true;
                    return Ok(());
                }
                (None, Some(gap)) => {
                    time = self.head.pass(time, gap);
                    if self.head.paused || self.head.at < gap.to {
                        return Ok(());
                    }
                }
                (Some(_), _) => {}
            }
            self.film.step()?;
        }
        Ok(())
    }

    /// A line that says where we are.
    pub(super) fn status(&self, name: &str) -> String {
        let place = self.film.place();
        let length = self.outline.length;
        let mut parts = vec![
            name.to_owned(),
            format!("{}/{}", offset::short(self.head.at), offset::short(length)),
        ];
        if self.head.speed != 1.0 {
            parts.push(format!("{}x", self.head.speed));
        }
        if self.goal.is_some() {
            parts.push("seeking".into());
        } else if self.head.paused {
            parts.push("paused".into());
        }
        let commands = self.outline.commands.len();
        if let Some(command) = &place.command {
            parts.push(format!(
                "command {} of {commands}: {command}",
                place.commands
            ));
        } else if commands > 0 {
            parts.push(format!("command 0 of {commands}"));
        }
        parts.push(self.film.header().title.clone());
        parts.join(" | ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tape::Tape;
    use super::super::tape::tests::{after, exec, text};
    use super::*;

    fn sample() -> String {
        text(|encoder| {
            let mut lines = encoder.output(after(1.0), b"one ").unwrap();
            lines += &encoder.marker(after(2.0), exec(1, "ls"));
            lines += &encoder.output(after(10.0), b"two ").unwrap();
            lines += &encoder.marker(after(20.0), exec(2, "id -u"));
            lines += &encoder.output(after(100.0), b"three ").unwrap();
            lines + &encoder.exit(after(101.0), "0")
        })
    }

    fn player_of(bytes: &str, goal: Option<Goal>) -> Player<&[u8]> {
        let head = Playhead {
            at: Duration::ZERO,
            speed: 1.0,
            paused: false,
            idle_limit: None,
        };
        let film = Film::open(bytes.as_bytes()).unwrap();
        let outline = Outline::of(&mut Tape::open(bytes.as_bytes()).unwrap()).unwrap();
        let mut player = Player::new(film, outline, head, goal).unwrap();
        settle(&mut player);
        player
    }

    /// Let it go where it is going.
    fn settle(player: &mut Player<&[u8]>) {
        while player.goal.is_some() {
            player.pass(Duration::ZERO).unwrap();
        }
    }

    fn press(player: &mut Player<&[u8]>, keys: &str) {
        for key in super::super::keys::read(keys.as_bytes()) {
            player.press(key).unwrap();
            settle(player);
        }
    }

    fn pass(player: &mut Player<&[u8]>, seconds: f64) {
        player.pass(after(seconds)).unwrap();
    }

    fn shown(player: &Player<&[u8]>) -> String {
        player.film().screen().picture(80, 24).rows.concat()
    }

    #[test]
    fn it_plays_in_time_and_is_over_at_its_end() {
        let bytes = sample();
        let mut player = player_of(&bytes, None);
        pass(&mut player, 1.5);
        assert_eq!(shown(&player), "one");
        assert_eq!(player.wait(), Some(after(0.5)));
        pass(&mut player, 98.0);
        assert_eq!(shown(&player), "one two");
        assert!(!player.is_over());
        pass(&mut player, 5.0);
        assert_eq!(shown(&player), "one two three");
        assert!(player.is_over());
    }

    #[test]
    fn while_paused_nothing_happens_but_step_by_step() {
        let bytes = sample();
        let mut player = player_of(&bytes, None);
        press(&mut player, " ");
        pass(&mut player, 1000.0);
        assert_eq!((shown(&player).as_str(), player.wait()), ("", None));
        press(&mut player, "...");
        assert_eq!(shown(&player), "one two");
        assert_eq!(player.head.at, after(10.0));
        assert!(player.status("x").contains("paused"));
        press(&mut player, " ");
        pass(&mut player, 90.0);
        assert_eq!(shown(&player), "one two three");
    }

    #[test]
    fn arrows_seek_five_seconds_and_stay_within_the_recording() {
        let bytes = sample();
        let mut player = player_of(&bytes, Some(Goal::At(after(8.0))));
        press(&mut player, " \x1b[C");
        assert_eq!(
            (player.head.at, shown(&player)),
            (after(13.0), "one two".into())
        );
        press(&mut player, "<<");
        assert_eq!((player.head.at, shown(&player)), (after(3.0), "one".into()));
        press(&mut player, "<");
        assert_eq!((player.head.at, shown(&player)), (after(0.0), "".into()));
        press(&mut player, &">".repeat(40));
        assert_eq!(player.head.at, after(101.0));
        assert!(
            !player.is_over(),
            "paused at the end, one can still go back"
        );
        press(&mut player, "<");
        assert_eq!(shown(&player), "one two");
        press(&mut player, "> ");
        pass(&mut player, 0.0);
        assert!(player.is_over());
    }

    #[test]
    fn brackets_jump_from_command_to_command() {
        let bytes = sample();
        let mut player = player_of(&bytes, Some(Goal::Command(1)));
        assert_eq!(player.head.at, after(2.0));
        press(&mut player, " ]");
        assert_eq!(player.head.at, after(20.0));
        assert!(player.status("x").contains("| command 2 of 2: id -u |"));
        press(&mut player, "]");
        assert_eq!(player.head.at, after(20.0), "there is no third");
        press(&mut player, "[");
        assert_eq!(
            player.head.at,
            after(2.0),
            "the one before: this has just begun"
        );
        press(&mut player, ">>>>[");
        assert_eq!(player.head.at, after(20.0), "to the beginning of this one");
        press(&mut player, "[[");
        assert_eq!(player.head.at, after(0.0));
    }

    #[test]
    fn speed_counts_from_the_key_on() {
        let bytes = sample();
        let mut player = player_of(&bytes, Some(Goal::At(after(20.0))));
        press(&mut player, "+++");
        assert!(player.status("x").contains("4x"), "{}", player.status("x"));
        assert_eq!(player.wait(), Some(after(20.0)));
        pass(&mut player, 20.0);
        assert_eq!(shown(&player), "one two three");
        press(&mut player, "q");
        assert!(player.is_over());
    }

    #[test]
    fn a_flood_of_events_lets_keys_through() {
        let bytes = text(|encoder| {
            let flood = (0..10_000).map(|_| encoder.output(after(1.0), b"x").unwrap());
            flood.collect()
        });
        let mut player = player_of(&bytes, None);
        pass(&mut player, 60.0);
        assert!(!player.is_over(), "somebody may look at the keys first");
        assert_eq!(player.wait(), Some(Duration::ZERO));
    }
}
