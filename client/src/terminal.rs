//! The controlling terminal, and its modes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use elevate_protocol::stream::Window;
use rustix::fs::{Mode, OFlags};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, QueueSelector, Termios,
};

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
    saved: Arc<Mutex<Option<Saved>>>,
}

/// What a terminal is put back to, and how.
#[derive(Debug)]
struct Saved {
    modes: Termios,
    how: OptionalActions,
    /// What it was changed to, where somebody else may change it meanwhile: then it is theirs.
    borrowed: Option<Termios>,
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

    /// Whether our process group is the one that may use it now. One that was brought into a
    /// container from outside (nsenter(1)) has no number here: where it can't be told, the kernel
    /// still can.
    pub fn is_foreground(&self) -> bool {
        // Of nix, since rustix takes its number for one in any case.
        let ours = nix::unistd::getpgrp().as_raw();
        match rustix::termios::tcgetpgrp(&self.device) {
            Ok(group) => ours == 0 || group.as_raw_pid() == ours,
            Err(error) => error == rustix::io::Errno::OPNOTSUPP,
        }
    }

    /// Whether somebody (a pager, an editor) took it out of line mode.
    pub fn is_taken(&self) -> bool {
        rustix::termios::tcgetattr(&self.device)
            .is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON))
    }

    /// Pass every key through. Only to be called in the foreground; done anew where somebody else
    /// has changed it since.
    pub fn make_raw(&self, keep: Keep) -> io::Result<()> {
        self.change(OptionalActions::Now, false, |modes| raw(modes, keep))
    }

    /// The same on a terminal that others of a pipeline use, too: one that they have changed in the
    /// end is left to them.
    pub fn borrow_raw(&self, keep: Keep) -> io::Result<()> {
        self.change(OptionalActions::Now, true, |modes| raw(modes, keep))
    }

    /// Take lines without showing what is typed, until the answer is dropped. What was typed before
    /// is thrown away, and so is at the end what nobody has read: it could be half a secret. Only to
    /// be called in the foreground.
    pub fn hide(&self) -> io::Result<Hidden<'_>> {
        self.change(OptionalActions::Flush, false, |modes| {
            let lines = LocalModes::ICANON | LocalModes::ISIG;
            modes.local_modes.insert(lines);
            modes
                .local_modes
                .remove(LocalModes::ECHO | LocalModes::ECHONL);
            modes.input_modes.insert(InputModes::ICRNL);
        })?;
        Ok(Hidden(self))
    }

    /// Change its modes; `how` holds for the way back too, which leads to what the first change
    /// found.
    fn change(
        &self,
        how: OptionalActions,
        borrow: bool,
        change: impl FnOnce(&mut Termios),
    ) -> io::Result<()> {
        let mut saved = lock(&self.saved);
        let modes = match &*saved {
            Some(saved) => saved.modes.clone(),
            None => rustix::termios::tcgetattr(&self.device)?,
        };
        let mut changed = modes.clone();
        change(&mut changed);
        *saved = Some(Saved {
            modes,
            how,
            borrowed: borrow.then(|| changed.clone()),
        });
        rustix::termios::tcsetattr(&self.device, how, &changed)?;
        flush(&self.device, how);
        Ok(())
    }

    /// Whether it begins a line of its own where it gets a newline alone (termios(3), ONLCR).
    pub fn adds_returns(&self) -> bool {
        let both = OutputModes::OPOST | OutputModes::ONLCR;
        rustix::termios::tcgetattr(&self.device)
            .is_ok_and(|modes| modes.output_modes.contains(both))
    }

    /// Put back what [`Terminal::make_raw`] or [`Terminal::hide`] found.
    pub fn restore(&self) {
        restore(&self.device, &self.saved);
    }

    /// Leave it to somebody else who has taken it meanwhile, as they made it.
    pub fn leave(&self) {
        lock(&self.saved).take();
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

/// While it lives, the terminal shows nothing of what is typed.
#[derive(Debug)]
#[must_use]
pub struct Hidden<'a>(&'a Terminal);

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        self.0.restore();
    }
}

fn restore(device: &OwnedFd, saved: &Mutex<Option<Saved>>) {
    // In the background this stops us until the shell gives the terminal back: it is the shell's
    // now, and changing its modes under it would be worse.
    if let Some(before) = lock(saved).take()
        && before
            .borrowed
            .is_none_or(|changed| is_still(device, &changed))
    {
        flush(device, before.how);
        let _ = rustix::termios::tcsetattr(device, before.how, &before.modes);
    }
}

fn raw(modes: &mut Termios, keep: Keep) {
    let output = modes.output_modes;
    modes.make_raw();
    modes.local_modes.set(LocalModes::ISIG, keep.signals);
    if keep.output {
        modes.output_modes = output | OutputModes::OPOST;
    }
}

/// Whether nobody has changed the modes since.
fn is_still(device: &OwnedFd, modes: &Termios) -> bool {
    rustix::termios::tcgetattr(device).is_ok_and(|now| {
        now.local_modes == modes.local_modes
            && now.input_modes == modes.input_modes
            && now.output_modes == modes.output_modes
    })
}

/// A change of modes with a flush forgets what has arrived; this forgets what is on its way to the
/// line discipline, too.
fn flush(device: &OwnedFd, how: OptionalActions) {
    if matches!(how, OptionalActions::Flush) {
        let _ = rustix::termios::tcflush(device, QueueSelector::IFlush);
    }
}

fn lock(saved: &Mutex<Option<Saved>>) -> std::sync::MutexGuard<'_, Option<Saved>> {
    saved.lock().unwrap_or_else(PoisonError::into_inner)
}
