use std::fmt;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::{self, Child, Stdio};
use std::time::{Duration, Instant};

use regex::bytes::Regex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::running::code;

/// How long to wait for what should come next.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program on a terminal, and a person in front of it. Dropping it hangs the terminal up, as
/// closing a window does.
pub struct Terminal {
    master: OwnedFd,
    child: Child,
    line: String,
    /// Everything that was ever on the screen.
    seen: Vec<u8>,
    /// How much of it earlier calls of `expect` have dealt with.
    expected: usize,
    closed: bool,
}

impl Terminal {
    #[track_caller]
    pub(crate) fn start(command: process::Command, line: String) -> Self {
        match Self::try_start(command) {
            Ok((master, child)) => Self {
                master,
                child,
                line,
                seen: Vec::new(),
                expected: 0,
                closed: false,
            },
            Err(why) => panic!("cannot start {line} on a terminal: {why}"),
        }
    }

    fn try_start(command: process::Command) -> std::io::Result<(OwnedFd, Child)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        tcsetwinsize(&master, size(24, 80))?;
        let slave = File::from(ioctl_tiocgptpeer(&master, flags)?);
        // setsid makes the slave the program's controlling terminal: signals need one.
        let mut on_terminal = process::Command::new("setsid");
        on_terminal
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args());
        on_terminal.env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                on_terminal.env(name, value);
            }
        }
        on_terminal
            .stdin(slave.try_clone()?)
            .stdout(slave.try_clone()?)
            .stderr(Stdio::from(slave));
        Ok((master, on_terminal.spawn()?))
    }

    /// Waits until the program has taken the terminal over: ssh does so a moment after the far
    /// program has begun, and a Ctrl-C before that would hit ssh itself.
    #[track_caller]
    pub(crate) fn wait_until_raw(&mut self) {
        crate::poll("ssh to take over its terminal", PATIENCE, || {
            let modes = tcgetattr(&self.master)
                .expect("the terminal's modes")
                .local_modes;
            let ended = matches!(self.child.try_wait(), Ok(Some(_)));
            (ended || !modes.contains(LocalModes::ICANON)).then_some(())
        });
    }

    /// Types this. A line ends with `\n`, Ctrl-C is `\x03`, Ctrl-D `\x04`.
    ///
    /// # Panics
    /// If the terminal is gone.
    #[track_caller]
    pub fn send(&mut self, keys: impl AsRef<[u8]>) {
        let mut keys = keys.as_ref();
        while !keys.is_empty() {
            match retry_on_intr(|| rustix::io::write(&self.master, keys)) {
                Ok(count) => keys = &keys[count..],
                Err(why) => panic!("cannot type into {self:?}: {why}"),
            }
        }
    }

    /// Waits until a pattern appears after what earlier calls have matched. Returns what its first
    /// group matched, else all of the match.
    ///
    /// # Panics
    /// If it does not appear within 20 seconds, or the program ends without it.
    #[track_caller]
    pub fn expect(&mut self, pattern: &str) -> String {
        self.expect_within(pattern, PATIENCE)
    }

    /// [`expect`](Self::expect) with another patience.
    ///
    /// # Panics
    /// If the pattern does not appear in time, or the program ends without it.
    #[track_caller]
    pub fn expect_within(&mut self, pattern: &str, timeout: Duration) -> String {
        let regex = Regex::new(pattern).unwrap_or_else(|why| panic!("{why}"));
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(found) = regex.captures(&self.seen[self.expected..]) {
                let whole = found.get(0).expect("group 0 is the match");
                let text = found.get(1).unwrap_or(whole).as_bytes();
                let text = String::from_utf8_lossy(text).into_owned();
                self.expected += whole.end();
                return text;
            }
            assert!(!self.closed, "{self:?} ended without {pattern:?}");
            assert!(
                self.fill(deadline),
                "waited {timeout:?} in vain for {pattern:?} on {self:?}"
            );
        }
    }

    /// Waits until a pattern appears after what [`expect`](Self::expect) has matched, or the program
    /// ends. Returns whether it appeared.
    ///
    /// # Panics
    /// If neither happens within 20 seconds.
    #[track_caller]
    pub fn shows_or_ends(&mut self, pattern: &str) -> bool {
        let regex = Regex::new(pattern).unwrap_or_else(|why| panic!("{why}"));
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = regex.find(&self.seen[self.expected..]) {
                self.expected += found.end();
                return true;
            }
            if self.closed {
                return false;
            }
            assert!(
                self.fill(deadline),
                "waited {PATIENCE:?} in vain for {pattern:?}, or its end, on {self:?}"
            );
        }
    }

    /// Makes the window larger or smaller.
    ///
    /// # Panics
    /// If the terminal is gone.
    #[track_caller]
    pub fn resize(&mut self, rows: u16, columns: u16) {
        tcsetwinsize(&self.master, size(rows, columns)).expect("resize the terminal");
    }

    /// Everything that was on the screen so far.
    pub fn screen(&mut self) -> String {
        self.ended();
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Waits until the program ends and returns its exit status; see [`Output`](crate::Output).
    ///
    /// # Panics
    /// If it does not end within 20 seconds.
    #[track_caller]
    pub fn wait(&mut self) -> i32 {
        self.wait_within(PATIENCE)
    }

    /// [`wait`](Self::wait) with another patience.
    ///
    /// # Panics
    /// If it does not end in time.
    #[track_caller]
    pub fn wait_within(&mut self, timeout: Duration) -> i32 {
        let deadline = Instant::now() + timeout;
        while !self.closed {
            assert!(
                self.fill(deadline),
                "waited {timeout:?} in vain for the end of {self:?}"
            );
        }
        code(self.child.wait().expect("the program is our child"))
    }

    /// Whether the program has ended, and everything else that had the terminal.
    pub fn ended(&mut self) -> bool {
        while !self.closed && self.fill(Instant::now()) {}
        self.closed
    }

    /// Closes the window: the program gets SIGHUP.
    pub fn close(self) {}

    /// Reads once. Returns false if nothing came before the deadline.
    fn fill(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).expect("a timeout of a test");
        let mut ready = [PollFd::new(&self.master, PollFlags::IN)];
        if retry_on_intr(|| poll(&mut ready, Some(&timeout))).expect("poll the terminal") == 0 {
            return false;
        }
        let mut buffer = [0; 65_536];
        match retry_on_intr(|| rustix::io::read(&self.master, &mut buffer)) {
            Ok(count @ 1..) => self.seen.extend(&buffer[..count]),
            // A pty whose last user is gone reads EIO.
            Ok(0) | Err(_) => self.closed = true,
        }
        true
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unread = String::from_utf8_lossy(&self.seen[self.expected..]);
        write!(f, "the terminal of `{}` (unread: {unread:?})", self.line)
    }
}
