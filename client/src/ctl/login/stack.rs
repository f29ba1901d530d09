//! Our lines in a PAM file: where they go, and how they come out again.
//!
//! Every block of ours stands between two comments, so that taking the blocks out is taking out
//! exactly what was put in.

use super::lines::Block;

const BEGIN: &str = "# BEGIN elevate";
const END: &str = "# END elevate";

/// Why a file is not edited; for the person.
pub(super) type Why = String;

/// Where a block goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    BeforeAuth,
    AfterAuth,
    AfterAccount,
    /// After `pam_loginuid` too, wherever it stands.
    AfterSession,
}

/// `text` with `blocks` in their places; `service` is for the comments.
pub(super) fn insert(text: &str, service: &str, blocks: &[Block]) -> Result<String, Why> {
    if let Some(number) = handwritten(text) {
        return Err(format!(
            "line {number} names pam_elevate.so already: take it out first"
        ));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("its last line has no end: add one first".into());
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut places = Vec::new();
    for block in blocks {
        places.push((index(&lines, block.place)?, block));
    }
    let mut edited = String::with_capacity(text.len() + 2048);
    for at in 0..=lines.len() {
        for (_, block) in places.iter().filter(|(index, _)| *index == at) {
            edited += &marked(service, &block.lines);
        }
        edited += lines.get(at).unwrap_or(&"");
    }
    Ok(edited)
}

fn marked(service: &str, lines: &[String]) -> String {
    let lines = lines.join("\n");
    format!("{BEGIN}: `elevatectl login disable {service}` takes these lines out\n{lines}\n{END}\n")
}

/// The number of the line before which a block for `place` goes.
fn index(lines: &[&str], place: Place) -> Result<usize, Why> {
    let (kind, stack) = match place {
        Place::BeforeAuth | Place::AfterAuth => ("auth", "common-auth"),
        Place::AfterAccount => ("account", "common-account"),
        Place::AfterSession => ("session", "common-session"),
    };
    let matching = |wanted: &dyn Fn(&[&str]) -> bool| -> Vec<usize> {
        let numbered = lines.iter().enumerate();
        let found = numbered.filter(|(_, line)| wanted(&words(line)));
        found.map(|(number, _)| number).collect()
    };
    let includes = matching(&|words| includes(words, kind, stack));
    let [include] = includes[..] else {
        let count = includes.len();
        return Err(format!(
            "it includes {stack} {count} times and not once, so that it is unclear where our lines \
             go: see pam_elevate(8) for how to write them by hand"
        ));
    };
    let login_uid = || {
        let of_session = |words: &[&str]| words.first() == Some(&kind);
        let named = |words: &[&str]| words.iter().any(|word| word.ends_with("pam_loginuid.so"));
        matching(&|words| of_session(words) && named(words))
    };
    let at = match place {
        Place::BeforeAuth => include,
        Place::AfterAuth | Place::AfterAccount => include + 1,
        Place::AfterSession => login_uid().into_iter().fold(include, usize::max) + 1,
    };
    // A line that goes on takes the next one in, and what is put between would be part of it.
    let goes_on = |before: usize| lines[before].trim_end().ends_with('\\');
    let before = [include.checked_sub(1), at.checked_sub(1)];
    match before.into_iter().flatten().find(|line| goes_on(*line)) {
        Some(line) => Err(format!(
            "line {} goes on in the next one, where ours belong: write it as one line",
            line + 1
        )),
        None => Ok(at),
    }
}

/// `@include NAME` (Debian's own), or `KIND include NAME` and `KIND substack NAME` (pam.conf(5)).
fn includes(words: &[&str], kind: &str, stack: &str) -> bool {
    match words {
        ["@include", name, ..] => *name == stack,
        [of, "include" | "substack", name, ..] => *of == kind && *name == stack,
        _ => false,
    }
}

/// The words of a line, without its comment.
fn words(line: &str) -> Vec<&str> {
    let rule = line.split('#').next().unwrap_or_default();
    rule.split_whitespace().collect()
}

/// `text` without our blocks.
pub(super) fn remove(text: &str) -> Result<String, Why> {
    let mut kept = String::with_capacity(text.len());
    let mut begun = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        match (line.starts_with(BEGIN), line.trim_end() == END, begun) {
            (true, _, None) => begun = Some(number),
            (true, _, Some(first)) => {
                return Err(format!(
                    "the lines that begin at line {first} have no \"{END}\" before line {number}"
                ));
            }
            (_, true, Some(_)) => begun = None,
            (_, true, None) => {
                return Err(format!(
                    "line {number} ends what never began with \"{BEGIN}\""
                ));
            }
            (_, _, Some(_)) => {}
            (_, _, None) => kept += line,
        }
    }
    match begun {
        Some(first) => Err(format!(
            "the lines that begin at line {first} have no \"{END}\""
        )),
        None => Ok(kept),
    }
}

/// Whether any of our blocks is in `text`.
pub(super) fn has_blocks(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(BEGIN))
}

/// The number of the first line outside of our blocks that names the module.
pub(super) fn handwritten(text: &str) -> Option<usize> {
    let mut ours = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with(BEGIN) {
            ours = true;
        } else if line.trim_end() == END {
            ours = false;
        } else if !ours
            && words(line)
                .iter()
                .any(|word| word.ends_with("pam_elevate.so"))
        {
            return Some(index + 1);
        }
    }
    None
}

/// The number of the first line of `text` that may end the auth stack with a yes before our line
/// comes. What root needs no password for (pam_rootok) is left out.
pub(super) fn ends_early(text: &str) -> Option<usize> {
    let ends = |line: &str| {
        let line = line.trim_start().trim_start_matches('-');
        let words = words(line);
        let control = words.get(1).copied().unwrap_or_default();
        let module = |name: &str| words.iter().any(|word| word.ends_with(name));
        words.first() == Some(&"auth")
            && (control == "sufficient" || line.contains("=done"))
            && !module("pam_rootok.so")
            && !module("pam_elevate.so")
    };
    let place = text.lines().position(ends)?;
    Some(place + 1)
}

/// Whether another service's file takes in the stack of `service`, and so our lines.
pub(super) fn takes_in(text: &str, service: &str) -> bool {
    text.lines().any(|line| {
        let words = words(line);
        let of = words.first().copied().unwrap_or_default();
        includes(&words, of, service)
    })
}

/// Whether a line of ours in `text` is about `service`: names it, or names none.
pub(super) fn names_service(text: &str, service: &str) -> bool {
    let modules = text
        .lines()
        .map(words)
        .filter(|words| words.iter().any(|word| word.ends_with("pam_elevate.so")));
    modules.into_iter().any(|words| {
        let mut lists = words
            .iter()
            .filter_map(|word| word.strip_prefix("services="));
        lists.clone().count() == 0 || lists.any(|list| list.split(',').any(|name| name == service))
    })
}
