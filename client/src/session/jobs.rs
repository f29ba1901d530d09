//! When the terminal is ours to read and to change, and how we stop with the shell's job control.

use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::Window;
use rustix::process::Signal;

use crate::signals::Signals;
use crate::terminal::{Keep, Terminal};

/// How the terminal is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// In the foreground it is the command's: every key goes there.
    Whole(Keep),
    /// Others of a pipeline (a pager) may use it: it is left alone until the command wants it.
    Shared { wanted: bool },
}

/// What a terminal that others use, too, keeps doing while the command has it.
const SHARED: Keep = Keep {
    signals: true,
    output: true,
};

/// The terminal of the session, if it has one, and our place among the shell's jobs.
#[derive(Debug)]
pub(super) struct Jobs {
    terminal: Option<Terminal>,
    style: Style,
    listening: bool,
    held: bool,
    hung_up: bool,
}

impl Jobs {
    pub(super) fn new(terminal: Option<Terminal>, kinds: Three<Kind>) -> Jobs {
        if let Some(terminal) = &terminal {
            terminal.restore_on_panic();
        }
        let mut jobs = Jobs {
            terminal,
            style: style(kinds),
            listening: false,
            held: false,
            hung_up: false,
        };
        jobs.settle();
        jobs
    }

    pub(super) fn terminal(&self) -> Option<&Terminal> {
        self.terminal.as_ref()
    }

    pub(super) fn window(&self) -> Option<Window> {
        self.terminal.as_ref()?.window()
    }

    /// The terminal, while what is typed there is for the command.
    pub(super) fn listening(&self) -> Option<&Terminal> {
        self.terminal.as_ref().filter(|_| self.listening)
    }

    /// Whether others of a pipeline may use the terminal, too.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.style, Style::Shared { .. })
    }

    /// Whether to look again after a while: a shell that brings a running job into the foreground
    /// tells nobody.
    pub(super) fn must_look_again(&self) -> bool {
        let wanted = self.style != Style::Shared { wanted: false };
        self.terminal.is_some() && wanted && !self.listening && !self.held && !self.hung_up
    }

    /// Take the terminal if it is ours now.
    pub(super) fn settle(&mut self) {
        let Some(terminal) = &self.terminal else {
            return;
        };
        let ours = !self.held && !self.hung_up && terminal.is_foreground();
        self.listening = ours
            && match self.style {
                Style::Whole(keep) => terminal.make_raw(keep).is_ok(),
                Style::Shared { wanted: true } => terminal.borrow_raw(SHARED).is_ok(),
                Style::Shared { wanted: false } => false,
            };
    }

    /// We were stopped by something that let us do nothing before: in the background the modes are
    /// the shell's by now.
    pub(super) fn come_back(&mut self) {
        if let Some(terminal) = self.terminal.as_ref().filter(|t| !t.is_foreground()) {
            terminal.leave();
        }
        self.settle();
    }

    /// The session's terminal is held: nothing that is typed is for the command.
    pub(super) fn hold(&mut self) {
        (self.held, self.listening) = (true, false);
        if let Some(terminal) = &self.terminal {
            terminal.restore();
        }
    }

    pub(super) fn let_go(&mut self) {
        self.held = false;
        self.settle();
    }

    /// What was typed; none if nothing is there for us.
    pub(super) fn read(&mut self) -> Option<Vec<u8>> {
        let terminal = self.terminal.as_ref()?;
        let mut typed = vec![0; 4096];
        match rustix::io::read(terminal, &mut typed) {
            Ok(count) if count > 0 => {
                typed.truncate(count);
                Some(typed)
            }
            // Somebody put it into line mode: the command's terminal has the end of input as a key.
            Ok(_) if terminal.window().is_some() => Some(vec![4]),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => None,
            Ok(_) | Err(_) => {
                (self.listening, self.hung_up) = (false, true);
                None
            }
        }
    }

    /// The command stopped by signal `number`: stop likewise, with the whole job, until the shell
    /// continues us. Returns at once where nobody could continue us, and where the command only
    /// wants the terminal and can have it.
    pub(super) fn stop(&mut self, number: i32, signals: &Signals) {
        let signal = match number {
            n if n == Signal::TSTP.as_raw() => Signal::TSTP,
            n if n == Signal::TTIN.as_raw() => Signal::TTIN,
            n if n == Signal::TTOU.as_raw() => Signal::TTOU,
            _ => Signal::STOP,
        };
        if let Style::Shared { wanted } = &mut self.style {
            *wanted = wants_terminal(number);
        }
        if wants_terminal(number) {
            self.settle();
            if self.listening {
                return;
            }
        }
        if let Some(terminal) = &self.terminal {
            terminal.restore();
        }
        self.listening = false;
        signals.with_default(nix::sys::signal::Signal::SIGTSTP, || {
            let _ = rustix::process::kill_current_process_group(signal);
        });
    }
}

/// Whether a command that stopped by signal `number` did so for want of the terminal.
pub(super) fn wants_terminal(number: i32) -> bool {
    [Signal::TTIN, Signal::TTOU]
        .map(Signal::as_raw)
        .contains(&number)
}

fn style(kinds: Three<Kind>) -> Style {
    match kinds {
        [Kind::Pipe, ..] | [_, Kind::Pipe, _] => Style::Shared { wanted: false },
        [_, output, _] => Style::Whole(Keep {
            signals: false,
            output: output != Kind::Terminal,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_leaves_the_terminal_to_the_others_until_it_is_wanted() {
        use Kind::{File, Pipe, Terminal};
        let whole = |output| {
            Style::Whole(Keep {
                signals: false,
                output,
            })
        };
        let shared = Style::Shared { wanted: false };
        assert_eq!(style([Terminal, Terminal, Terminal]), whole(false));
        assert_eq!(style([File, Terminal, Pipe]), whole(false));
        assert_eq!(style([Terminal, File, Terminal]), whole(true));
        assert_eq!(style([Pipe, Terminal, Terminal]), shared);
        assert_eq!(style([Terminal, Pipe, Terminal]), shared);
    }
}
