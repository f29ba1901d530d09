use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::ssh::window;
use crate::{Command, Machine, Output, Terminal};

/// One login of a user through sshd, for as long as this value lives. Everything started with it
/// runs in this login's audit session and logind session, as from several windows of one ssh
/// connection.
#[derive(Debug)]
pub struct Login<'m> {
    machine: &'m Machine,
    user: String,
    /// The socket of ssh's connection sharing, in the machine.
    control: String,
    /// Where the client that holds the connection runs.
    connection: Mutex<Terminal>,
}

impl<'m> Login<'m> {
    /// A login whose client shares its connection on the socket `control`.
    pub(crate) fn new(
        machine: &'m Machine,
        user: String,
        control: String,
        connection: Terminal,
    ) -> Self {
        Self {
            machine,
            user,
            control,
            connection: connection.into(),
        }
    }

    /// Whose login it is.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The machine it is on.
    pub fn machine(&self) -> &'m Machine {
        self.machine
    }

    /// A command line for the user's shell, without a terminal.
    pub fn command(&self, line: &str) -> Command {
        self.machine.command(&self.ssh(&["-T"], line))
    }

    /// Runs a command line without a terminal.
    ///
    /// # Panics
    /// If it takes longer than a minute.
    #[track_caller]
    pub fn run(&self, line: &str) -> Output {
        self.command(line).run()
    }

    /// Runs a command line on a terminal of 24 rows and 80 columns.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn terminal(&self, line: &str) -> Terminal {
        let mut terminal = self
            .machine
            .terminal(&self.ssh(&["-tt", "-e", "none"], line));
        terminal.wait_until_raw();
        terminal
    }

    /// A shell on a terminal of its own that waits behind the prompt `ready> ` and shows what is
    /// typed as it is typed.
    ///
    /// # Panics
    /// If it cannot be started.
    #[track_caller]
    pub fn shell(&self) -> Terminal {
        let mut terminal = self.terminal("exec bash --norc --noprofile --noediting");
        terminal.send("PS1='ready> '; echo $((20 + 2))\n");
        terminal.expect(r"22\r\nready> $");
        terminal
    }

    /// Waits until the far side has ended the login, and returns what its client said at the end.
    ///
    /// # Panics
    /// If the login lives on for longer than this.
    #[track_caller]
    pub fn wait_until_ended(&self, within: Duration) -> String {
        let mut connection = self.connection();
        connection.wait_within(within);
        connection.screen()
    }

    /// Whether the far side has ended the login.
    pub fn ended(&self) -> bool {
        self.connection().ended()
    }

    /// Ends the login and waits for it. Dropping it ends it too.
    pub fn logout(self) {}

    fn ssh<'a>(&'a self, options: &[&'a str], line: &'a str) -> Vec<&'a str> {
        window(&self.user, &self.control, options, line)
    }

    fn connection(&self) -> std::sync::MutexGuard<'_, Terminal> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn multiplexer(&self, order: &str) -> Output {
        self.machine
            .run(&["ssh", "-S", &self.control, "-O", order, "127.0.0.1"])
    }
}

impl Drop for Login<'_> {
    fn drop(&mut self) {
        self.multiplexer("exit");
        // A test that already fails should fail for its own reason only.
        if !std::thread::panicking() {
            self.connection().wait();
        }
    }
}
