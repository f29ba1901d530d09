//! What passes between a client and whoever serves it on its stream: first `elevated`, then, from
//! [`ToClient::Attach`] on, the session leader.
//!
//! ```text
//! client   Hello ->            <- Challenge          elevated
//!          Proof ->            <- (AskCode | AskEnvironment | AskReason | AskTicket
//!                                  | Waiting | Voted)*
//!                              <- Refused, or nothing: the stream is handed to the leader
//!                              <- Attach             leader
//!          Stdio + descriptors ->
//!          Terminal data, Resize, Signal, Keyboard, Continue ->
//!                              <- data, Stopped, Notice, Held, AskCode, Released, Ended
//!          Code, where it was asked for ->
//! ```
//!
//! An edit has its own words after `Attach`: the leader sends [`ToClient::Copies`] and the contents,
//! the client [`ToServer::Changed`] and the new contents, and [`ToClient::Ended`] is the last.
//!
//! A vote ends with [`ToClient::Counted`]; what `elevatectl mfa` asks for ends with
//! [`ToClient::Done`].

use serde::{Deserialize, Serialize};

use crate::Bytes;
use crate::error::ErrorName;
use crate::id::Id;
use crate::secret::Secret;
use crate::stdio::{Route, Three};

/// Variables that a client offers without being asked, and that a session keeps. A name that
/// ends in `*` stands for all that begin so. None of them names a file or a program.
pub const KEPT_ENVIRONMENT: &[&str] =
    &["TERM", "COLORTERM", "NO_COLOR", "LANG", "LANGUAGE", "LC_*"];

/// Whether `name` is one of [`KEPT_ENVIRONMENT`].
pub fn kept_by_default(name: &[u8]) -> bool {
    KEPT_ENVIRONMENT
        .iter()
        .any(|kept| match kept.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix.as_bytes()),
            None => name == kept.as_bytes(),
        })
}

/// Whether a variable of [`KEPT_ENVIRONMENT`] may have this value. The C library opens what
/// `LANGUAGE` names by a path, and a `%` can reach a format: sudo's `env_check` (sudoers(5)) draws
/// the same line.
pub fn harmless(value: &[u8]) -> bool {
    !value.iter().any(|byte| b"/%".contains(byte))
}

/// Rows and columns of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Height.
    pub rows: u16,
    /// Width.
    pub columns: u16,
}

impl std::fmt::Display for Window {
    /// As asciicasts have it: `80x24`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.columns, self.rows)
    }
}

/// From a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ToServer {
    /// The first word; the kernel attaches who sends it.
    Hello,
    /// The nonce of the challenge, from the same process.
    Proof {
        /// As it was sent.
        nonce: String,
    },
    /// The values of the variables that were asked for and are set.
    Environment {
        /// `NAME=value` each.
        variables: Vec<Bytes>,
    },
    /// The reason that was asked for.
    Reason {
        /// At most [`REASON_BYTES`](crate::limits::REASON_BYTES) bytes.
        text: String,
    },
    /// The ticket that was asked for.
    Ticket {
        /// At most [`REASON_BYTES`](crate::limits::REASON_BYTES) bytes.
        text: String,
    },
    /// The code that was asked for. A secret.
    Code {
        /// At most [`CODE_BYTES`](crate::limits::CODE_BYTES) bytes.
        text: Secret,
    },
    /// Standard streams, one descriptor for each [`Route::Pass`] and [`Route::Pump`], in order.
    Stdio,
    /// The caller's terminal changed its size.
    Resize {
        /// The new size.
        window: Window,
    },
    /// A signal that the client got from outside its terminal, for the command.
    Signal {
        /// Its number (signal(7)).
        number: i32,
    },
    /// The client was continued by its shell: continue the command.
    Continue,
    /// Whether the client has its terminal for the command, so that this may read keys and change
    /// modes. Until it says so it has.
    Keyboard {
        /// Whether it has.
        given: bool,
    },
    /// Nobody reads the command's standard output or error any more where it is carried: the command
    /// is to meet a closed pipe, too.
    Unread {
        /// Whether it is the error.
        error: bool,
    },
    /// The editor is done. The new contents of these files follow on
    /// [`Channel::File`](crate::message::Channel::File), in this order.
    Changed {
        /// Those that changed; none to leave all as they are.
        files: Vec<ChangedFile>,
    },
}

/// A file that the editor changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Which of [`ToClient::Copies`], from 0.
    pub index: u32,
    /// Its new length in bytes.
    pub size: u64,
}

/// A file to be edited, as the client gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyOf {
    /// Its path, for the person and for the copy's name.
    pub path: Bytes,
    /// Its length in bytes.
    pub size: u64,
    /// Whether it would be made.
    pub new: bool,
}

