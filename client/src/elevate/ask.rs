//! What is told to the daemon about the command and about us.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use elevate_protocol::bus::ask;
use elevate_protocol::limits;
use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::{harmless, kept_by_default};
use zbus::Variant;

use crate::bus::Ask;
use crate::cli::{Options, What};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The argument of `Manager.Elevate`. `asks` says whether questions can be answered.
pub(super) fn ask(
    options: &Options,
    kinds: Three<Kind>,
    terminal: Option<&Terminal>,
    asks: bool,
) -> Result<Ask, Failure> {
    let folder = folder()?;
    let environment = environment(std::env::vars_os());
    let argv = argv(options, &folder)?;
    let here = without_links(folder_of(options, folder));
    let mut asked = Ask::from([
        (ask::ARGV, Variant::new(argv)),
        (ask::CWD, Variant::new(here)),
        (ask::ENVIRONMENT, Variant::new(environment)),
        (ask::STDIO, Variant::new(kinds.map(name).to_vec())),
        (ask::UMASK, Variant::new(umask())),
    ]);
    put_texts(
        &mut asked,
        [
            (ask::USER, &options.target.user),
            (ask::GROUP, &options.target.group),
            (ask::REASON, &options.reason),
            (ask::TICKET, &options.ticket),
            (ask::RULE, &options.rule),
        ],
    );
    if let Some(duration) = options.duration {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        asked.insert(ask::DURATION, Variant::new(milliseconds));
    }
    let window = terminal.and_then(Terminal::window);
    if let Some(window) = window {
        asked.insert(ask::WINDOW, Variant::new((window.rows, window.columns)));
    }
    let shell = match options.what {
        What::Shell => Some("plain"),
        What::Login => Some("login"),
        What::Command | What::Edit => None,
    };
    if let Some(shell) = shell {
        asked.insert(ask::SHELL, Variant::new(shell.to_owned()));
    }
    let set = set(options, |name| std::env::var_os(name));
    if !set.is_empty() {
        asked.insert(ask::SET, Variant::new(set));
    }
    let yes = [
        (ask::NON_INTERACTIVE, options.questions.non_interactive),
        (ask::EDIT, options.what == What::Edit),
        (ask::PRESERVE, options.preserve),
        (ask::FORGET, options.forget),
        // Whoever has a terminal can be asked anyway.
        (ask::ANSWERS, asks && window.is_none()),
    ];
    asked.extend(
        yes.into_iter()
            .filter(|(_, yes)| *yes)
            .map(|(key, _)| (key, Variant::new(true))),
    );
    Ok(asked)
}

/// Our own umask, which can be read only by setting it. Nothing else runs here meanwhile.
fn umask() -> u32 {
    let mask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(mask);
    mask.as_raw_mode()
}

