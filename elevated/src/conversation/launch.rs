//! From a grant to what its leader needs.

use elevate_protocol::Bytes;
use elevate_protocol::launch::{Edit, EditFile, File, Header, Launch, Order, Record};
use elevate_protocol::stdio::{self, Route, Three};

use super::environment::{self, Facts};
use crate::daemon::Daemon;
use crate::elevation::{Elevation, Subject};

/// The packet that has the launcher begin a granted elevation.
pub(super) fn order(daemon: &Daemon, elevation: &Elevation) -> Vec<u8> {
    let id = elevation.id;
    let command = |file, argv| {
        let order = Order::Lead;
        Header { order, id }.packet(&lead(daemon, elevation, file, argv))
    };
    match &elevation.asked.subject {
        Subject::Command(file) | Subject::Login(file) | Subject::Transfer(file) => {
            command(file, elevation.asked.argv.clone())
        }
        Subject::ByLoginShell(file, shell) => {
            command(shell, by_login_shell(file, shell, &elevation.asked.argv))
        }
        Subject::Edit(files) => {
            let order = Order::Edit;
            Header { order, id }.packet(&edit(daemon, elevation, files))
        }
    }
}

fn edit(daemon: &Daemon, elevation: &Elevation, files: &[EditFile]) -> Edit {
    let asked = &elevation.asked;
    Edit {
        caller: asked.caller.account.clone(),
        target: asked.target.clone(),
        files: files.to_vec(),
        deadline: elevation.deadline.unwrap_or_default(),
        warnings: warnings(daemon),
    }
}

fn lead(daemon: &Daemon, elevation: &Elevation, file: &File, argv: Vec<Bytes>) -> Launch {
    let asked = &elevation.asked;
    let terms = &elevation.terms;
    Launch {
        caller: asked.caller.account.clone(),
        login_uid: asked.caller.login_uid,
        target: asked.target.clone(),
        argv,
        file: file.clone(),
        cwd: asked.cwd.clone(),
        environment: environment(daemon, elevation),
        umask: asked.umask,
        window: asked.window,
        routes: routes(elevation),
        record: terms.record,
        on_full: terms.on_full,
        execs: terms.execs,
        confinement: terms.confinement.clone(),
        limited: terms.limited(),
        deadline: elevation.deadline.unwrap_or_default(),
        warnings: warnings(daemon),
        grace: terms.grace.as_millis() as u64,
        idle: terms.idle.map(|idle| idle.as_millis() as u64),
        watched: daemon.is_watched(elevation.id),
        rule: elevation.rule.clone(),
    }
}

/// A login keeps what it has; everybody else gets what the rule and we let them have.
fn environment(daemon: &Daemon, elevation: &Elevation) -> Vec<Bytes> {
    let asked = &elevation.asked;
    if asked.subject.is_login() {
        return asked.environment.clone();
    }
    let facts = Facts {
        caller: &asked.caller.account,
        target: &asked.target,
        argv: &asked.argv,
        id: elevation.id,
        secure_path: &daemon.settings.secure_path,
    };
    environment::build(facts, &asked.environment)
}

/// The files that `sftp` passes go by the record; what it says of them is for the leader alone.
fn routes(elevation: &Elevation) -> Three<Route> {
    let stdio = elevation.asked.stdio;
    let recorded = stdio::routes(stdio, elevation.terms.record != Record::None);
    match elevation.asked.subject {
        Subject::Transfer(_) => {
            let [input, output, _] = stdio::routes(stdio, false);
            [input, output, Route::Log]
        }
        _ => recorded,
    }
}

fn warnings(daemon: &Daemon) -> Vec<u64> {
    let warnings = &daemon.settings.warnings;
    warnings.iter().map(|one| one.as_millis() as u64).collect()
}

/// The words of a login shell that executes a command: `-bash -c '/usr/bin/id -u'`.
fn by_login_shell(file: &File, shell: &File, argv: &[Bytes]) -> Vec<Bytes> {
    let name = shell.path.rsplit(|byte| *byte == b'/').next();
    let called = [b"-", name.unwrap_or_default()].concat();
    let words = std::iter::once(&file.path).chain(&argv[1..]);
    let quoted: Vec<_> = words.map(|word| quoted(word)).collect();
    vec![Bytes(called), "-c".into(), Bytes(quoted.join(&b' '))]
}

/// For a shell: in single quotes. No backslash of ours ever follows a byte of the word, since in some
/// locales the two would be one character (Shift JIS, GBK) and what comes next unquoted; a quote is
/// part of no character.
fn quoted(word: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in word {
        match byte {
            // Some shells look for their history within quotes, too.
            b'\'' | b'!' => quoted.extend_from_slice(&[b'\'', b'\\', byte, b'\'']),
            byte => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_shell_gives_every_word_back_as_it_was() {
        for word in [
            "a b", "", "*", "$(id)", "`id`", "'", "\"", "\\", "~", "#x", "a\nb", "é", "!x",
            "{a,b}", "-n",
        ] {
            let script = [b"printf %s ".to_vec(), quoted(word.as_bytes())].concat();
            let script = String::from_utf8(script).unwrap();
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{script}");
        }
    }

    #[test]
    fn no_backslash_joins_a_byte_of_a_word() {
        for word in [&b"\x81;id;"[..], b"\x81'", b"\x81!"] {
            let quoted = quoted(word);
            let ours = |pair: &[u8]| pair[1] == b'\\' && b"'!".contains(&pair[2]);
            let joined = quoted
                .windows(3)
                .any(|three| ours(three) && three[0] != b'\'');
            assert!(!joined, "{quoted:?}");
        }
    }
}
