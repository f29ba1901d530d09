//! The session's own terminal. Never the caller's: nothing that the command does can reach that.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use elevate_protocol::stream::Window;
use rustix::fs::{Mode, OFlags, fchmod, fchown, fcntl_setfl};
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Uid, getpgrp, ioctl_tiocsctty};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcgetpgrp, tcsetpgrp, tcsetwinsize};

/// When this much waits for the command to read it, the client is not heard any further.
const MOST_WAITING: usize = 64 * 1024;
/// With more than this to be read (a line discipline holds 4 KiB), what is typed may be taken in,
/// and echoed or not, much later.
const MOST_UNREAD: u64 = 1024;

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

    /// Whether the terminal shows what is typed now (termios(3)): its echo is on, and it takes in
    /// what is passed on at once, since little that came before is still to be read.
    pub(super) fn echoes(&self) -> bool {
        let modes = tcgetattr(&self.master).map(|termios| termios.local_modes);
        let echo = modes.is_ok_and(|modes| {
            // With EXTPROC who types at the other end does all processing.
            modes.contains(LocalModes::ECHO) && !modes.contains(LocalModes::EXTPROC)
        });
        echo && ioctl_fionread(&self.slave).is_ok_and(|unread| unread < MOST_UNREAD)
    }

    /// Take what the user typed, as far as the command reads it; the rest waits. `passed` hears of
    /// what is passed on, and whether the terminal [echoes](Self::echoes) it.
    pub(super) fn type_in(&mut self, bytes: &[u8], passed: impl FnMut(&[u8], bool)) {
        self.typed.extend(bytes);
        self.write_typed(passed);
    }

    fn write_typed(&mut self, mut passed: impl FnMut(&[u8], bool)) {
        while !self.typed.is_empty() {
            let echo = self.echoes();
            let (next, _) = self.typed.as_slices();
            match rustix::io::write(&self.master, next) {
                Ok(written) => {
                    passed(&next[..written], echo);
                    drop(self.typed.drain(..written));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => return,
                // Hung up: nobody will read it.
                Err(_) => self.typed.clear(),
            }
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
