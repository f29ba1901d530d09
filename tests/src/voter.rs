use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use crate::{Factor, Login, Machine, Output};

/// What asks for a code, everywhere.
const PROMPT: &str = "Verification code: $";

/// Somebody whose votes count: a login, and the second factor that a vote owes. It is a [`Login`]
/// in all else.
#[derive(Debug)]
pub struct Voter<'m> {
    login: Login<'m>,
    factor: Mutex<Factor<'m>>,
}

impl Machine {
    /// Logs a user in as [`login`](Self::login) does, with a second factor that they have from now on.
    ///
    /// # Panics
    /// If sshd refuses, or they have one already.
    #[track_caller]
    pub fn voter(&self, user: &str) -> Voter<'_> {
        let factor = Mutex::new(self.enrol(user));
        let login = self.login(user);
        Voter { login, factor }
    }
}

impl Voter<'_> {
    /// Runs a command line at a terminal of its own, and gives a code where one is asked for. A
    /// terminal has one screen: standard output and standard error of what comes back are both it.
    ///
    /// # Panics
    /// If it does not end in time, or they have no code left.
    #[track_caller]
    pub fn with_code(&self, line: &str) -> Output {
        let mut terminal = self.terminal(line);
        while terminal.shows_or_ends(PROMPT) {
            terminal.send(format!("{}\n", self.code()));
        }
        let status = terminal.wait();
        let screen = terminal.screen().into_bytes();
        Output {
            line: line.into(),
            status,
            stdout: screen.clone(),
            stderr: screen,
        }
    }

    /// A yes to a request, with a code; see [`with_code`](Self::with_code).
    ///
    /// # Panics
    /// If that does not end in time.
    #[track_caller]
    pub fn approve(&self, request: &str) -> Output {
        self.with_code(&format!("elevatectl approve --yes {request}"))
    }

    /// A no to a request, with a code; see [`with_code`](Self::with_code).
    ///
    /// # Panics
    /// If that does not end in time.
    #[track_caller]
    pub fn deny(&self, request: &str) -> Output {
        self.with_code(&format!("elevatectl deny {request}"))
    }

    /// A code never shown before; see [`Factor::code`].
    ///
    /// # Panics
    /// If oathtool fails.
    #[track_caller]
    pub fn code(&self) -> String {
        let factor = self.factor.lock();
        factor.unwrap_or_else(PoisonError::into_inner).code()
    }
}

impl<'m> Deref for Voter<'m> {
    type Target = Login<'m>;

    fn deref(&self) -> &Login<'m> {
        &self.login
    }
}
