//! What a command line of `elevate` orders, and which of its flags go together.

use std::ffi::OsString;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::sudo;
use crate::failure::Failure;

/// What the user wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Run a command or a shell, or edit files.
    Run(Box<Options>),
    /// `-l`: say what may be run.
    List(Listing),
    /// `-v`: have a code given, so that it counts from now on.
    Validate {
        /// How it is asked for.
        questions: Questions,
        /// `-k`: those that were given before count no more.
        forget: bool,
    },
    /// `-k`, `-K`: have no code count that was given before.
    Forget {
        /// At every terminal and login of the user, not only here.
        everywhere: bool,
    },
}

/// What is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum What {
    /// The words as a command.
    #[default]
    Command,
    /// `-s`: a shell, or the words by way of one.
    Shell,
    /// `-i`: a login shell, or the words by way of one.
    Login,
    /// `-e`: the words are files to be edited.
    Edit,
}

/// `-u` and `-g`: as whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The user, by name or `#UID`.
    pub user: Option<String>,
    /// The group, by name or `#GID`.
    pub group: Option<String>,
}

/// How codes and reasons are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Questions {
    /// `-n`: never ask, never wait.
    pub non_interactive: bool,
    /// `-S`: answers come from standard input.
    pub stdin: bool,
    /// `-A`: answers come from a program.
    pub askpass: bool,
    /// `-p`: how a code is asked for, with the escapes of sudo(8).
    pub prompt: Option<String>,
}

/// Something to be run, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// What the words are.
    pub what: What,
    /// The words; none for a shell alone.
    pub command: Vec<OsString>,
    /// As whom.
    pub target: Target,
    /// How questions are asked.
    pub questions: Questions,
    /// `--for`: how long the grant lasts.
    pub duration: Option<Duration>,
    /// `--reason`: why.
    pub reason: Option<String>,
    /// `--ticket`: what for.
    pub ticket: Option<String>,
    /// `--rule`: which rule to use.
    pub rule: Option<String>,
    /// `-D`: where to run it.
    pub folder: Option<OsString>,
    /// `NAME=value`: variables to be set.
    pub set: Vec<OsString>,
    /// `--preserve-env=LIST`: variables to be kept.
    pub keep: Vec<String>,
    /// `-E`: keep them all.
    pub preserve: bool,
    /// `-k`: no code counts that was given before.
    pub forget: bool,
    /// `-b`: let go of the terminal once it runs.
    pub background: bool,
}

/// What `-l` is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// `-U`: whose rules; the user's own if not given.
    pub whose: Option<String>,
    /// `-ll`: with everything that is known of each.
    pub long: bool,
    /// A command that it is about; none for all that may be run.
    pub command: Vec<OsString>,
    /// As whom.
    pub target: Target,
    /// `--rule`: by this rule.
    pub rule: Option<String>,
}

/// The flags that choose what is done, and those that go with each; `help` and `version` are clap's.
const EDIT: (&str, &[&str]) = (
    "edit",
    &[
        "user",
        "group",
        "non-interactive",
        "stdin",
        "askpass",
        "prompt",
        "reset-timestamp",
        "chdir",
        "for",
        "reason",
        "ticket",
        "rule",
    ],
);
const LIST: (&str, &[&str]) = (
    "list",
    &[
        "user",
        "group",
        "other-user",
        "non-interactive",
        "stdin",
        "askpass",
        "prompt",
        "reset-timestamp",
        "rule",
    ],
);
const VALIDATE: (&str, &[&str]) = (
    "validate",
    &[
        "non-interactive",
        "stdin",
        "askpass",
        "prompt",
        "reset-timestamp",
    ],
);
const REMOVE: (&str, &[&str]) = ("remove-timestamp", &["non-interactive"]);
const RESET: (&str, &[&str]) = ("reset-timestamp", &["non-interactive"]);

/// Pairs that never go together, as in sudo.
const APART: &[(&str, &str)] = &[
    ("login", "shell"),
    ("login", "preserve-env"),
    ("askpass", "stdin"),
];

/// What `matches` order, with these variables set before `command`.
pub(super) fn order(
    mut matches: ArgMatches,
    command: Vec<OsString>,
    set: Vec<OsString>,
) -> Result<Order, Failure> {
    let chosen = Given {
        matches: &matches,
        command: &command,
        set: &set,
    }
    .chosen()?;
    Ok(match chosen {
        "list" => Order::List(listing(&mut matches, command)),
        "validate" => Order::Validate {
            forget: matches.get_flag("reset-timestamp"),
            questions: questions(&mut matches),
        },
        "remove-timestamp" => Order::Forget { everywhere: true },
        "reset-timestamp" => Order::Forget { everywhere: false },
        _ => Order::Run(Box::new(options(matches, command, set)?)),
    })
}

/// What was given on the command line.
struct Given<'a> {
    matches: &'a ArgMatches,
    command: &'a [OsString],
    set: &'a [OsString],
}

