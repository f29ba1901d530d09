//! What is shown, in order.

mod approval;
mod contained;
mod directory;
mod door;
mod editing;
mod enrolment;
mod factor;
mod jobs;
mod leaver;
mod more_time;
mod outage;
mod outsider;
mod record;
mod recorded;
mod refusals;
mod server_gone;
mod standing;
mod time;
mod too_old;

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

pub(super) const ALL: &[Scene] = &[
    directory::SCENE,
    enrolment::SCENE,
    door::SCENE,
    refusals::SCENE,
    standing::SCENE,
    factor::SCENE,
    approval::SCENE,
    time::SCENE,
    more_time::SCENE,
    jobs::SCENE,
    editing::SCENE,
    contained::SCENE,
    recorded::SCENE,
    outsider::SCENE,
    outage::SCENE,
    leaver::SCENE,
    server_gone::SCENE,
    record::SCENE,
    too_old::SCENE,
];

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
