//! Talking with the person who logs in.

use elevate_protocol::Secret;

/// How something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// For their information.
    Notice,
    /// Why they don't get in.
    Error,
}

/// The host program's way to the person: a terminal, or ssh's messages.
pub(crate) trait Conversation {
    /// Show a prompt of one line and take what is typed; `None` where nobody answers.
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<Secret>;

    /// Show one line.
    fn tell(&mut self, text: &str, tone: Tone);
}
