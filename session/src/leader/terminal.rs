//! The session's own terminal. Never the caller's: nothing that the command does can reach that.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::stream::Window;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fchmod, fchown, fcntl_setfl};
use rustix::process::{Pid, Uid, getpgrp, ioctl_tiocsctty};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcgetpgrp, tcsetpgrp, tcsetwinsize};

/// When this much waits for the command to read it, the client is not heard any further.
const MOST_WAITING: usize = 64 * 1024;
/// A line discipline takes this much in at once.
const MOST_AT_ONCE: usize = 1024;

/// Whether a terminal showed what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    On,
    Off,
    /// It echoed when that was passed on, and may take it in later.
    Unsure,
}

/// A pty pair that is the controlling terminal of the leader's session.
///
/// The leader is the session's leader in the terminal's sense too: the command is a process group
/// below it, with a parent in the same session, and so can be stopped and continued. It keeps the
/// command's side open as well, so that the last bytes are told from a hang-up.
pub(super) struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    typed: VecDeque<u8>,
    /// Who had the keyboard when it was taken away.
    had_keyboard: Option<Pid>,
}

impl Terminal {
    /// A new terminal that belongs to user `owner`.
    pub(super) fn open(window: Window, owner: u32) -> rustix::io::Result<Terminal> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags)?;
        unlockpt(&master)?;
        let slave = ioctl_tiocgptpeer(&master, flags)?;
        // The group is `tty`, by the mount of /dev/pts.
        fchown(&slave, Some(Uid::from_raw(owner)), None)?;
        fchmod(&slave, Mode::from_raw_mode(0o620))?;
        // Of this end only, which nobody else has.
        fcntl_setfl(&master, OFlags::NONBLOCK)?;
        ioctl_tiocsctty(&slave)?;
        let terminal = Terminal {
            master,
            slave,
            typed: VecDeque::new(),
            had_keyboard: None,
        };
        terminal.resize(window)?;
        Ok(terminal)
    }

    /// Its name, `/dev/pts/N`.
    pub(super) fn name(&self) -> rustix::io::Result<String> {
        let name = ptsname(&self.master, Vec::new())?;
        Ok(name.to_string_lossy().into_owned())
    }

    pub(super) fn master(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// The command's side.
    pub(super) fn slave(&self) -> BorrowedFd<'_> {
        self.slave.as_fd()
    }

    pub(super) fn resize(&self, window: Window) -> rustix::io::Result<()> {
        let size = Winsize {
            ws_row: window.rows,
            ws_col: window.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&self.master, size)
    }

    /// The process group of the session that the keyboard belongs to; none while it is ours, or
    /// where a command named our group.
    pub(super) fn foreground(&self) -> Option<Pid> {
        let group = tcgetpgrp(&self.master).ok();
        group.filter(|&group| group != getpgrp())
    }

    /// Give the keyboard back to whom it was taken from, or to the command's group.
    pub(super) fn give_keyboard(&mut self, command: Pid) {
        let before = self.had_keyboard.take();
        // A group can be gone by now.
        let given = before.is_some_and(|group| tcsetpgrp(&self.slave, group).is_ok());
        if !given {
            let _ = tcsetpgrp(&self.slave, command);
        }
    }

    /// Take the keyboard away: whoever reads from it or changes its modes is stopped, as a job in
    /// the background of a shell is.
    pub(super) fn take_keyboard(&mut self) {
        if let Some(group) = self.foreground() {
            self.had_keyboard = Some(group);
            let _ = tcsetpgrp(&self.slave, getpgrp());
        }
    }

    /// Whether the terminal shows what is typed now (termios(3)).
    pub(super) fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.master).map(|termios| termios.local_modes);
        modes.is_ok_and(|modes| {
            // With EXTPROC who types at the other end does all processing.
            modes.contains(LocalModes::ECHO) && !modes.contains(LocalModes::EXTPROC)
        })
    }

    /// Whether the command could read something. If it can't, the terminal has taken in, and echoed
    /// or not, all that was passed on: to answer it does what is still to be done (`n_tty_poll` of
    /// the kernel).
    fn has_unread(&self) -> bool {
        let mut slave = [PollFd::new(&self.slave, PollFlags::IN)];
        !matches!(poll(&mut slave, Some(&Timespec::default())), Ok(0))
    }

    /// Take what the user typed, as far as the command reads it; the rest waits. `passed` hears of
    /// what is passed on, and whether it was shown.
    pub(super) fn type_in(&mut self, bytes: &[u8], mut passed: impl FnMut(&[u8], Echo)) {
        self.typed.extend(bytes);
        while !self.typed.is_empty() {
            let before = (self.echoes(), self.has_unread());
            let (next, _) = self.typed.as_slices();
            match rustix::io::write(&self.master, &next[..next.len().min(MOST_AT_ONCE)]) {
                Ok(written) => {
                    passed(&next[..written], self.echo(before));
                    drop(self.typed.drain(..written));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                // Hung up: nobody will read it.
                Err(_) => self.typed.clear(),
            }
        }
    }

    /// Whether what was just passed on was shown, where the terminal echoed and the command had
    /// something to read, or not, `before`.
    fn echo(&self, (echoed, unread): (bool, bool)) -> Echo {
        // What can be read now is what was just taken in.
        self.has_unread();
        match echoed && self.echoes() {
            true if unread => Echo::Unsure,
            true => Echo::On,
            false => Echo::Off,
        }
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.typed.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.typed.len() >= MOST_WAITING
    }
}

/// What could be read without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// This many bytes, at least one, and perhaps more are there.
    Some(usize),
    /// Nothing now.
    Nothing,
    /// Nothing ever again.
    End,
}

/// Fill `buffer` with what is there. A terminal gives at most 4 KiB at a time, so more than one
/// read may be worth a packet.
pub(super) fn read_available(source: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Read> {
    let mut filled = 0;
    while filled < buffer.len() {
        match rustix::io::read(source, &mut buffer[filled..]) {
            // EIO: the other side of a terminal is gone.
            Ok(0) | Err(rustix::io::Errno::IO) if filled == 0 => return Ok(Read::End),
            Ok(0) | Err(rustix::io::Errno::IO) => break,
            Ok(length) => filled += length,
            Err(rustix::io::Errno::AGAIN) if filled == 0 => return Ok(Read::Nothing),
            Err(rustix::io::Errno::AGAIN) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Read::Some(filled))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn everything_there_is_read_and_the_end_is_told_from_a_pause() {
        let (read, write) = pipe_with(PipeFlags::NONBLOCK).unwrap();
        let mut buffer = [0; 8];
        let mut next = || read_available(read.as_fd(), &mut buffer).unwrap();
        assert_eq!(next(), Read::Nothing);
        rustix::io::write(&write, b"0123456789").unwrap();
        assert_eq!(next(), Read::Some(8));
        assert_eq!(next(), Read::Some(2));
        drop(write);
        assert_eq!(next(), Read::End);
    }
}
