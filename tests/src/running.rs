use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Output;

/// A command under way in a machine. Dropped before its end, it is left to itself: it ends with the
/// machine.
#[derive(Debug)]
pub struct Running {
    child: Child,
    line: String,
    deadline: Instant,
    stdout: Collector,
    stderr: Collector,
}

impl Running {
    pub(crate) fn new(mut child: Child, line: String, input: Vec<u8>, limit: Duration) -> Self {
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let stdout = Collector::start(child.stdout.take().expect("stdout is piped"));
        let stderr = Collector::start(child.stderr.take().expect("stderr is piped"));
        // Whether it wants to read all of it is the command's own business.
        thread::spawn(move || stdin.write_all(&input));
        Self {
            child,
            line,
            deadline: Instant::now() + limit,
            stdout,
            stderr,
        }
    }

    /// What it has written to standard output so far, as text.
    pub fn stdout_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stdout.so_far()).into_owned()
    }

    /// What it has written to standard error so far, as text.
    pub fn stderr_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stderr.so_far()).into_owned()
    }

    /// Whether it has ended, and with it its output.
    pub fn ended(&self) -> bool {
        self.stdout.ended() && self.stderr.ended()
    }

    /// Waits for its end, and for the end of its output.
    ///
    /// # Panics
    /// If that takes longer than its timeout, counted from its start.
    #[track_caller]
    pub fn wait(mut self) -> Output {
        loop {
            if let (true, Ok(Some(status))) = (self.ended(), self.child.try_wait()) {
                return Output {
                    line: self.line,
                    status: code(status),
                    stdout: self.stdout.so_far(),
                    stderr: self.stderr.so_far(),
                };
            }
            assert!(
                Instant::now() < self.deadline,
                "still running after its time: {}\nstdout: {}\nstderr: {}",
                self.line,
                self.stdout_so_far(),
                self.stderr_so_far(),
            );
            thread::sleep(Duration::from_micros(500));
        }
    }
}

/// The status as a shell would show it.
pub(crate) fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Reads a pipe to its end in a thread of its own.
#[derive(Debug)]
struct Collector {
    seen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Collector {
    fn start(mut pipe: impl Read + Send + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                into.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(&buffer[..count]);
            }
        });
        Self { seen, reader }
    }

    fn ended(&self) -> bool {
        self.reader.is_finished()
    }

    fn so_far(&self) -> Vec<u8> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
