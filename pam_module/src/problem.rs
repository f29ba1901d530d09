//! Why `elevated` could not be asked, or its answer not be believed.

use std::time::Duration;

use rustix::io::Errno;

/// Everything that is neither a yes nor a no. The text goes to the system's log and on record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// The socket can't be reached.
    #[error("elevated cannot be reached: {0}")]
    Unreachable(Errno),
    /// Nothing, or not all of it, came in time.
    #[error("elevated did not answer within {} s", .0.as_secs())]
    Late(Duration),
    /// The socket belongs to somebody who is not root.
    #[error("what answers on elevated's socket is of uid {0}")]
    Stranger(u32),
    /// The other end closed before it had answered.
    #[error("elevated hung up before it had answered")]
    HungUp,
    /// Bytes that are no answer.
    #[error("elevated's answer makes no sense: {0}")]
    Nonsense(String),
    /// A system call failed.
    #[error("the connection to elevated failed: {0}")]
    Io(#[from] Errno),
    /// Our line in the PAM file.
    #[error("the PAM line is wrong: {0}")]
    Line(String),
    /// What the host program told us.
    #[error("{0}")]
    Facts(&'static str),
}
