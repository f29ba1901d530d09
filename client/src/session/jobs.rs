//! When the terminal is ours to read and to change, and how we stop with the shell's job control.

use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::Window;
use rustix::process::Signal;

use crate::signals::Signals;
use crate::terminal::{Keep, Terminal};

/// How the terminal is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Every key goes to the command.
    Raw(Keep),
    /// Our output goes into a pipe, and whoever reads that (a pager) may use the terminal: its
    /// modes are left alone, and read are only whole lines, while nobody took it out of line mode.
    Lines,
}

/// The terminal of the session, if it has one, and our place among the shell's jobs.
#[derive(Debug)]
pub(super) struct Jobs {
    terminal: Option<Terminal>,
    style: Style,
    listening: bool,
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

    /// Whether to look again after a while: a shell that brings a running job into the
    /// foreground, and a pager that ends, tell nobody.
    pub(super) fn must_look_again(&self) -> bool {
        self.terminal.is_some() && !self.listening && !self.hung_up
    }

    /// Take the terminal if it is ours now.
    pub(super) fn settle(&mut self) {
        let Some(terminal) = &self.terminal else {
            return;
        };
        self.listening = !self.hung_up
            && terminal.is_foreground()
            && match self.style {
                Style::Raw(keep) => terminal.make_raw(keep).is_ok(),
                Style::Lines => !terminal.is_taken(),
            };
    }

    /// What was typed; none if nothing is there for us.
    pub(super) fn read(&mut self) -> Option<Vec<u8>> {
        let terminal = self.terminal.as_ref()?;
        if self.style == Style::Lines && terminal.is_taken() {
            self.listening = false;
            return None;
        }
        let mut typed = vec![0; 4096];
        match rustix::io::read(terminal, &mut typed) {
            // The end of input, typed in line mode: the command's terminal has it as a character.
            Ok(0) if self.style == Style::Lines && terminal.window().is_some() => Some(vec![4]),
            Ok(count) if count > 0 => {
                typed.truncate(count);
                Some(typed)
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => None,
            Ok(_) | Err(_) => {
                (self.listening, self.hung_up) = (false, true);
                None
            }
        }
    }

    /// The command stopped by signal `number`: stop likewise, with the whole job, until the shell
    /// continues us. Returns at once where nobody could continue us.
    pub(super) fn stop(&mut self, number: i32, signals: &Signals) {
        let signal = match number {
            n if n == Signal::TSTP.as_raw() => Signal::TSTP,
            n if n == Signal::TTIN.as_raw() => Signal::TTIN,
            n if n == Signal::TTOU.as_raw() => Signal::TTOU,
            _ => Signal::STOP,
        };
        if matches!(signal, Signal::TTIN | Signal::TTOU) && self.take_for_the_command() {
            return;
        }
        if let Some(terminal) = &self.terminal {
            terminal.restore();
        }
        self.listening = false;
        signals.with_default(nix::sys::signal::Signal::SIGTSTP, || {
            let _ = rustix::process::kill_current_process_group(signal);
        });
    }

    /// The command wants the terminal: it has it, if we do.
    fn take_for_the_command(&mut self) -> bool {
        if self.style == Style::Lines {
            self.style = Style::Raw(Keep {
                signals: true,
                output: true,
            });
        }
        self.settle();
        self.listening
    }
}

fn style(kinds: Three<Kind>) -> Style {
    let [input, output, _] = kinds;
    match (input, output) {
        (_, Kind::Pipe) => Style::Lines,
        (input, output) => Style::Raw(Keep {
            signals: input == Kind::Pipe,
            output: output != Kind::Terminal,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_keeps_the_parts_of_the_terminal_that_others_need() {
        use Kind::{File, Pipe, Terminal};
        let raw = |signals, output| Style::Raw(Keep { signals, output });
        assert_eq!(style([Terminal, Terminal, Terminal]), raw(false, false));
        assert_eq!(style([Pipe, Terminal, Terminal]), raw(true, false));
        assert_eq!(style([Terminal, File, Terminal]), raw(false, true));
        assert_eq!(style([Terminal, Pipe, Terminal]), Style::Lines);
    }
}
