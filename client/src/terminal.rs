//! The controlling terminal, and its modes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use elevate_protocol::stream::Window;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions, OutputModes, Termios};

/// Which of its own work a raw terminal keeps doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Turn Ctrl-C and Ctrl-Z into signals, for the other commands of a pipeline.
    pub signals: bool,
    /// Turn newlines into line ends, for others that write to it.
    pub output: bool,
}

/// The controlling terminal, through a description of our own: its flags are shared with nobody.
#[derive(Debug)]
pub struct Terminal {
    device: Arc<OwnedFd>,
    saved: Arc<Mutex<Option<Termios>>>,
}

impl Terminal {
    /// `/dev/tty` (tty(4)), non-blocking; none where there is no controlling terminal.
    pub fn open() -> Option<Terminal> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let device = rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()?;
        Some(Terminal {
            device: Arc::new(device),
            saved: Arc::default(),
        })
    }

    /// Its size; a terminal that doesn't know says 0 by 0.
    pub fn window(&self) -> Option<Window> {
        let size = rustix::termios::tcgetwinsize(&self.device).ok()?;
        Some(Window {
            rows: size.ws_row,
            columns: size.ws_col,
        })
    }

    /// Whether our process group is the one that may use it now.
    pub fn is_foreground(&self) -> bool {
        rustix::termios::tcgetpgrp(&self.device)
            .is_ok_and(|group| group == rustix::process::getpgrp())
    }

    /// Whether somebody (a pager, an editor) took it out of line mode.
    pub fn is_taken(&self) -> bool {
        rustix::termios::tcgetattr(&self.device)
            .is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON))
    }

    /// Whether it is raw by our doing.
    pub fn is_raw(&self) -> bool {
        lock(&self.saved).is_some()
    }

    /// Pass every key through. Only to be called in the foreground.
    pub fn make_raw(&self, keep: Keep) -> io::Result<()> {
        let mut saved = lock(&self.saved);
        if saved.is_some() {
            return Ok(());
        }
        let before = rustix::termios::tcgetattr(&self.device)?;
        let mut raw = before.clone();
        raw.make_raw();
        raw.local_modes.set(LocalModes::ISIG, keep.signals);
        if keep.output {
            raw.output_modes = before.output_modes | OutputModes::OPOST;
        }
        *saved = Some(before);
        rustix::termios::tcsetattr(&self.device, OptionalActions::Now, &raw)?;
        Ok(())
    }

    /// Put back what [`Terminal::make_raw`] found.
    pub fn restore(&self) {
        restore(&self.device, &self.saved);
    }

    /// Have a panic put the terminal back before it says anything.
    pub fn restore_on_panic(&self) {
        let (device, saved) = (self.device.clone(), self.saved.clone());
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |information| {
            restore(&device, &saved);
            before(information);
        }));
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.restore();
    }
}

fn restore(device: &OwnedFd, saved: &Mutex<Option<Termios>>) {
    // In the background this stops us until the shell gives the terminal back: it is the shell's
    // now, and changing its modes under it would be worse.
    if let Some(before) = lock(saved).take() {
        let _ = rustix::termios::tcsetattr(device, OptionalActions::Now, &before);
    }
}

fn lock(saved: &Mutex<Option<Termios>>) -> std::sync::MutexGuard<'_, Option<Termios>> {
    saved.lock().unwrap_or_else(PoisonError::into_inner)
}
