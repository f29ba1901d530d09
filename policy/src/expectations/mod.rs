//! What an admin expects of a policy, in sentences, and whether it is so.
//!
//! ```text
//! group ops: alice carol
//! alice may "systemctl restart nginx" needs approval
//! eve may not "systemctl restart nginx" as root
//! ```

mod asked;
mod needs;
mod parse;
mod program;
mod sentence;
mod setting;
#[cfg(test)]
mod tests;
mod told;
mod words;
mod world;

use jiff::tz::TimeZoneDatabase;
use serde::Serialize;

use crate::diagnostic::{Diagnostics, Place, Source};
use crate::load::Problems;
use crate::policy::Policy;
use sentence::Sentence;
use world::World;

/// A file of expectations, understood.
#[derive(Debug)]
pub struct Expectations(Vec<(Sentence, World)>);

/// One expectation, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Where it stands.
    pub place: Place,
    /// The sentence as written.
    pub text: String,
    /// What the policy says instead, and why; `None` where it is as expected.
    pub wrong: Option<String>,
}

impl Expectations {
    /// Reads a file of expectations.
    ///
    /// # Errors
    /// Everything that cannot be understood, with line, column and the wrong word.
    pub fn parse(source: &Source, zones: &TimeZoneDatabase) -> Result<Self, Diagnostics> {
        let problems = Problems::default();
        let sentences = parse::file(source, zones, &problems);
        let diagnostics = problems.into_diagnostics();
        match diagnostics.is_empty() {
            true => Ok(Self(sentences)),
            false => Err(diagnostics),
        }
    }

    /// Asks the policy about each of them, in their order.
    #[must_use]
    pub fn check(&self, policy: &Policy) -> Vec<Checked> {
        let checked = self.0.iter().map(|(sentence, world)| Checked {
            place: sentence.place.clone(),
            text: sentence.text.clone(),
            wrong: asked::wrong(sentence, world, policy),
        });
        checked.collect()
    }
}
