//! Every limit that a user can reach, in one place.

use std::time::Duration;

/// Bytes of a command's words together, each with its terminating NUL.
pub const ARGV_BYTES: usize = 128 * 1024;
/// Words of a command.
pub const ARGV_WORDS: usize = 4096;
/// Bytes of the environment a client may ask to keep.
pub const ENVIRONMENT_BYTES: usize = 32 * 1024;
/// Variables a client may ask to keep.
pub const ENVIRONMENT_VARIABLES: usize = 256;
/// Bytes of a path.
pub const PATH_BYTES: usize = 4096;
/// Bytes of a reason, a comment on a vote or a ticket.
pub const REASON_BYTES: usize = 1024;
/// Bytes of a user's, group's or rule's name.
pub const NAME_BYTES: usize = 256;
/// Requests of one user that may wait for something at a time.
pub const REQUESTS_PER_USER: usize = 16;
/// Sessions of one user that may run at a time.
pub const SESSIONS_PER_USER: usize = 256;
/// Conversations (an `elevate` or a vote before its outcome) of one user at a time.
pub const CONVERSATIONS_PER_USER: usize = 32;
/// Bytes of one message on a stream.
pub const MESSAGE_BYTES: usize = 64 * 1024;
/// Bytes of one message between our own processes; holds a whole command and its environment.
pub const LAUNCH_BYTES: usize = 1024 * 1024;
/// Descriptors that travel with one message.
pub const DESCRIPTORS: usize = 4;
/// How long a client may take to prove who it is.
pub const PROOF_TIME: Duration = Duration::from_secs(10);
/// How long a person may take to type a reason.
pub const PROMPT_TIME: Duration = Duration::from_secs(120);
/// How long the resolver may look for a command (a dead network mount would hold it for ever).
pub const RESOLVE_TIME: Duration = Duration::from_secs(5);
/// How long a session may take from its grant to its command.
pub const START_TIME: Duration = Duration::from_secs(30);
/// Exec records of one session; the session ends when it would write more.
pub const EXECS_PER_SESSION: u64 = 1_000_000;
/// Bytes of a command line kept in one exec record; the rest is marked as cut.
pub const EXEC_RECORD_BYTES: usize = 4096;
/// Subscribers to changes (`elevatectl watch`) of one user at a time.
pub const SUBSCRIPTIONS_PER_USER: usize = 8;
