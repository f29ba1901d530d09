use std::process::{self, Stdio};
use std::time::Duration;

use crate::Running;

/// How long a command may take unless a test says otherwise. Generous: it only bounds what hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command that will run in a machine without a terminal.
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    line: String,
    stdin: Vec<u8>,
    timeout: Duration,
}

impl Command {
    pub(crate) fn new(inner: process::Command, line: String) -> Self {
        Self {
            inner,
            line,
            stdin: Vec::new(),
            timeout: PATIENCE,
        }
    }

    /// What it reads; nothing by default.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How long it may take, instead of a minute.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts it and does not wait.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn start(mut self) -> Running {
        self.inner
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        match self.inner.spawn() {
            Ok(child) => Running::new(child, self.line, self.stdin, self.timeout),
            Err(why) => panic!("cannot start {}: {why}", self.line),
        }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it cannot be started or takes longer than its timeout.
    #[track_caller]
    pub fn run(self) -> Output {
        self.start().wait()
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The command, for messages.
    pub line: String,
    /// Its exit code; 128 + N where signal N ended it. Over ssh such an end shows as 255.
    pub status: i32,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// This output, of a command that succeeded.
    ///
    /// # Panics
    /// If it did not.
    #[track_caller]
    pub fn success(self) -> Self {
        self.status(0)
    }

    /// This output, of a command that ended with exactly this status.
    ///
    /// # Panics
    /// If it ended otherwise.
    #[track_caller]
    pub fn status(self, wanted: i32) -> Self {
        assert!(
            self.status == wanted,
            "wanted status {wanted}:\n{}",
            self.describe()
        );
        self
    }

    /// Standard output as text, without the white space around it.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }

    /// Standard error as text, without the white space around it.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }

    /// Everything there is to know, for a message.
    pub fn describe(&self) -> String {
        let Self { line, status, .. } = self;
        format!(
            "{line}\nstatus {status}\nstdout: {}\nstderr: {}",
            self.text(),
            self.errors()
        )
    }
}