/// Add those that are given.
pub(crate) fn put_texts<const N: usize>(
    asked: &mut Ask,
    texts: [(&'static str, &Option<String>); N],
) {
    for (key, text) in texts {
        if let Some(text) = text {
            asked.insert(key, Variant::new(text.clone()));
        }
    }
}

/// The words, with files to be edited as paths from the root on.
fn argv(options: &Options, folder: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut argv = words(&options.command)?;
    if options.what == What::Edit {
        let folder = folder_of(options, folder.to_vec());
        for file in &mut argv {
            *file = beneath(&folder, std::mem::take(file));
        }
    }
    Ok(argv)
}

/// Where it is to run.
fn folder_of(options: &Options, here: Vec<u8>) -> Vec<u8> {
    match &options.folder {
        Some(folder) => beneath(&here, folder.as_bytes().to_vec()),
        None => here,
    }
}

/// A folder by its own name, as far as we may see it: what leads there must not change later.
fn without_links(folder: Vec<u8>) -> Vec<u8> {
    let real = std::fs::canonicalize(OsStr::from_bytes(&folder));
    real.map_or(folder, |real| real.into_os_string().into_vec())
}

/// `path` as it is meant in `folder`. No link is followed, and no `..`: behind a link that would lead
/// elsewhere, and whoever opens it says where.
fn beneath(folder: &[u8], path: Vec<u8>) -> Vec<u8> {
    match path.first() {
        Some(b'/') => path,
        _ if folder.ends_with(b"/") => [folder, &path].concat(),
        _ => [folder, b"/", &path].concat(),
    }
}

/// The variables that must be set: those of `--preserve-env` that are set here, and the ones that
/// the command line sets. Of several with one name the last counts.
fn set(options: &Options, value: impl Fn(&str) -> Option<OsString>) -> Vec<Vec<u8>> {
    let kept = options.keep.iter().filter_map(|name| {
        let value = value(name)?;
        Some((name.as_bytes().to_vec(), value.into_vec()))
    });
    let set = options.set.iter().filter_map(|set| {
        let end = set.as_bytes().iter().position(|byte| *byte == b'=')?;
        let (name, value) = set.as_bytes().split_at(end);
        Some((name.to_vec(), value[1..].to_vec()))
    });
    let last: BTreeMap<Vec<u8>, Vec<u8>> = kept.chain(set).collect();
    let last = last.into_iter();
    last.map(|(name, value)| assignment(&name, &value))
        .collect()
}

/// A command's words, where they are within what the daemon takes (its message would be a
/// refusal all the same, but the bus could cut the connection first).
pub(crate) fn words(command: &[OsString]) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes: usize = command.iter().map(|word| word.len() + 1).sum();
    if command.len() > limits::ARGV_WORDS || bytes > limits::ARGV_BYTES {
        return Err(Failure::new(format!(
            "the command is too long: at most {} words and {} bytes",
            limits::ARGV_WORDS,
            limits::ARGV_BYTES
        ))
        .hint("put the words into a file or a pipe, where the command can read them"));
    }
    Ok(command
        .iter()
        .map(|word| word.as_bytes().to_vec())
        .collect())
}

/// The working directory, as the kernel has it; `$PWD` is only what somebody says.
pub(crate) fn folder() -> Result<Vec<u8>, Failure> {
    match std::env::current_dir() {
        Ok(folder) if folder.is_absolute() => Ok(folder.into_os_string().into_vec()),
        _ => Err(
            Failure::new("the current folder is gone or cannot be reached from here")
                .hint("change to another folder first: cd /"),
        ),
    }
}

fn environment(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<Vec<u8>> {
    let kept =
        all.filter(|(name, value)| kept_by_default(name.as_bytes()) && harmless(value.as_bytes()));
    within_limits(kept.map(|(name, value)| assignment(name.as_bytes(), value.as_bytes())))
}

/// The variables that [`environment`] leaves for a rule to ask for.
pub(super) fn further(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> impl Iterator<Item = Vec<u8>> {
    let further = all.filter(|(name, _)| !kept_by_default(name.as_bytes()));
    further.map(|(name, value)| assignment(name.as_bytes(), value.as_bytes()))
}

/// One variable of ours, if it is set.
pub(super) fn variable(name: &str) -> Option<Vec<u8>> {
    let value = std::env::var_os(name)?;
    Some(assignment(name.as_bytes(), value.as_bytes()))
}

/// `NAME=value`.
pub(crate) fn assignment(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b"=", value].concat()
}

/// As many of `variables` as the daemon takes.
pub(crate) fn within_limits(variables: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut room = limits::ENVIRONMENT_BYTES;
    let fits = |variable: &Vec<u8>| match room.checked_sub(variable.len() + 1) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    };
    variables
        .filter(fits)
        .take(limits::ENVIRONMENT_VARIABLES)
        .collect()
}

/// The name of a kind on D-Bus, which is its name in messages.
pub(crate) fn name(kind: Kind) -> String {
    match serde_json::to_value(kind) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_variables_are_offered() {
        let all = [
            ("TERM", "xterm"),
            ("LC_ALL", "C"),
            ("LANGUAGE", "../../tmp/x"),
            ("LC_TIME", "%n"),
            ("LD_PRELOAD", "/tmp/x.so"),
            ("BASH_FUNC_x%%", "() { :; }"),
            ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/tmp/x"),
        ];
        let all = all.map(|(name, value)| (name.into(), value.into()));
        let offered = environment(all.into_iter());
        assert_eq!(offered, [b"TERM=xterm".to_vec(), b"LC_ALL=C".to_vec()]);
    }

    #[test]
    fn files_and_folders_are_meant_where_we_are_and_no_part_of_them_is_resolved() {
        let mut options = Options {
            command: ["a", "/etc/./b", "../c"].map(OsString::from).into(),
            what: What::Edit,
            ..Options::default()
        };
        let paths = |options: &Options| argv(options, b"/srv/x").unwrap();
        assert_eq!(
            paths(&options),
            [&b"/srv/x/a"[..], b"/etc/./b", b"/srv/x/../c"]
        );
        options.folder = Some("y".into());
        assert_eq!(paths(&options)[0], b"/srv/x/y/a");
        assert_eq!(folder_of(&options, b"/".to_vec()), b"/y");
        options.what = What::Command;
        assert_eq!(paths(&options)[0], b"a");
    }

    #[test]
    fn what_the_command_line_sets_wins_over_what_is_kept() {
        let options = Options {
            keep: vec!["A".into(), "GONE".into()],
            set: vec!["A=two".into(), "B=".into()],
            ..Options::default()
        };
        let value = |name: &str| (name == "A").then(|| "one".into());
        assert_eq!(set(&options, value), [&b"A=two"[..], b"B="]);
    }

    #[test]
    fn a_huge_variable_is_left_out_and_the_next_is_kept() {
        let huge = assignment(b"LC_A", &vec![b'x'; limits::ENVIRONMENT_BYTES]);
        let kept = within_limits([huge, b"LC_B=1".to_vec()].into_iter());
        assert_eq!(kept, [b"LC_B=1".to_vec()]);
    }

    #[test]
    fn a_command_that_is_too_long_is_refused_before_it_is_sent() {
        let long = vec![OsString::from("x"); limits::ARGV_WORDS + 1];
        assert!(words(&long).unwrap_err().hint.is_some());
        let wide = vec![OsString::from("x".repeat(limits::ARGV_BYTES))];
        assert!(words(&wide).is_err());
    }

    #[test]
    fn kinds_have_the_names_of_the_protocol() {
        assert_eq!(name(Kind::Terminal), "terminal");
        assert_eq!(name(Kind::Closed), "closed");
    }
}
