//! A person's terminal, while a recording is shown on it.

use std::io::Write as _;
use std::time::Duration;

use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::keys::{self, Key};
use super::screen::{Picture, Screen};
use crate::conversation::Broken;
use crate::ctl::output;
use crate::failure::Failure;
use crate::signals::{FATAL, Signals};
use crate::terminal::{Keep, Terminal};

/// Signals that change what is shown, and don't end us.
const OTHERS: [Signal; 3] = [Signal::SIGTSTP, Signal::SIGCONT, Signal::SIGWINCH];
/// A screen of our own, on which a row that is too long does not go on in the next
/// (xterm's ctlseqs: DECSET 1049, DECAWM).
const ENTER: &str = "\x1b[?1049h\x1b[?7l";
/// The person's screen as it was, and their cursor.
const LEAVE: &str = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Whether standard output is a terminal that can show a screen.
pub(super) fn is_possible() -> bool {
    let name = std::env::var_os("TERM").unwrap_or_default();
    output::is_terminal() && !name.is_empty() && name != "dumb"
}

/// A terminal with a screen of our own on it, until this is dropped.
pub(super) struct Display {
    /// Where keys come from; none where there is no controlling terminal.
    terminal: Option<Terminal>,
    signals: Signals,
    frame: Option<Frame>,
}

/// What is on the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    rows: Vec<String>,
    cursor: Option<(usize, usize)>,
}

/// What came while nothing was shown.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// Keys that were pressed.
    pub(super) keys: Vec<Key>,
    /// Whether we were stopped, and no time of a player passed.
    pub(super) stopped: bool,
}

impl Display {
    /// Take the terminal. However we end, it is given back as it was.
    pub(super) fn open() -> Result<Display, Broken> {
        let signals: Vec<Signal> = FATAL.into_iter().chain(OTHERS).collect();
        let display = Display {
            signals: Signals::take(&signals)?,
            terminal: Terminal::open(),
            frame: None,
        };
        if let Some(terminal) = &display.terminal {
            terminal.restore_on_panic();
        }
        leave_on_panic();
        display.enter()?;
        Ok(display)
    }

    fn enter(&self) -> Result<(), Failure> {
        if let Some(terminal) = &self.terminal {
            // Ctrl-C and Ctrl-Z stay what they are.
            terminal.make_raw(Keep {
                signals: true,
                output: false,
            })?;
        }
        output::write(ENTER.as_bytes())
    }

    fn leave(&self) {
        // Who closed the terminal doesn't look at it.
        let mut stdout = std::io::stdout().lock();
        let _ = stdout
            .write_all(LEAVE.as_bytes())
            .and_then(|()| stdout.flush());
        if let Some(terminal) = &self.terminal {
            terminal.restore();
        }
    }

    /// Columns and rows of the terminal.
    fn size(&self) -> (usize, usize) {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout());
        match size {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                (usize::from(size.ws_col), usize::from(size.ws_row))
            }
            _ => (80, 24),
        }
    }

    /// Show `screen`, and below it a line of our own.
    pub(super) fn show(&mut self, screen: &Screen, status: &str) -> Result<(), Failure> {
        let (columns, rows) = self.size();
        let picture = screen.picture(columns, rows - 1);
        let frame = frame(picture, status, columns, rows);
        let change = change(self.frame.as_ref(), &frame);
        self.frame = Some(frame);
        match change.is_empty() {
            true => Ok(()),
            false => output::write(change.as_bytes()),
        }
    }

    /// Wait for keys and signals, for `time` at most; for ever where it is none.
    pub(super) fn wait(&mut self, time: Option<Duration>) -> Result<Came, Broken> {
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        let mut waiting = vec![PollFd::new(&self.signals, PollFlags::IN)];
        if let Some(terminal) = &self.terminal {
            waiting.push(PollFd::new(terminal, PollFlags::IN));
        }
        match poll(&mut waiting, time.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut came = Came::default();
        while let Some(signal) = self.signals.arrived() {
            match signal {
                Signal::SIGTSTP => {
                    self.stop()?;
                    came.stopped = true;
                }
                // By SIGSTOP, perhaps: the shell had the terminal meanwhile.
                Signal::SIGCONT => self.take_back()?,
                Signal::SIGWINCH => self.frame = None,
                signal => return Err(Broken::Interrupted(signal as i32)),
            }
        }
        self.read_keys(&mut came)?;
        Ok(came)
    }

    fn read_keys(&self, came: &mut Came) -> Result<(), Failure> {
        let Some(terminal) = &self.terminal else {
            return Ok(());
        };
        let mut bytes = [0; 256];
        match rustix::io::read(terminal, &mut bytes) {
            // Its other end is gone.
            Ok(0) | Err(Errno::IO) => came.keys.push(Key::Quit),
            Ok(count) => came.keys.extend(keys::read(&bytes[..count])),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Stop with the whole job until the shell continues us.
    fn stop(&mut self) -> Result<(), Failure> {
        self.leave();
        self.signals.with_default(Signal::SIGTSTP, || {
            let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
        });
        self.take_back()
    }

    fn take_back(&mut self) -> Result<(), Failure> {
        if let Some(terminal) = &self.terminal {
            terminal.restore();
        }
        self.frame = None;
        self.enter()
    }
}

/// Have a panic take our screen away before it says anything: it would go with the screen.
fn leave_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |information| {
        let _ = output::write(LEAVE.as_bytes());
        before(information);
    }));
}

