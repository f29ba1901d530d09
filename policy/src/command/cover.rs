//! Whether one entry says all that another says.

use super::pattern::Pattern;
use super::{Command, Reading, Run, Shape};

impl Command {
    /// Whether it certainly matches whatever `other` allows. A no may also mean that nobody looked
    /// closely enough.
    pub(crate) fn covers(&self, other: &Self, reading: Reading) -> bool {
        let pinned = self.pin.is_none() || self.pin == other.pin;
        pinned
            && match (&self.shape, &other.shape) {
                (Shape::Anything, _) | (Shape::Shell, Shape::Shell) => true,
                (Shape::Run(wide), Shape::Run(narrow)) => wide.covers(narrow, reading),
                _ => false,
            }
    }
}

impl Run {
    fn covers(&self, narrow: &Self, reading: Reading) -> bool {
        let enough = match self.more {
            true => narrow.args.len() >= self.args.len(),
            false => narrow.args.len() == self.args.len() && !narrow.more,
        };
        let pair = |(wide, narrow): (&Pattern, &Pattern)| wide.covers(narrow, reading);
        enough
            && self.path.covers(&narrow.path, reading)
            && self.args.iter().zip(&narrow.args).all(pair)
    }
}
