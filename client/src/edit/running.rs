//! The editor, from its start to its end, with the terminal left to it.

use std::path::Path;
use std::process::Command;

use elevate_protocol::escape;
use nix::sys::signal::Signal;
use rustix::process::{Pid, WaitOptions, WaitStatus, kill_process, waitpid};

use super::editor::Editor;
use super::link::{Link, interrupted};
use super::{Undone, tell};
use crate::exit::Exit;
use crate::failure::Failure;

/// Run `editor` on `paths` until it ends well.
pub(super) fn run(link: &mut Link<'_>, editor: &Editor, paths: &[&Path]) -> Result<(), Undone> {
    let mut command = Command::new(editor.program());
    command.args(editor.arguments()).args(paths);
    let child = command
        .spawn()
        .map_err(|error| cannot_run(editor, &error))?;
    let (status, asked_to_end) = wait(link, Pid::from_child(&child))?;
    if let Some(signal) = asked_to_end {
        return Err(interrupted(signal));
    }
    judge(status)?;
    match link.over() {
        Some(why) => Err(why.clone().into()),
        None => Ok(()),
    }
}

/// Wait for the editor; its status, and the signal by which somebody asked us to end meanwhile.
fn wait(link: &mut Link<'_>, pid: Pid) -> Result<(WaitStatus, Option<Signal>), Failure> {
    let (mut asked_to_end, mut told) = (None, false);
    loop {
        let mut continued = false;
        for signal in link.wait()? {
            match signal {
                Signal::SIGCHLD => {}
                Signal::SIGCONT => continued = true,
                // Of the keyboard, and the editor's as well: it decides what they mean.
                Signal::SIGINT | Signal::SIGQUIT => {}
                other => {
                    asked_to_end = Some(other);
                    pass_on(pid, other);
                }
            }
        }
        if let Some(why) = link.over().filter(|_| !told) {
            told = true;
            tell(&format!(
                "{why}; what you save from now on stays in the copy"
            ));
        }
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        match waitpid(Some(pid), options)? {
            Some((_, status)) if status.stopped() => {
                // Where the whole job was stopped, we were too, and this is old news.
                if !continued {
                    stop();
                }
                let _ = kill_process(pid, rustix::process::Signal::CONT);
            }
            Some((_, status)) => return Ok((status, asked_to_end)),
            None => {}
        }
    }
}

fn pass_on(pid: Pid, signal: Signal) {
    if let Some(signal) = rustix::process::Signal::from_named_raw(signal as i32) {
        let _ = kill_process(pid, signal);
    }
}

/// Stop with the whole job until the shell continues us. Returns at once where nobody could.
fn stop() {
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
}

/// An editor that fails has not finished: `:cq` in vi, and whatever git and crontab(1) take for
/// giving up.
fn judge(status: WaitStatus) -> Result<(), Undone> {
    let (exit, how) = match (status.exit_status(), status.terminating_signal()) {
        (Some(0), _) => return Ok(()),
        (Some(code), _) => (
            Exit::Status(u8::try_from(code).unwrap_or(1)),
            format!("ended with status {code}"),
        ),
        (None, Some(signal)) => (
            Exit::Signal(signal),
            format!("was ended by signal {signal}"),
        ),
        (None, None) => (Exit::Status(1), "ended in no known way".to_owned()),
    };
    let why = Failure::new(format!("the editor {how}; nothing was written"));
    Err(Undone { exit, why })
}

fn cannot_run(editor: &Editor, error: &std::io::Error) -> Failure {
    use std::os::unix::ffi::OsStrExt as _;
    let program = escape::line(editor.program().as_bytes());
    Failure::new(format!("cannot run the editor {program}: {error}"))
        .hint("name another with: EDITOR=/path/to/editor elevate -e FILE")
}
