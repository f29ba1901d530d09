//! `elevate-shell`: the login shell of people whose logins are recorded. It has the daemon begin the
//! shell that they really have, as a recorded session; where nothing is to be recorded it becomes that
//! shell. Nothing that a user wrote runs before it, since it reads no start-up file.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use elevate_protocol::bus::ask;
use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::ToClient;
use zbus::Variant;

use crate::bus::{self, Ask};
use crate::conversation::{Broken, Conversation};
use crate::elevate::ask::{assignment, folder, name, within_limits, words};
use crate::elevate::request::Attach;
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::{session, stdio};

const PROGRAM: &str = "elevate-shell";

/// The whole program; how it ends.
pub fn main() -> Exit {
    let words: Vec<OsString> = std::env::args_os().collect();
    run(&words).unwrap_or_else(|failure| {
        failure.report(PROGRAM);
        Exit::Status(1)
    })
}

fn run(words: &[OsString]) -> Result<Exit, Failure> {
    exit::become_undumpable()?;
    let login = is_login(words);
    let given = words.get(1..).unwrap_or_default();
    let kinds = stdio::inspect()?;
    let terminal = Terminal::open();
    let (shell, stream) = ask(login, given, kinds, terminal.as_ref())?;
    match hold(&stream) {
        Ok(Some(attach)) => session::run(stream, attach, kinds, terminal),
        Ok(None) => Err(become_shell(&shell, login, given)),
        Err(Broken::Failed(failure)) => Err(failure),
        Err(Broken::Interrupted(signal)) => Ok(Exit::Signal(signal)),
    }
}

/// As login(1) and sshd(8) say it.
fn is_login(words: &[OsString]) -> bool {
    let name = words.first().map(|name| name.as_bytes());
    name.is_some_and(|name| name.starts_with(b"-"))
}

/// The shell that is really theirs, and the stream on which the rest happens.
fn ask(
    login: bool,
    given: &[OsString],
    kinds: Three<Kind>,
    terminal: Option<&Terminal>,
) -> Result<(OsString, OwnedFd), Failure> {
    let variables = std::env::vars_os();
    let variables = variables.map(|(name, value)| assignment(name.as_bytes(), value.as_bytes()));
    let shell = if login { "login" } else { "plain" };
    // A login is no worse for a folder that is gone.
    let folder = folder().unwrap_or_else(|_| b"/".to_vec());
    let mut asked = Ask::from([
        (ask::ARGV, Variant::new(words(given)?)),
        (ask::SHELL, Variant::new(shell.to_owned())),
        (ask::CWD, Variant::new(folder)),
        (ask::SET, Variant::new(within_limits(variables))),
        (ask::STDIO, Variant::new(kinds.map(name).to_vec())),
    ]);
    if let Some(window) = terminal.and_then(Terminal::window) {
        asked.insert(ask::WINDOW, Variant::new((window.rows, window.columns)));
    }
    let (shell, stream) = bus::login_shell(asked)?;
    Ok((OsString::from_vec(shell.into_bytes()), stream))
}

/// Prove who we are; the session that begins, or none where nothing is recorded.
fn hold(stream: &OwnedFd) -> Result<Option<Attach>, Broken> {
    let mut conversation = Conversation::begin(stream, None, PROGRAM)?;
    loop {
        match conversation.hear(None)? {
            Some(ToClient::Done) => return Ok(None),
            Some(ToClient::Attach {
                session,
                routes,
                terminal,
            }) => {
                return Ok(Some(Attach {
                    session,
                    routes,
                    terminal,
                }));
            }
            Some(other) => conversation.answer(other)?,
            None => {}
        }
    }
}

/// Go on as the shell itself; only where that fails there is anything to return.
fn become_shell(shell: &OsString, login: bool, given: &[OsString]) -> Failure {
    let bytes = shell.as_bytes();
    let last = bytes.rsplit(|byte| *byte == b'/').next().unwrap_or(bytes);
    let hyphen: &[u8] = if login { b"-" } else { b"" };
    let called = OsString::from_vec([hyphen, last].concat());
    let error = Command::new(shell)
        .arg0(called)
        .args(given)
        .env("SHELL", shell)
        .exec();
    let shell = elevate_protocol::escape::line(shell.as_bytes());
    Failure::new(format!("cannot execute {shell}: {error}"))
        .hint("an administrator sets login_shell in /etc/elevate/elevated.toml")
}
