use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::{Command, Machine, Output, Running, Terminal, poll};

/// One login of a user through sshd, for as long as this value lives. Everything started with it
/// runs in this login's audit session and logind session, as from several windows of one ssh
/// connection.
#[derive(Debug)]
pub struct Login<'m> {
    machine: &'m Machine,
    user: String,
    /// The socket of ssh's connection sharing, in the machine.
    control: String,
    connection: Option<Running>,
}

impl<'m> Login<'m> {
    #[track_caller]
    pub(crate) fn open(machine: &'m Machine, user: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let control = format!("/run/harness-ssh-{number}");
        let connect = machine.command(&["ssh", "-MNS", &control, "-l", user, "127.0.0.1"]);
        // It lasts as long as the login; the timeout is for commands.
        let connection = connect.timeout(Duration::from_secs(3600)).start();
        let login = Self {
            machine,
            user: user.into(),
            control,
            connection: Some(connection),
        };
        poll(
            &format!("{user} to be logged in"),
            Duration::from_secs(30),
            || {
                let connection = login.connection.as_ref()?;
                assert!(
                    !connection.ended(),
                    "no login for {user}: {}",
                    connection.stderr_so_far()
                );
                (login.multiplexer("check").status == 0).then_some(())
            },
        );
        login
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

    /// Ends the login and waits for it. Dropping it ends it too.
    pub fn logout(self) {}

    fn ssh<'a>(&'a self, options: &[&'a str], line: &'a str) -> Vec<&'a str> {
        let mut argv = vec!["ssh", "-S", &self.control, "-o", "ControlMaster=no"];
        argv.extend(options);
        argv.extend(["-l", &self.user, "127.0.0.1", line]);
        argv
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
        if let (Some(connection), false) = (self.connection.take(), std::thread::panicking()) {
            connection.wait();
        }
    }
}
