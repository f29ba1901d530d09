//! Finds the few rules that can match a file among many.

use std::collections::{BTreeSet, HashMap};

use crate::command::File;
use crate::rule::Rule;

/// Positions of rules by the paths their commands name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    by_path: HashMap<Box<[u8]>, Vec<usize>>,
    /// Rules with `ALL`, `SHELL` or a wildcard in a path: they may match any file.
    anywhere: Vec<usize>,
}

impl Index {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut index = Self {
            by_path: HashMap::new(),
            anywhere: Vec::new(),
        };
        for (at, rule) in rules.iter().enumerate() {
            if rule.commands.iter().all(|command| command.is_literal()) {
                let paths = rule
                    .commands
                    .iter()
                    .flat_map(|command| command.literal_paths());
                for path in paths.collect::<BTreeSet<_>>() {
                    index.by_path.entry(path.into()).or_default().push(at);
                }
            } else {
                index.anywhere.push(at);
            }
        }
        index
    }

    /// The rules that can match `file`, in the order of their names.
    pub(crate) fn candidates(&self, file: &File<'_>) -> Vec<usize> {
        let named = |path: &[u8]| self.by_path.get(path).map_or(&[][..], Vec::as_slice);
        let mut all = [named(&file.asked), named(&file.real), &self.anywhere].concat();
        all.sort_unstable();
        all.dedup();
        all
    }
}