impl Given<'_> {
    /// The flag that says what is done; none where something is run.
    fn chosen(&self) -> Result<&'static str, Failure> {
        let apart = APART.iter();
        let mut apart = apart.filter(|(one, other)| self.has(one) && self.has(other));
        if let Some((one, other)) = apart.next() {
            return Err(not_together(one, other));
        }
        if self.has("other-user") && !self.has("list") {
            let message = "-U (--other-user) goes only with -l (--list)";
            return Err(Failure::usage(message));
        }
        for chosen in [EDIT, LIST, VALIDATE, REMOVE] {
            if self.has(chosen.0) {
                return self.alone(chosen);
            }
        }
        let shell = self.has("login") || self.has("shell");
        match self.has("reset-timestamp") && self.command.is_empty() && !shell {
            true => self.alone(RESET),
            false => Ok(""),
        }
    }

    fn has(&self, flag: &str) -> bool {
        self.matches.value_source(flag) == Some(ValueSource::CommandLine)
    }

    /// `chosen`, with nothing beside it but what goes with it.
    fn alone(&self, (chosen, allowed): (&'static str, &[&str])) -> Result<&'static str, Failure> {
        let all = self.matches.ids().map(clap::Id::as_str);
        let mut others = all.filter(|id| *id != "command" && *id != chosen && self.has(id));
        if let Some(other) = others.find(|id| !allowed.contains(id)) {
            return Err(not_together(other, chosen));
        }
        let name = sudo::shown(chosen);
        if !self.set.is_empty() {
            let message = format!("NAME=value and {name} do not go together");
            return Err(Failure::usage(message));
        }
        let takes_words = ["edit", "list"].contains(&chosen);
        if !takes_words && !self.command.is_empty() {
            return Err(Failure::usage(format!("{name} takes no command"))
                .hint("run the command by itself after it"));
        }
        Ok(chosen)
    }
}

fn not_together(one: &str, other: &str) -> Failure {
    let (one, other) = (sudo::shown(one), sudo::shown(other));
    Failure::usage(format!("{one} and {other} do not go together"))
        .hint("what goes with what is in: elevate --help")
}

fn options(
    mut matches: ArgMatches,
    command: Vec<OsString>,
    set: Vec<OsString>,
) -> Result<Options, Failure> {
    let what = match () {
        () if matches.get_flag("edit") => What::Edit,
        () if matches.get_flag("login") => What::Login,
        () if matches.get_flag("shell") => What::Shell,
        () => What::Command,
    };
    let (keep, preserve) = kept(&mut matches)?;
    if what == What::Login && matches.contains_id("chdir") {
        return Err(Failure::usage(
            "-D (--chdir) and -i (--login) do not go together: a login begins in the target's home",
        )
        .hint("use -s (--shell), or have the command change its folder"));
    }
    Ok(Options {
        what,
        command,
        target: target(&mut matches),
        questions: questions(&mut matches),
        duration: matches.remove_one("for"),
        reason: matches.remove_one("reason"),
        ticket: matches.remove_one("ticket"),
        rule: matches.remove_one("rule"),
        folder: matches.remove_one("chdir"),
        set,
        keep,
        preserve,
        forget: matches.get_flag("reset-timestamp"),
        background: matches.get_flag("background"),
    })
}

fn listing(matches: &mut ArgMatches, command: Vec<OsString>) -> Listing {
    Listing {
        whose: matches.remove_one("other-user"),
        long: matches.get_count("list") > 1,
        command,
        target: target(matches),
        rule: matches.remove_one("rule"),
    }
}

fn target(matches: &mut ArgMatches) -> Target {
    Target {
        user: matches.remove_one("user"),
        group: matches.remove_one("group"),
    }
}

fn questions(matches: &mut ArgMatches) -> Questions {
    Questions {
        non_interactive: matches.get_flag("non-interactive"),
        stdin: matches.get_flag("stdin"),
        askpass: matches.get_flag("askpass"),
        prompt: matches.remove_one("prompt"),
    }
}

/// The variables to be kept, and whether all are.
fn kept(matches: &mut ArgMatches) -> Result<(Vec<String>, bool), Failure> {
    let lists: Vec<String> = matches
        .remove_many("preserve-env")
        .map_or_else(Vec::new, Iterator::collect);
    let names = lists.iter().flat_map(|list| list.split(','));
    let (all, names): (Vec<&str>, Vec<&str>) = names
        .filter(|name| !name.is_empty())
        .partition(|name| *name == super::elevate::EVERYTHING);
    match names.iter().find(|name| name.contains('=')) {
        Some(_) => Err(Failure::usage(
            "--preserve-env takes names of variables, with commas between them",
        )
        .hint("set one for the command with: elevate NAME=value COMMAND")),
        None => Ok((
            names.into_iter().map(str::to_owned).collect(),
            !all.is_empty(),
        )),
    }
}
