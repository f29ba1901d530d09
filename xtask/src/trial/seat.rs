//! A person at a terminal of their own, with a shell in it.

use std::time::{Duration, Instant};

use elevate_tests::{Factor, Login, Machine, Terminal};

use super::screen;

/// Who sits where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// An operator.
    Alice,
    /// The same person at a second terminal.
    AliceAgain,
    /// An operator too.
    Bob,
    /// Somebody of the directory who becomes an operator.
    Carol,
    /// A user of the machine without any role.
    Eve,
    /// Somebody who works here for a while, and whose logins are recorded.
    Victor,
    /// The machine's administrator, at its console.
    Root,
}

impl Who {
    pub(super) fn account(self) -> &'static str {
        match self {
            Self::Alice | Self::AliceAgain => "alice",
            Self::Bob => "bob",
            Self::Carol => "carol",
            Self::Eve => "eve",
            Self::Victor => "victor",
            Self::Root => "root",
        }
    }

    /// The name of the seat, as the output shows it.
    pub(super) fn seat(self) -> &'static str {
        match self {
            Self::AliceAgain => "alice (2nd terminal)",
            other => other.account(),
        }
    }
}

/// A prompt that tells the status of the line before it, and that no output can be mistaken for.
const PROMPT: &str = "PS1='[status $?] \\u at the prompt: ' exec bash --norc --noediting -i";

/// What became of a line that was typed.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u8,
    /// What the terminal showed, line by line.
    pub(super) shown: Vec<String>,
    pub(super) took: Duration,
}

impl Answer {
    pub(super) fn text(&self) -> String {
        self.shown.join("\n")
    }
}

/// An interactive shell, in a login of its own through sshd or at the console.
pub(super) struct Seat<'m> {
    // Before the login: a terminal ends before the connection that carries it.
    terminal: Terminal,
    login: Option<Login<'m>>,
    prompt: String,
    asked: Instant,
    busy: bool,
}

impl<'m> Seat<'m> {
    /// In this login.
    pub(super) fn in_login(login: Login<'m>) -> Self {
        let terminal = login.terminal(PROMPT);
        let account = login.user().to_owned();
        Self::at(terminal, &account, Some(login))
    }

    /// Root's, with no login behind it.
    pub(super) fn at_console(machine: &'m Machine) -> Self {
        let line = format!("cd /root; {PROMPT}");
        Self::at(machine.terminal(&["sh", "-c", &line]), "root", None)
    }

    fn at(mut terminal: Terminal, account: &str, login: Option<Login<'m>>) -> Self {
        // Wide, so that lines stay whole, and as high as is good to show of a full screen.
        terminal.resize(12, 132);
        let prompt = format!(r"\[status (\d+)\] {account} at the prompt: ");
        terminal.expect(&prompt);
        Self {
            terminal,
            login,
            prompt,
            asked: Instant::now(),
            busy: false,
        }
    }

    /// Types a line and Enter.
    pub(super) fn enter(&mut self, line: &str) {
        self.asked = Instant::now();
        self.busy = true;
        self.terminal.send(format!("{line}\n"));
        // The terminal's echo of it is no news.
        self.terminal.expect(r"\r\n");
    }

    /// Presses keys that the terminal need not echo.
    pub(super) fn press(&mut self, keys: &str) {
        self.terminal.send(keys);
    }

    /// Waits until `pattern` shows, and returns the lines up to it.
    pub(super) fn sees(&mut self, pattern: &str) -> Vec<String> {
        let seen = self.terminal.expect(&format!("(?s)(.*?{pattern})"));
        screen::lines(&seen)
    }

    /// Notes the recovery codes that the terminal shows.
    pub(super) fn note_recovery_codes(&mut self, factor: &mut Factor<'m>) {
        factor.read_recovery_codes(&mut self.terminal);
    }

    /// Waits for the prompt.
    pub(super) fn answer(&mut self) -> Answer {
        let ended = format!("(?s)(.*?{})", self.prompt.replace(r"(\d+)", r"\d+"));
        let seen = self.terminal.expect(&ended);
        let took = self.asked.elapsed();
        self.busy = false;
        let (output, prompt) = seen.rsplit_once("[status ").unwrap_or((&seen, ""));
        let status = prompt.split(']').next().and_then(|code| code.parse().ok());
        Answer {
            status: status.unwrap_or(u8::MAX),
            shown: screen::lines(output),
            took,
        }
    }

    /// Whether a line was typed whose end nobody has seen yet.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Whether the far side has ended the login.
    pub(super) fn is_over(&self) -> bool {
        self.login.as_ref().is_some_and(Login::ended)
    }
}
