//! A terminal with a shell's job control, and `elevatectl` in it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use elevate_protocol::recording::{Encoder, Header, Term};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{InputModes, LocalModes, OutputModes, Winsize, tcgetattr, tcsetwinsize};

/// Longer than anything here takes; what should come is waited for, never slept for.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_elevatectl");

/// A recording of 60 by 10 in a file of its own, which `write` makes.
pub(crate) fn recording(write: impl FnOnce(&mut Encoder) -> String) -> tempfile::NamedTempFile {
    let header = Header {
        version: 3,
        term: Term {
            cols: 60,
            rows: 10,
            kind: None,
        },
        timestamp: 1_000,
        command: "id".into(),
        title: "alice as root by rule all".into(),
    };
    let text = header.line() + &write(&mut Encoder::default());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    file.write_all(&packed).unwrap();
    file
}

type Modes = (LocalModes, InputModes, OutputModes);

fn modes(terminal: &OwnedFd) -> Modes {
    let modes = tcgetattr(terminal).unwrap();
    (modes.local_modes, modes.input_modes, modes.output_modes)
}

/// A test's terminal, and the shell in it.
pub(crate) struct Stage {
    before: Modes,
    shell: Child,
    master: File,
    slave: OwnedFd,
    seen: String,
}

impl Stage {
    /// Run `script` in bash, as the foreground of a new terminal of 24 by 80.
    pub(crate) fn script(script: &str) -> Stage {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = ioctl_tiocgptpeer(&master, flags).unwrap();
        let before = modes(&slave);
        let terminal = || Stdio::from(slave.try_clone().unwrap());
        let shell = Command::new("setsid")
            .args(["--ctty", "env", "--default-signal=HUP,INT,QUIT,TERM"])
            .args(["bash", "-c", script])
            .env("TERM", "xterm")
            .stdin(terminal())
            .stdout(terminal())
            .stderr(terminal())
            .spawn()
            .unwrap();
        let stage = Stage {
            before,
            shell,
            master: master.into(),
            slave,
            seen: String::new(),
        };
        stage.resize(24, 80);
        stage
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.master, size).unwrap();
    }

    /// Whether the terminal is as it was before.
    pub(crate) fn is_restored(&self) -> bool {
        modes(&self.slave) == self.before
    }

    /// Wait until the terminal got `text`, and forget what it got until then.
    pub(crate) fn until_seen(&mut self, text: &str) {
        let begin = Instant::now();
        loop {
            if let Some(place) = self.seen.find(text) {
                self.seen.drain(..place + text.len());
                return;
            }
            let came = begin.elapsed() < PATIENCE && self.see();
            assert!(came, "{text:?} not in {:?}", self.seen);
        }
    }

    /// Send a signal to every process in the foreground.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let group = rustix::termios::tcgetpgrp(&self.master).unwrap();
        rustix::process::kill_process_group(group, signal).unwrap();
    }

    fn see(&mut self) -> bool {
        let mut waiting = [PollFd::new(&self.master, PollFlags::IN)];
        if poll(&mut waiting, Some(&PATIENCE.try_into().unwrap())).unwrap() == 0 {
            return false;
        }
        let mut bytes = [0; 65536];
        let count = self.master.read(&mut bytes).unwrap_or(0);
        self.seen += &String::from_utf8_lossy(&bytes[..count]);
        count > 0
    }

    /// How the shell ended, and what the terminal got since it was last looked at.
    pub(crate) fn finish(mut self) -> (i32, String) {
        let begin = Instant::now();
        loop {
            // Somebody must read the terminal, or the shell waits for it.
            while self.is_ready() && self.see() {}
            if let Some(status) = self.shell.try_wait().unwrap() {
                while self.is_ready() && self.see() {}
                assert!(self.is_restored(), "the terminal was not restored");
                return (shell_status(status), self.seen.clone());
            }
            let seen = &self.seen;
            assert!(begin.elapsed() < PATIENCE, "it does not end; seen: {seen}");
            std::thread::yield_now();
        }
    }

    fn is_ready(&self) -> bool {
        let mut waiting = [PollFd::new(&self.master, PollFlags::IN)];
        poll(&mut waiting, Some(&Timespec::default())).unwrap() > 0
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// The status, or 128 and the signal, as a shell has it.
fn shell_status(status: ExitStatus) -> i32 {
    let signal = status.signal().map(|signal| 128 + signal);
    signal.or(status.code()).unwrap_or(-1)
}