impl Drop for Display {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What stands on a terminal of this size: the picture, and `status` on the last row.
fn frame(picture: Picture, status: &str, columns: usize, rows: usize) -> Frame {
    let mut lines = picture.rows;
    lines.resize(rows - 1, String::new());
    let part = if picture.cropped { "part of it | " } else { "" };
    lines.push(bar(&format!("{part}{status}"), columns));
    Frame {
        rows: lines,
        cursor: picture.cursor,
    }
}

/// A line that stands out, as wide as the terminal. What it says is of others, in part.
fn bar(text: &str, columns: usize) -> String {
    let text: String = crate::ctl::text::escaped(text)
        .chars()
        .take(columns)
        .collect();
    format!("\x1b[0;7m{text:columns$}\x1b[0m")
}

/// What makes `after` out of `before`, or out of anything where that is none.
fn change(before: Option<&Frame>, after: &Frame) -> String {
    if before == Some(after) {
        return String::new();
    }
    let known = before.filter(|before| before.rows.len() == after.rows.len());
    let mut text = String::from("\x1b[?25l");
    if known.is_none() {
        text += "\x1b[0m\x1b[2J";
    }
    for (number, row) in after.rows.iter().enumerate() {
        if known.is_none_or(|before| before.rows[number] != *row) {
            text += &format!("\x1b[{};1H{row}\x1b[K", number + 1);
        }
    }
    if let Some((column, row)) = after.cursor {
        text += &format!("\x1b[{};{}H\x1b[?25h", row + 1, column + 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&str], cursor: Option<(usize, usize)>) -> Frame {
        Frame {
            rows: rows.iter().map(|row| (*row).to_owned()).collect(),
            cursor,
        }
    }

    #[test]
    fn only_rows_that_changed_are_written() {
        let before = of(&["one", "two"], Some((0, 0)));
        let after = of(&["one", "three"], Some((2, 1)));
        assert_eq!(
            change(Some(&before), &after),
            "\x1b[?25l\x1b[2;1Hthree\x1b[K\x1b[2;3H\x1b[?25h"
        );
        assert_eq!(change(Some(&after), &after), "");
        let hidden = of(&["one", "three"], None);
        assert_eq!(change(Some(&after), &hidden), "\x1b[?25l");
    }

    #[test]
    fn a_terminal_of_another_size_is_drawn_anew() {
        let before = of(&["one", "two"], None);
        let after = of(&["one"], None);
        let all = "\x1b[?25l\x1b[0m\x1b[2J\x1b[1;1Hone\x1b[K";
        assert_eq!(change(Some(&before), &after), all);
        assert_eq!(change(None, &after), all);
    }

    #[test]
    fn the_last_row_is_ours_and_as_wide_as_the_terminal() {
        let picture = Picture {
            rows: vec!["one".into()],
            ..Picture::default()
        };
        let frame = frame(picture, "k7m2x9qd | a\x1b[2J", 12, 3);
        assert_eq!(frame.rows, ["one", "", "\x1b[0;7mk7m2x9qd | a\x1b[0m"]);
        assert_eq!(bar("ab", 4), "\x1b[0;7mab  \x1b[0m");
    }
}
