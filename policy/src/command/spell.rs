//! An entry as the plain ones that its braces stand for.

use super::glob::Glob;
use super::pattern::{Alternative, Pattern};
use super::{Command, EditPath, Run, Shape};

/// An entry that stands for more is left as it is, and so is one with stars that only braces keep apart.
const MOST: usize = 64;

impl Command {
    /// The same without braces, each written the one way that there is to write it.
    pub(crate) fn spelled_out(&self) -> Vec<Self> {
        let Shape::Run(run) = &self.shape else {
            return vec![self.clone()];
        };
        let words = std::iter::once(&run.path).chain(&run.args);
        let many = words.clone().map(Pattern::len).product::<usize>() > MOST;
        if many || !words.clone().all(is_plain) {
            return vec![self.clone()];
        }
        let lines = words.fold(vec![Vec::new()], |lines: Vec<Vec<Pattern>>, word| {
            let longer = |line: &Vec<Pattern>| {
                let line = line.clone();
                let each = word.each();
                each.map(move |one| line.iter().cloned().chain([one]).collect())
            };
            lines.iter().flat_map(longer).collect()
        });
        let commands = lines.into_iter().filter_map(|mut line| {
            let args = line.split_off(1);
            let path = line.pop()?;
            Some(self.like(Run {
                path,
                args,
                more: run.more,
            }))
        });
        commands.collect()
    }

    fn like(&self, run: Run) -> Self {
        let words = std::iter::once(&run.path).chain(&run.args).map(written);
        let more = run.more.then(|| "...".to_owned());
        let pin = self.pin.map(|pin| pin.to_string());
        let words: Vec<_> = pin.into_iter().chain(words).chain(more).collect();
        Self {
            text: words.join(" "),
            place: self.place.clone(),
            pin: self.pin,
            shape: Shape::Run(run),
        }
    }
}

impl EditPath {
    /// The same without braces.
    pub(crate) fn spelled_out(&self) -> Vec<Self> {
        if self.path().len() > MOST || !is_plain(self.path()) {
            return vec![self.clone()];
        }
        let each = self.path().each();
        each.map(|path| self.like(written(&path), path)).collect()
    }
}

fn is_plain(word: &Pattern) -> bool {
    word.alternatives().iter().all(|one| match one {
        Alternative::Literal(_) => true,
        Alternative::Glob(glob) => glob.is_plain(),
    })
}

/// A word as the policy would have it.
fn written(word: &Pattern) -> String {
    let each: Vec<_> = word.alternatives().iter().map(alternative).collect();
    match &each[..] {
        [one] => one.clone(),
        all => format!("{{{}}}", all.join(",")),
    }
}

fn alternative(alternative: &Alternative) -> String {
    match alternative {
        Alternative::Literal(text) => match text.is_empty() || *text == *b"..." {
            true => format!("'{}'", String::from_utf8_lossy(text)),
            false => escaped(text),
        },
        Alternative::Glob(glob) => glob.pieces(escaped).collect(),
    }
}

/// What would mean something behind a backslash.
fn escaped(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let special = |c: char| " \t\n\r'\"\\*{},?[]$`;|&<>()!~".contains(c);
    let mut out = String::new();
    for c in text.chars() {
        if special(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl Glob {
    /// Its bytes, written by `literal`, and its wildcards.
    fn pieces(&self, literal: impl Fn(&[u8]) -> String) -> impl Iterator<Item = String> {
        let parts = self.parts().into_iter();
        parts.map(move |part| part.unwrap_or_else(|bytes| literal(&bytes)))
    }
}
