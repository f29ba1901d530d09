//! What a client asks for, before anything is known about it.

use std::time::Duration;

use elevate_protocol::Bytes;
use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::Window;

/// One call of `Manager.Elevate`, within its limits but not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The command's words, or the paths of files to be edited; none with a NUL. Empty only where
    /// a shell is asked for.
    pub argv: Vec<Bytes>,
    /// What is to be done with them.
    pub mode: Mode,
    /// The target user, by name or `#uid`.
    pub user: Option<String>,
    /// The target group, by name or `#gid`.
    pub group: Option<String>,
    /// The caller's working directory; absolute.
    pub cwd: Bytes,
    /// Variables that are kept by default, `NAME=value`.
    pub environment: Vec<Bytes>,
    /// Variables that must be set as they are here, `NAME=value`.
    pub set: Vec<Bytes>,
    /// Keep the whole environment.
    pub preserve: bool,
    /// Why.
    pub reason: Option<String>,
    /// The ticket that it is for.
    pub ticket: Option<String>,
    /// For how long.
    pub duration: Option<Duration>,
    /// Under which rule.
    pub rule: Option<String>,
    /// What the standard streams are.
    pub stdio: Three<Kind>,
    /// The caller's terminal.
    pub window: Option<Window>,
    /// Ask nothing and wait for nobody.
    pub non_interactive: bool,
    /// No code that was given before counts.
    pub forget: bool,
    /// The caller's umask.
    pub umask: u32,
    /// Questions can be answered though there is no terminal.
    pub answers: bool,
}

impl Ask {
    /// Whether the person can be asked anything.
    pub fn may_be_asked(&self) -> bool {
        !self.non_interactive && (self.window.is_some() || self.answers)
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A command.
    Command,
    /// A shell (`-s`), or a command by its words.
    Shell,
    /// A shell as at a login (`-i`), or a command by way of one.
    Login,
    /// Files are to be edited (`-e`).
    Edit,
}
