//! From the lines of a file to sentences, each in its world.

use std::sync::Arc;

use jiff::tz::TimeZoneDatabase;

use super::sentence::{self, Sentence};
use super::setting::{self, Reading};
use super::words;
use super::world::World;
use crate::diagnostic::{Place, Source};
use crate::load::Problems;

pub(super) fn file(
    source: &Source,
    zones: &TimeZoneDatabase,
    problems: &Problems,
) -> Vec<(Sentence, World)> {
    let name: Arc<str> = source.name.as_str().into();
    let mut world = World::default();
    let mut sentences = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        let place = Place {
            file: Arc::clone(&name),
            line: number,
            column: 1,
        };
        let tokens = words::split(line, &place, problems);
        let mut reading = Reading {
            tokens: &tokens,
            zones,
            problems,
        };
        let Some(first) = reading.next() else {
            continue;
        };
        if setting::is_one(first) {
            setting::read(first, &mut reading, &mut world);
        } else if let Some(sentence) = sentence::read(first, line, &mut reading, &world) {
            sentences.push(sentence);
        }
    }
    sentences
}
