//! A client of `elevated` that follows no rule, for tests of what the daemon and the leader do with it.

use crate::{Command, Login, Output};

/// D-Bus and the stream, by hand.
const CLIENT: &str = include_str!("hostile.py");

impl Login<'_> {
    /// A Python program that has all of `hostile.py` at hand: `Bus`, `Stream`, `elevate`,
    /// `Refused`. What a test asserts it prints.
    pub fn hostile_command(&self, program: &str) -> Command {
        let program = format!("{CLIENT}\n\n{program}\n");
        self.command("exec python3 -").stdin(program)
    }

    /// Runs such a program; it must succeed.
    ///
    /// # Panics
    /// If it fails, or takes longer than a minute.
    #[track_caller]
    pub fn hostile(&self, program: &str) -> Output {
        self.hostile_command(program).run().success()
    }
}