/// To a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ToClient {
    /// Prove that the process that said hello is still the one talking.
    Challenge {
        /// To be sent back.
        nonce: String,
    },
    /// It will not be. The last message of a stream.
    Refused {
        /// What kind of refusal.
        error: ErrorName,
        /// One line for the person, without the program's name.
        message: String,
        /// What to do next.
        hint: Option<String>,
    },
    /// The rule keeps more variables than [`KEPT_ENVIRONMENT`]: what are these?
    AskEnvironment {
        /// Exact names.
        names: Vec<String>,
    },
    /// The rule wants a reason.
    AskReason,
    /// The rule wants a ticket.
    AskTicket {
        /// What it looks like: a regular expression.
        like: String,
    },
    /// A code is owed; ask for it without showing what is typed, and send it.
    AskCode {
        /// One line.
        prompt: String,
    },
    /// A new secret, for the person's eyes: show it, as a QR code too. A code made with it is asked
    /// for next, and only then does it count.
    Enrolment {
        /// `otpauth://totp/…`, with the secret in it.
        uri: Secret,
        /// The secret alone, in base32 (RFC 4648 section 6).
        secret: Secret,
    },
    /// New recovery codes, for the person's eyes, this once.
    RecoveryCodes {
        /// Each counts once.
        codes: Vec<Secret>,
    },
    /// What was asked for is done; the last message of a stream of `elevatectl mfa`.
    Done,
    /// The request stands and waits for approvals.
    Waiting {
        /// The request.
        request: Id,
        /// Approvals that are needed in all.
        needed: u32,
        /// Who may approve, as the rule names them.
        approvers: Vec<String>,
        /// Time left, in milliseconds.
        expires_in: u64,
    },
    /// Somebody voted.
    Voted {
        /// Who.
        voter: String,
        /// What.
        approved: bool,
        /// Approvals so far.
        agreed: u32,
        /// Approvals that are needed in all.
        needed: u32,
    },
    /// A vote was counted; the last message of a voter's stream.
    Counted {
        /// The request's state after it, as its `State` property says it.
        state: String,
        /// Approvals so far.
        agreed: u32,
        /// Approvals that are needed in all.
        needed: u32,
    },
    /// The grant stands; connect the standard streams.
    Attach {
        /// The session.
        session: Id,
        /// How each standard stream is connected.
        routes: Three<Route>,
        /// Whether the session has a terminal of its own.
        terminal: bool,
    },
    /// The command was stopped (Ctrl-Z); stop likewise, and say [`ToServer::Continue`] after.
    Stopped {
        /// The signal that stopped it.
        signal: i32,
    },
    /// A line for the person, from us and not from the command.
    Notice {
        /// Without a newline.
        text: String,
    },
    /// The session's terminal is held: nothing is shown and nothing passed on until
    /// [`ToClient::Released`]. What has to be typed meanwhile is asked for by
    /// [`ToClient::AskCode`].
    Held {
        /// Why, in one line.
        text: String,
    },
    /// The session's terminal goes on.
    Released,
    /// The files to be edited. Their contents follow on
    /// [`Channel::File`](crate::message::Channel::File), in this order.
    Copies {
        /// At most [`EDIT_FILES`](crate::limits::EDIT_FILES).
        files: Vec<CopyOf>,
    },
    /// The session is over; the last message of a stream.
    Ended {
        /// How the command ended.
        status: Status,
        /// Why the session ended.
        reason: EndReason,
    },
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It exited with this status, 0 to 255.
    Exited(u8),
    /// This signal ended it.
    Signaled(i32),
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The command ended by itself.
    Finished,
    /// The grant's time was over.
    Deadline,
    /// Somebody ended it.
    Revoked {
        /// Who, or what part of us.
        by: String,
    },
    /// Nobody gave a code for as long as the terminal was held.
    Idle,
    /// Nobody watched any more, and the rule wants it.
    Unwatched,
    /// The client went away.
    ClientGone,
    /// Elevated stopped: nobody could revoke the session any more, or keep its records.
    DaemonGone,
    /// What must be recorded could not be.
    RecordingFailed,
    /// The leader went away without a word; the tree was killed.
    LeaderGone,
    /// The machine went down.
    Reboot,
}

impl EndReason {
    /// One word, for listings and the journal.
    pub fn word(&self) -> &'static str {
        match self {
            EndReason::Finished => "finished",
            EndReason::Deadline => "deadline",
            EndReason::Revoked { .. } => "revoked",
            EndReason::Idle => "idle",
            EndReason::Unwatched => "unwatched",
            EndReason::ClientGone => "client-gone",
            EndReason::DaemonGone => "daemon-gone",
            EndReason::RecordingFailed => "recording-failed",
            EndReason::LeaderGone => "leader-gone",
            EndReason::Reboot => "reboot",
        }
    }
}
