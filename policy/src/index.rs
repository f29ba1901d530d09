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
    /// Those with a wildcard in a path, by the folder that comes before it, with its `/`.
    by_folder: HashMap<Box<[u8]>, Vec<usize>>,
    /// Those with `ALL` or `SHELL`: they may match any file.
    anywhere: Vec<usize>,
}

impl Index {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            index.commands.add_commands(at, &rule.commands);
            // No file can be edited where everything is forbidden.
            let nothing_goes = rule.effect() == Effect::Deny
                && rule.commands.iter().any(|command| command.is_anything());
            match nothing_goes {
                true => index.edits.anywhere.push(at),
                false => index.edits.add_edit(at, &rule.edit),
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
        match command.is_literal() {
            true => self.commands.candidates(command.literal_paths()),
            false => self.commands.wild(),
        }
    }

    /// The rules that can say all that an entry of `edit` says, in the order of their names.
    pub(crate) fn covering_edit(&self, edit: &EditPath) -> Vec<usize> {
        match edit.is_literal() {
            true => self.edits.candidates(edit.literal_paths()),
            false => self.edits.wild(),
        }
    }

    /// The rules that can match the edit of some of `paths`, in the order of their names.
    pub(crate) fn edits(&self, paths: &[Vec<u8>]) -> Vec<usize> {
        let paths: Vec<_> = paths.iter().map(|path| usr_merged(path)).collect();
        self.edits.candidates(paths.iter().map(|path| &**path))
    }
}

impl Paths {
    fn add_commands(&mut self, at: usize, commands: &[Command]) {
        let folders: Option<Vec<_>> = commands.iter().map(Command::folders).collect();
        let Some(folders) = folders else {
            return self.anywhere.push(at);
        };
        let literal = commands.iter().flat_map(Command::literal_paths);
        add(&mut self.by_path, at, literal);
        add(&mut self.by_folder, at, folders.into_iter().flatten());
    }

    fn add_edit(&mut self, at: usize, edit: &[EditPath]) {
        let literal = edit.iter().flat_map(EditPath::literal_paths);
        add(&mut self.by_path, at, literal);
        add(
            &mut self.by_folder,
            at,
            edit.iter().flat_map(EditPath::folders),
        );
    }

    fn candidates<'a>(&self, paths: impl IntoIterator<Item = &'a [u8]>) -> Vec<usize> {
        let mut all = self.anywhere.clone();
        for path in paths {
            all.extend(self.by_path.get(path).into_iter().flatten());
            for folder in folders_of(path) {
                all.extend(self.by_folder.get(folder).into_iter().flatten());
            }
        }
        in_order(all)
    }

    /// Those with a wildcard of any kind.
    fn wild(&self) -> Vec<usize> {
        let folders = self.by_folder.values().flatten();
        in_order(folders.chain(&self.anywhere).copied().collect())
    }
}

fn add<'a>(
    map: &mut HashMap<Box<[u8]>, Vec<usize>>,
    at: usize,
    keys: impl Iterator<Item = &'a [u8]>,
) {
    for key in keys.collect::<BTreeSet<_>>() {
        map.entry(key.into()).or_default().push(at);
    }
}

/// Every folder on the way to `path`, each with its `/`.
fn folders_of(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    ends.map(|(end, _)| &path[..=end])
}

fn in_order(mut all: Vec<usize>) -> Vec<usize> {
    all.sort_unstable();
    all.dedup();
    all
}
