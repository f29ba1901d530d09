//! What passes between the PAM module and `elevated` on [`LOGIN_SOCKET`](crate::paths::LOGIN_SOCKET),
//! as Varlink. Both ends are root; the daemon takes the process behind a call from the socket's peer.
//!
//! One connection serves one call of the module: `Authenticate` and the `Answer`s that follow, or one
//! of the others. Whoever hangs up has not been authenticated.

use serde::{Deserialize, Serialize};

/// The interface's name.
pub const INTERFACE: &str = "org.elevate.Login";

/// The interface's description, for `varlinkctl introspect`.
pub const DESCRIPTION: &str = "\
# Second factors and role checks at logins; for pam_elevate.so.
interface org.elevate.Login

# service: the PAM service. source: the remote host as PAM_RHOST has it. terminal: PAM_TTY.
type Login (service: string, user: string, source: ?string, terminal: ?string)

# ask: show the prompt and send the answer with Answer. passed: nothing more is owed.
type Step (kind: (ask, passed), prompt: ?string, echo: ?bool)

# Begin to authenticate: what does this login owe beyond what other modules ask?
method Authenticate(login: Login) -> (step: Step)

# The answer to the last prompt, on the same connection.
method Answer(text: string) -> (step: Step)

# Whether a role admits this login now, and whether what it owes has been given.
method Admit(login: Login) -> (notice: ?string)

# The session opens; called by the process that stays with it.
method Open(login: Login) -> ()

# The session closes.
method Close(login: Login) -> ()

# No. The message may be shown to the person.
error Refused (message: string)

# A call that this connection can't make now.
error OutOfTurn ()
";

/// Who wants in, and by which door.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The PAM service: `sshd`, `login`, `su`.
    pub service: String,
    /// The name that was given.
    pub user: String,
    /// The remote host, as `PAM_RHOST` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The terminal, as `PAM_TTY` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
}

/// A call of the interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", content = "parameters", deny_unknown_fields)]
pub enum Method {
    /// Begin to authenticate; the reply is a [`Stepped`].
    #[serde(rename = "org.elevate.Login.Authenticate")]
    Authenticate {
        /// Who.
        login: Login,
    },
    /// Answer the last prompt; the reply is a [`Stepped`].
    #[serde(rename = "org.elevate.Login.Answer")]
    Answer {
        /// What was typed, at most [`CODE_BYTES`](crate::limits::CODE_BYTES) bytes.
        text: crate::Secret,
    },
    /// May they come in? The reply is an [`Admitted`].
    #[serde(rename = "org.elevate.Login.Admit")]
    Admit {
        /// Who.
        login: Login,
    },
    /// The session opens; the reply is empty.
    #[serde(rename = "org.elevate.Login.Open")]
    Open {
        /// Whose.
        login: Login,
    },
    /// The session closes; the reply is empty.
    #[serde(rename = "org.elevate.Login.Close")]
    Close {
        /// Whose.
        login: Login,
    },
}

/// What comes next in an authentication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Show the prompt and answer.
    Ask {
        /// One line.
        prompt: String,
        /// Whether the terminal may show what is typed.
        echo: bool,
    },
    /// Nothing more is owed.
    Passed,
}

/// The reply to `Authenticate` and `Answer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stepped {
    /// What comes next.
    pub step: Step,
}

/// The reply to `Admit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    /// A line for the person, such as when their access ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// The error of a no.
pub const REFUSED: &str = "org.elevate.Login.Refused";
/// The error of a call that the connection can't make now.
pub const OUT_OF_TURN: &str = "org.elevate.Login.OutOfTurn";

/// The reply to `Open` and `Close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {}

/// The parameters of [`REFUSED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// One line, which may be shown to the person: it never tells whether a user exists, is
    /// enrolled or is locked.
    pub message: String,
}

/// What the module did by itself while `elevated` could not answer: one JSON file each in
/// [`LOGIN_SPOOL`](crate::paths::LOGIN_SPOOL), put on record and removed by the daemon when it is
/// back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spooled {
    /// Who.
    pub login: Login,
    /// What was done.
    pub outcome: Outcome,
    /// The module's function: `auth`, `account` or `session`.
    pub phase: String,
    /// Why elevated could not be asked.
    pub problem: String,
    /// The process's real terminal, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_terminal: Option<String>,
    /// Milliseconds since 1970.
    pub at: u64,
}

/// What the module did by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It said no.
    Refused,
    /// It stood aside for a rescue that the administrator wrote into the PAM line.
    Rescued,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_in_no_debug_print() {
        let answer = Method::Answer {
            text: "123456".to_owned().into(),
        };
        assert!(!format!("{answer:?}").contains("123456"));
    }

    #[test]
    fn a_step_is_what_the_description_says() {
        let ask = Step::Ask {
            prompt: "Verification code: ".into(),
            echo: false,
        };
        assert_eq!(
            serde_json::to_string(&ask).unwrap(),
            r#"{"kind":"ask","prompt":"Verification code: ","echo":false}"#
        );
    }
}
