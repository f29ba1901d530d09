//! `elevatectl sessions`: what ran, what it showed, and what it is showing now.
//!
//! A recording goes from its file ([`growing`], [`tape`]) to an emulated terminal ([`screen`], [`lines`]), and
//! what a person sees are pictures of that ([`paint`], [`display`]): no byte of it reaches their
//! terminal by itself.

mod appearances;
mod display;
mod dossier;
mod film;
mod follow;
mod growing;
mod journal;
mod keys;
mod lines;
pub(crate) mod offset;
mod older;
mod outline;
mod paint;
mod play;
mod player;
mod playhead;
mod scan;
mod screen;
mod search;
mod show;
pub(super) mod source;
mod tape;
mod transcript;

use super::{change, list};
use crate::cli::SessionsVerb;
use crate::conversation::Broken;

/// `elevatectl sessions VERB`
pub(super) fn run(verb: &SessionsVerb) -> Result<(), Broken> {
    match verb {
        SessionsVerb::Play(how) => return play::play(how),
        SessionsVerb::Follow(how) => return follow::follow(how.id),
        SessionsVerb::List(how) => list::sessions(how)?,
        SessionsVerb::Show(how) => show::show(how.id, how.output.json)?,
        SessionsVerb::Search(how) => search::search(how)?,
        SessionsVerb::Kill(end) => change::revoke(end)?,
        SessionsVerb::Export { which, v2: false } => play::export(which)?,
        SessionsVerb::Export { which, v2: true } => older::export(which)?,
    }
    Ok(())
}
