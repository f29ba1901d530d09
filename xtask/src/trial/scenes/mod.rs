//! What is shown, in order.

mod approval;
mod record;
mod standing;
mod time;

use anyhow::Result;

use super::stage::{Stage, Typed};

pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) steps: &'static [Step],
}

pub(super) struct Step {
    pub(super) what: &'static str,
    pub(super) act: Act,
}

pub(super) enum Act {
    /// One line at one shell.
    Line(Typed),
    /// More hands than two.
    Play(fn(&mut Stage<'_>) -> Result<()>),
}

pub(super) const ALL: &[Scene] = &[standing::SCENE, approval::SCENE, time::SCENE, record::SCENE];

const fn line(what: &'static str, typed: Typed) -> Step {
    Step {
        what,
        act: Act::Line(typed),
    }
}

const fn play(what: &'static str, play: fn(&mut Stage<'_>) -> Result<()>) -> Step {
    Step {
        what,
        act: Act::Play(play),
    }
}
