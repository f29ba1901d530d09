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
pub const EXEC_RECORD_BYTES: usize = 64 * 1024;
/// Bytes that must be free for a recording to begin where a rule says `on_full = "refuse"`.
pub const RECORDING_ROOM: u64 = 64 * 1024 * 1024;
/// How long a login that must be recorded may go on before its recorded shell begins.
pub const SHELL_TIME: Duration = Duration::from_secs(15);
/// Files of one edit.
pub const EDIT_FILES: usize = 16;
/// Bytes of one file that is edited.
pub const EDIT_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of all files of one edit together.
pub const EDIT_TOTAL_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of the diff of one edited file that are put on record; the rest is marked as cut.
pub const EDIT_DIFF_BYTES: usize = 64 * 1024;
/// Warnings before the end of a session.
pub const WARNINGS: usize = 8;
/// Auditors who may watch one session at a time.
pub const WATCHERS_PER_SESSION: usize = 16;
/// Subscribers to changes (`elevatectl watch`) of one user at a time.
pub const SUBSCRIPTIONS_PER_USER: usize = 8;
/// Bytes of one message between the PAM module and `elevated`.
pub const LOGIN_BYTES: usize = 16 * 1024;
/// Logins that may be under way at a time, on the whole host.
pub const LOGINS: usize = 512;
/// How long a person may take to type a code at a login.
pub const LOGIN_TIME: Duration = Duration::from_secs(120);
/// Bytes of a code of any kind.
pub const CODE_BYTES: usize = 64;
/// How often a code is asked for within one `elevate` or vote.
pub const CODE_TRIES: u32 = 3;
/// Recovery codes of one person.
pub const RECOVERY_CODES: usize = 10;
/// Files of logins that wait to be recorded.
pub const LOGIN_SPOOL_FILES: usize = 1000;
/// Bytes of one message between `elevate-directory` and `elevated`.
pub const DIRECTORY_BYTES: usize = 4 * 1024 * 1024;
/// Changes and unchanged ids in one message, together.
pub const DIRECTORY_BATCH: usize = 500;
/// Bytes of one person's record, as JSON.
pub const DIRECTORY_RECORD_BYTES: usize = 64 * 1024;
/// Bytes of all records of a directory, as JSON.
pub const DIRECTORY_TOTAL_BYTES: usize = 256 * 1024 * 1024;
/// Bytes of a directory's cursor, and of the description of its source.
pub const DIRECTORY_CURSOR_BYTES: usize = 16 * 1024;
/// People of a directory.
pub const PEOPLE: usize = 200_000;
/// Groups of a directory.
pub const GROUPS: usize = 50_000;
/// ssh keys of one person.
pub const SSH_KEYS: usize = 64;
/// Bytes of one ssh key.
pub const SSH_KEY_BYTES: usize = 16 * 1024;
/// Attributes of one person, and values of one attribute.
pub const ATTRIBUTES: usize = 64;
/// Bytes of an attribute's value.
pub const ATTRIBUTE_BYTES: usize = 1024;
/// No uid below this one is ever a leaver's, and no directory record may have one.
pub const LOWEST_LEAVER: u32 = 1000;
