//! Finds the few rules that can match a file among many.

use std::collections::{BTreeSet, HashMap};

use crate::command::{Command, EditPath, File, usr_merged};
use crate::rule::{Effect, Rule};

/// Positions of rules by the files they speak of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    commands: Paths,
    edits: Paths,
}

/// Positions of rules by the paths they name.
#[derive(Clone, Debug, Default)]
struct Paths {
    by_path: HashMap<Box<[u8]>, Vec<usize>>,
    /// Those with `ALL`, `SHELL` or a wildcard in a path: they may match any file.
    anywhere: Vec<usize>,
}

impl Index {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            let (commands, edit) = (&rule.commands, &rule.edit);
            match commands.iter().all(|command| command.is_literal()) {
                true => index
                    .commands
                    .add(at, commands.iter().flat_map(|one| one.literal_paths())),
                false => index.commands.anywhere.push(at),
            }
            // No file can be edited where everything is forbidden.
            let nothing_goes = rule.effect() == Effect::Deny
                && commands.iter().any(|command| command.is_anything());
            match !nothing_goes && edit.iter().all(|path| path.is_literal()) {
                true => index
                    .edits
                    .add(at, edit.iter().flat_map(|one| one.literal_paths())),
                false => index.edits.anywhere.push(at),
            }
        }
        index
    }

    /// The rules that can match `file` as a command, in the order of their names.
    pub(crate) fn commands(&self, file: &File<'_>) -> Vec<usize> {
        self.commands.candidates([&*file.asked, &*file.real])
    }

    /// The rules that can say all that `command` says, in the order of their names.
    pub(crate) fn covering(&self, command: &Command) -> Vec<usize> {
        let literal = command.literal_paths().filter(|_| command.is_literal());
        self.commands.candidates(literal)
    }

    /// The rules that can say all that an entry of `edit` says, in the order of their names.
    pub(crate) fn covering_edit(&self, edit: &EditPath) -> Vec<usize> {
        let literal = edit.literal_paths().filter(|_| edit.is_literal());
        self.edits.candidates(literal)
    }

    /// The rules that can match the edit of some of `paths`, in the order of their names.
    pub(crate) fn edits(&self, paths: &[Vec<u8>]) -> Vec<usize> {
        let paths: Vec<_> = paths.iter().map(|path| usr_merged(path)).collect();
        self.edits.candidates(paths.iter().map(|path| &**path))
    }
}

impl Paths {
    fn add<'a>(&mut self, at: usize, paths: impl Iterator<Item = &'a [u8]>) {
        for path in paths.collect::<BTreeSet<_>>() {
            self.by_path.entry(path.into()).or_default().push(at);
        }
    }

    fn candidates<'a>(&self, paths: impl IntoIterator<Item = &'a [u8]>) -> Vec<usize> {
        let named = |path| self.by_path.get(path).into_iter().flatten();
        let named = paths.into_iter().flat_map(named);
        let mut all: Vec<_> = named.chain(&self.anywhere).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
