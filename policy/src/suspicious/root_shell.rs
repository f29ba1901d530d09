//! Commands that let whoever may run them as root do anything.

use super::programs::{self, By, Program, Way, When};
use super::{Found, Suspicion};
use crate::command::{Command, Leeway};
use crate::policy::Policy;
use crate::rule::Rule;
use crate::run_as::RunAs;
use crate::session::{Execs, SessionSettings};
use crate::shown::shown_bytes;

/// `ALL` and `SHELL` say themselves what they hand out, and nothing is said of them.
pub(super) fn look(policy: &Policy, found: &mut Found) {
    for rule in policy.rules() {
        let Some(session) = session_of_root(rule) else {
            continue;
        };
        for command in &rule.commands {
            let Some((path, program)) =
                command.leeway().and_then(|leeway| way_out(leeway, session))
            else {
                continue;
            };
            let message = message(command, &path, program);
            found.add(
                Suspicion::RootShell,
                command.text(),
                command.place(),
                message,
            );
        }
    }
}

/// How an allow rule's sessions run, where they can be root's on the host itself.
fn session_of_root(rule: &Rule) -> Option<&SessionSettings> {
    let session = &rule.terms.as_ref()?.session;
    let root = rule.run_as.iter().any(RunAs::may_be_root) && !rule.spares_root();
    (root && session.contain.is_none()).then_some(session)
}

fn message(command: &Command, path: &[u8], program: &Program) -> String {
    let named = command.literal_paths().any(|literal| literal == path);
    let which = match named {
        true => String::new(),
        false => format!(" (its wildcard takes in `{}`)", shown_bytes(path)),
    };
    format!(
        "this hands out all that root can do{which}: {}; {}",
        program.why, program.advice
    )
}

/// The first program that the entry can run and that leads out, by the path it is run by.
fn way_out(leeway: Leeway<'_>, session: &SessionSettings) -> Option<(Vec<u8>, &'static Program)> {
    let leads_out = |program: &Program| {
        let mut ways = program.ways.iter();
        ways.any(|way| is_open(way, session) && is_met(&way.when, leeway, program))
    };
    for path in leeway.programs() {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let mut called = programs::all().filter(|program| program.is_called(name));
        if let Some(program) = called.find(|program| leads_out(program)) {
            return Some((path.to_vec(), program));
        }
    }
    let folders = ["/usr/bin/", "/usr/sbin/"];
    programs::all().find_map(|program| {
        let paths = program.names.iter().flat_map(|name| {
            let path = move |folder: &&str| [folder, *name].concat().into_bytes();
            folders.iter().map(path)
        });
        let mut runnable = paths.filter(|path| leeway.can_run(path));
        let path = runnable.next()?;
        leads_out(program).then_some((path, program))
    })
}

fn is_open(way: &Way, session: &SessionSettings) -> bool {
    session.execs != Execs::Deny || way.by != By::Exec
}

fn is_met(when: &When, leeway: Leeway<'_>, program: &Program) -> bool {
    match when {
        When::Always => true,
        When::Alone => is_alone(leeway),
        When::Open => leeway.open(),
        When::Chosen => leeway.open() || (0..leeway.spoken_of()).any(|at| is_free(leeway, at)),
        When::Operand(wanted) => can_choose_operand(leeway, *wanted),
        When::Last => {
            let last = leeway.spoken_of().checked_sub(1);
            leeway.open() || last.is_some_and(|last| is_any_file(leeway, last))
        }
        When::Has(words) => {
            let words: Vec<_> = words.split(' ').collect();
            let end = match program.options_end {
                true => verb_at(leeway),
                false => leeway.spoken_of(),
            };
            (0..=end).any(|at| can_hold(leeway, at, &words))
        }
        When::Verb(verbs) => leeway.open() && can_ask(leeway, verbs),
        When::Without(options) => {
            let mut words = (0..leeway.spoken_of()).filter_map(|at| leeway.fixed(at));
            !words.any(|word| options.iter().any(|option| option.as_bytes() == word))
        }
        When::Pages(verbs) => {
            let unpaged = |at| matches!(leeway.fixed(at), Some(b"--no-pager" | b"-P"));
            let told = (0..leeway.spoken_of()).any(unpaged);
            !told && (verbs.is_empty() || can_ask(leeway, verbs))
        }
    }
}

/// Whether the first word that is no option, nor a path as `-C` takes one, can be one of these.
fn can_ask(leeway: Leeway<'_>, verbs: &[&str]) -> bool {
    let first = verb_at(leeway);
    let is_path = leeway
        .fixed(first)
        .is_some_and(|word| word.starts_with(b"/"));
    let at = first + usize::from(is_path);
    verbs.iter().any(|verb| leeway.can_be(at, verb.as_bytes()))
}

/// What a caller would put where they may put something.
const THEIRS: &[&[u8]] = &[
    b"x",
    b"sh",
    b"bash",
    b"/bin/sh",
    b"/bin/bash",
    b"/usr/bin/sh",
    b"/usr/bin/bash",
    b"/tmp/x",
    b"/home/x/x",
];

fn is_free(leeway: Leeway<'_>, at: usize) -> bool {
    THEIRS.iter().any(|word| leeway.can_be(at, word))
}

fn is_any_file(leeway: Leeway<'_>, at: usize) -> bool {
    let files: [&[u8]; 2] = [b"/etc/shadow", b"shadow"];
    files.iter().any(|file| leeway.can_be(at, file))
}

/// Whether these words can stand one after another, from `at` on; `X` is what the caller likes.
fn can_hold(leeway: Leeway<'_>, at: usize, words: &[&str]) -> bool {
    let mut places = words.iter().zip(at..);
    places.all(|(word, at)| match *word {
        "X" => is_free(leeway, at),
        word => leeway.can_be(at, word.as_bytes()),
    })
}

/// Whether a word is no option, no number and no `NAME=value`.
fn is_operand(word: &[u8]) -> bool {
    let begins = word
        .first()
        .is_some_and(|byte| *byte != b'-' && !byte.is_ascii_digit());
    begins && !word.contains(&b'=')
}

/// Where the first word stands that is no option.
fn verb_at(leeway: Leeway<'_>) -> usize {
    let is_option = |at: &usize| leeway.fixed(*at).is_some_and(|word| !is_operand(word));
    (0..leeway.spoken_of()).take_while(is_option).count()
}

/// Whether it can be started with nothing but options, and more than to tell of itself.
fn is_alone(leeway: Leeway<'_>) -> bool {
    let tells: [&[u8]; 4] = [b"--help", b"-h", b"--version", b"-V"];
    let idle = |at| leeway.fixed(at).is_some_and(|word| tells.contains(&word));
    verb_at(leeway) == leeway.spoken_of() && !(0..leeway.spoken_of()).any(idle)
}

/// Whether the operand that so many others precede is the caller's choice.
fn can_choose_operand(leeway: Leeway<'_>, wanted: usize) -> bool {
    let mut before = 0;
    for at in 0..leeway.spoken_of() {
        if before == wanted && is_free(leeway, at) {
            return true;
        }
        before += usize::from(leeway.fixed(at).is_none_or(is_operand));
    }
    leeway.open() && before <= wanted
}
