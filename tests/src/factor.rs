use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Login, Machine, Terminal};

/// The length of a time step in seconds (RFC 6238, section 4.1).
const STEP: u64 = 30;

/// How many recovery codes an enrolment hands out.
const RECOVERY_CODES: usize = 10;

/// The second factor of a user: their authenticator application and the sheet of paper with their
/// recovery codes. No code leaves it twice.
#[derive(Debug)]
pub struct Factor<'m> {
    machine: &'m Machine,
    secret: String,
    recovery_codes: VecDeque<String>,
    /// The time step of the last code that it showed.
    shown: u64,
}

impl Machine {
    /// The code of a secret in base32 for a time step (RFC 6238: seconds since 1970, divided by 30,
    /// rounded down), as oathtool(1) computes it.
    ///
    /// # Panics
    /// If the secret is none.
    #[track_caller]
    pub fn totp(&self, secret: &str, step: u64) -> String {
        let mut codes = self.totps(secret, step, 1);
        codes.pop().expect("oathtool prints a code")
    }

    /// The codes of so many time steps from this one on.
    #[track_caller]
    fn totps(&self, secret: &str, first: u64, count: u64) -> Vec<String> {
        let now = format!("--now=@{}", first * STEP);
        let more = format!("--window={}", count - 1);
        let oathtool = ["oathtool", "--totp", "--base32", &now, &more, "-"];
        let output = self.command(&oathtool).stdin(secret).run().success();
        output.text().lines().map(str::to_owned).collect()
    }

    /// Enrols a user's second factor as root does it for them, with `elevatectl mfa enrol USER`.
    ///
    /// # Panics
    /// If it fails.
    #[track_caller]
    pub fn enrol(&self, user: &str) -> Factor<'_> {
        Factor::enrol(self, self.terminal(&["elevatectl", "mfa", "enrol", user]))
    }
}

impl<'m> Login<'m> {
    /// Enrols the user's own second factor with `elevatectl mfa enrol`.
    ///
    /// # Panics
    /// If it fails.
    #[track_caller]
    pub fn enrol(&self) -> Factor<'m> {
        Factor::enrol(self.machine(), self.terminal("elevatectl mfa enrol"))
    }
}

impl<'m> Factor<'m> {
    /// The factor with this secret in base32 and these recovery codes, of which no code was shown
    /// yet.
    pub fn new(
        machine: &'m Machine,
        secret: &str,
        recovery_codes: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            machine,
            secret: secret.into(),
            recovery_codes: recovery_codes.into_iter().collect(),
            shown: 0,
        }
    }

    /// Answers `elevatectl mfa enrol` at a terminal.
    #[track_caller]
    fn enrol(machine: &'m Machine, mut terminal: Terminal) -> Self {
        let secret = terminal.expect(r"\nSecret: ([A-Z2-7]+)\r");
        let mut factor = Self::new(machine, &secret, []);
        terminal.expect(r"\nVerification code: $");
        terminal.send(format!("{}\n", factor.totp()));
        factor.read_recovery_codes(&mut terminal);
        terminal.expect(r"\nEnrolled ");
        assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
        factor
    }

    /// Takes the recovery codes that a program shows on a terminal, instead of those that it had.
    ///
    /// # Panics
    /// If there are not ten.
    #[track_caller]
    pub fn read_recovery_codes(&mut self, terminal: &mut Terminal) {
        terminal.expect("Recovery codes");
        let code = |_| terminal.expect(r"\n  (\S+)\r");
        self.recovery_codes = (0..RECOVERY_CODES).map(code).collect();
    }

    /// A code never shown before: the application's, unless it was shown in this time step already;
    /// then a recovery code, and after the last of them the next step's, for which it waits.
    ///
    /// # Panics
    /// If oathtool fails.
    #[track_caller]
    pub fn code(&mut self) -> String {
        if self.shown == this_step()
            && let Some(code) = self.recovery_codes.pop_front()
        {
            return code;
        }
        self.totp()
    }

    /// A code of the application never shown before. It waits for the next time step, 30 seconds at
    /// most, if this one's was.
    ///
    /// # Panics
    /// If oathtool fails.
    #[track_caller]
    pub fn totp(&mut self) -> String {
        let step = crate::poll("a new time step", Duration::from_secs(2 * STEP), || {
            Some(this_step()).filter(|step| *step != self.shown)
        });
        self.shown = step;
        self.machine.totp(&self.secret, step)
    }

    /// The code that the application showed last, once more.
    ///
    /// # Panics
    /// If it showed none.
    #[track_caller]
    pub fn shown_before(&self) -> String {
        assert_ne!(self.shown, 0, "no code was shown yet");
        self.machine.totp(&self.secret, self.shown)
    }

    /// A recovery code never used before.
    ///
    /// # Panics
    /// If they are all used up.
    #[track_caller]
    pub fn recovery_code(&mut self) -> String {
        let code = self.recovery_codes.pop_front();
        code.expect("a recovery code is left")
    }

    /// Six digits that are no code of this secret for minutes around now.
    ///
    /// # Panics
    /// If oathtool fails.
    #[track_caller]
    pub fn wrong(&self) -> String {
        let right = self.machine.totps(&self.secret, this_step() - 10, 20);
        let wrong = |code: &String| !right.contains(code);
        let mut codes = (0..).map(|code| format!("{code:06}"));
        codes.find(wrong).expect("some code is wrong")
    }

    /// The secret in base32.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The recovery codes that were not used yet.
    pub fn recovery_codes(&self) -> impl Iterator<Item = &str> {
        self.recovery_codes.iter().map(String::as_str)
    }
}

fn this_step() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs() / STEP
}
