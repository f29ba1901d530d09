//! What a client asks for, before anything is known about it.

use std::time::Duration;

use elevate_protocol::Bytes;
use elevate_protocol::stdio::{Kind, Three};
use elevate_protocol::stream::Window;

/// One call of `Manager.Elevate`, within its limits but not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The command's words; never empty, none with a NUL.
    pub argv: Vec<Bytes>,
    /// The target user, by name or `#uid`.
    pub user: Option<String>,
    /// The target group, by name or `#gid`.
    pub group: Option<String>,
    /// The caller's working directory; absolute.
    pub cwd: Bytes,
    /// Variables that are kept by default, `NAME=value`.
    pub environment: Vec<Bytes>,
    /// Why.
    pub reason: Option<String>,
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
}
