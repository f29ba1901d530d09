//! What passes between `elevated`, the launcher and the processes that the launcher forks.
//!
//! The launcher reads no more than the [`Header`] of a packet; the rest is for the resolver or the
//! leader that it forks, which answers on a socket that came with the packet.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::error::ErrorName;
use crate::id::Id;
use crate::secret::Secret;
use crate::stdio::{Route, Three};
use crate::stream::{EndReason, Status, Window};
use crate::transfer::Transfer;
use crate::{Bytes, id};

/// What the launcher is to fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A resolver; the body is a [`Resolve`], the descriptor the socket for its [`Resolution`].
    Resolve,
    /// Somebody who asks PAM whether the caller's account is in order; the body is a
    /// [`CheckAccount`], the descriptor the socket for its [`AccountChecked`].
    CheckAccount,
    /// A session leader; the body is a [`Launch`], the descriptors the control socket, the client's
    /// stream, and the socket on which it hears an [`AccountChecked`].
    Lead,
    /// Somebody who ends every process of a leaver; the body is an [`EndUser`], the descriptor the
    /// socket for its [`UserEnded`].
    EndUser,
    /// The leader of an edit; the body is an [`Edit`], the descriptors as for [`Order::Lead`].
    Edit,
}

/// The first bytes of a packet to the launcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What to fork.
    pub order: Order,
    /// For which request or session.
    pub id: Id,
}

impl Header {
    /// Length in bytes.
    pub const LENGTH: usize = 1 + id::LENGTH;

    /// The packet of `body` under this header.
    pub fn packet(self, body: &impl Serialize) -> Vec<u8> {
        let order = match self.order {
            Order::Resolve => b'R',
            Order::CheckAccount => b'A',
            Order::Lead => b'L',
            Order::EndUser => b'U',
            Order::Edit => b'E',
        };
        let mut packet = vec![order];
        packet.extend_from_slice(self.id.as_str().as_bytes());
        packet.extend(crate::message::encode(body));
        packet
    }

    /// The header and the body of a packet; `None` if it has no valid header.
    pub fn split(packet: &[u8]) -> Option<(Header, &[u8])> {
        let (header, body) = packet.split_at_checked(Header::LENGTH)?;
        let order = match header[0] {
            b'R' => Order::Resolve,
            b'A' => Order::CheckAccount,
            b'L' => Order::Lead,
            b'U' => Order::EndUser,
            b'E' => Order::Edit,
            _ => return None,
        };
        let id = std::str::from_utf8(&header[1..]).ok()?.parse().ok()?;
        Some((Header { order, id }, body))
    }
}

/// Which file would this command be?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolve {
    /// The command's first word.
    pub command: Bytes,
    /// Where a relative path begins.
    pub cwd: Bytes,
    /// Folders for a bare name, with colons between.
    pub search_path: String,
    /// The target: files are looked up with its rights.
    pub target: Account,
    /// Whether to read and hash what is found.
    pub hash: bool,
    /// What it is looked up for.
    pub purpose: Purpose,
}

/// What a file is looked up for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To be executed; a bare name is looked for along the search path.
    Execute,
    /// To be edited by this caller; it need not be there yet.
    Edit {
        /// In no folder that they may write could they be kept from swapping the file.
        caller: Account,
    },
}

/// Is this account in order (pam_acct_mgmt(3))?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckAccount {
    /// Whose.
    pub caller: String,
    /// The caller's terminal, such as `/dev/pts/3`, where they have one that has a name.
    pub terminal: Option<String>,
}

/// What became of a [`CheckAccount`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChecked {
    /// What PAM's modules had to say, harmless for a terminal.
    pub said: Vec<String>,
    /// Why nothing may begin.
    pub refusal: Option<AccountRefusal>,
}

/// Why somebody whose account is not in order begins nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRefusal {
    /// What kind of no.
    pub error: ErrorName,
    /// In words for the person.
    pub message: String,
}

/// End every process of this uid, until none is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndUser {
    /// Whose; never a system account's (see [`LOWEST_LEAVER`](crate::limits::LOWEST_LEAVER)).
    pub uid: u32,
}

/// What became of an [`EndUser`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserEnded {
    /// How many processes got SIGKILL.
    pub ended: u32,
    /// How many of them were still there in the end (unkillable sleep).
    pub left: u32,
}

/// What a resolver answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "kebab-case")]
pub enum Resolution {
    /// This file.
    Found(File),
    /// No such file, or none that the target may see.
    NotFound,
    /// This file, to be edited.
    Editable(EditFile),
    /// The file may not be edited this way: it is a link, no ordinary file, or in a folder where
    /// the caller could swap it; why, for the person.
    NotEditable(String),
    /// The file is there, but the target may not execute it.
    NotExecutable(Bytes),
    /// Looking failed.
    Failed(String),
}

/// A file that would be executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The path: its folder resolved, its last component as asked (it may be a link).
    pub path: Bytes,
    /// The path with every link resolved.
    pub real: Bytes,
    /// Which file that is.
    pub identity: Identity,
    /// Whether nobody but root can change any component of the path, the file or an interpreter.
    pub fixed: bool,
    /// The interpreter of a script (`#!`).
    pub interpreter: Option<Box<File>>,
    /// SHA-256 of the contents in lower-case hex, where it was asked for.
    pub sha256: Option<String>,
}

/// A file to be edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditFile {
    /// The path: its folder resolved, its last component no link.
    pub path: Bytes,
    /// Which file that is; none where it would be made.
    pub identity: Option<Identity>,
}

/// Everything the leader of an edit needs. No command runs: the client gets copies, its editor runs
/// as the caller, and what comes back is written with the target's rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Who asked.
    pub caller: Account,
    /// With whose rights the files are read and written.
    pub target: Account,
    /// The files, as they were judged.
    pub files: Vec<EditFile>,
    /// When the session ends, in milliseconds of CLOCK_BOOTTIME (clock_gettime(2)).
    pub deadline: u64,
    /// How long before it the person is told, in milliseconds, the longest first.
    pub warnings: Vec<u64>,
}

/// What tells one file, in one state, from another (stat(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Last change of the contents, nanoseconds since 1970.
    pub modified: i64,
    /// Last change of the inode, nanoseconds since 1970.
    pub changed: i64,
}

/// Everything a leader needs: it looks nothing up and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// Who asked.
    pub caller: Account,
    /// The login behind the caller (`/proc/PID/loginuid`), if there is one.
    pub login_uid: Option<u32>,
    /// Whom the command runs as.
    pub target: Account,
    /// The command's words, as they were judged and approved.
    pub argv: Vec<Bytes>,
    /// The file that was judged.
    pub file: File,
    /// The working directory; entered with the caller's rights.
    pub cwd: Bytes,
    /// The command's whole environment, `NAME=value` each.
    pub environment: Vec<Bytes>,
    /// What the command's umask takes from new files beside what this host's own does (umask(2)).
    pub umask: u32,
    /// The size of the session's terminal; none without one.
    pub window: Option<Window>,
    /// How the standard streams are connected.
    pub routes: Three<Route>,
    /// What of the terminal is recorded.
    pub record: Record,
    /// What happens where a recording finds no room.
    pub on_full: OnFull,
    /// What becomes of execs below the command.
    pub execs: Execs,
    /// What the command is confined to.
    pub confinement: Confinement,
    /// Whether the scope has limits of its own, so that nothing may run before systemd set them.
    pub limited: bool,
    /// When the session ends, in milliseconds of CLOCK_BOOTTIME (clock_gettime(2)).
    pub deadline: u64,
    /// How long before it the person is told, in milliseconds, the longest first.
    pub warnings: Vec<u64>,
    /// How long before the deadline the tree gets SIGTERM, in milliseconds; 0 for never.
    pub grace: u64,
    /// After so many milliseconds without a key pressed the terminal is held until a code is given,
    /// and after as many again the session ends.
    pub idle: Option<u64>,
    /// Whether somebody watches already (see [`ToLeader::Watched`]).
    pub watched: bool,
    /// The rule, for the recording's header.
    pub rule: String,
}

/// What of a session's terminal is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// Nothing.
    None,
    /// What it shows.
    Output,
    /// That, and what is typed while the terminal's echo is on.
    Full,
}

/// What happens where a recording finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFull {
    /// The session ends.
    End,
    /// It does not begin where less than [`RECORDING_ROOM`](crate::limits::RECORDING_ROOM) bytes
    /// are left; should they go while it runs, it ends.
    Refuse,
}

/// What becomes of execs below the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Execs {
    /// Nobody hears of them.
    None,
    /// Each is reported before it happens.
    Log,
    /// The command's own passes; every other is reported, and fails with EPERM.
    Deny,
}

/// What a command is confined to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// The capabilities that the command has and can ever get, a bit for each (capabilities(7)),
    /// with no_new_privs; none: what its uid brings.
    pub capabilities: Option<u64>,
    /// A view of the host of its own.
    pub contain: Option<Contain>,
}

/// A view of the host of its own: read-only, without other processes, sockets of services or
/// devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contain {
    /// Absolute paths that stay writable.
    pub writable: Vec<Bytes>,
    /// Whether it stays in the host's network.
    pub network: bool,
}

/// From a leader to `elevated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FromLeader {
    /// The command's process is there, for systemd to make its scope around it. Where the scope
    /// has limits, or the process could not be born in its cgroup, it waits for that.
    Started {
        /// The leader.
        leader: i32,
        /// The command.
        pid: i32,
        /// Whether it waits for the scope.
        #[serde(default)]
        waits: bool,
    },
    /// The command was executed.
    Running,
    /// Nothing was executed. The last message.
    Failed {
        /// What kind of failure.
        error: ErrorName,
        /// What failed.
        message: String,
    },
    /// A process of the session is about to execute something.
    Exec(Exec),
    /// As far as `/proc` shows it did not: the call failed. Of one that was denied [`Exec::denied`]
    /// says it.
    ExecFailed {
        /// Which, as [`Exec::number`] counted it.
        number: u64,
    },
    /// Nobody pressed a key for so long that the terminal is held: ask for a code.
    Held,
    /// What was typed where [`ToLeader::AskCode`] asked. A secret.
    Code {
        /// At most [`CODE_BYTES`](crate::limits::CODE_BYTES) bytes.
        text: Secret,
    },
    /// An edit is about to change a file. Where neither of the next two follows, nobody knows
    /// whether it did.
    Editing(Edited),
    /// A file was changed by an edit.
    Edited(Edited),
    /// The file of the last [`FromLeader::Editing`] is as it was.
    NotEdited,
    /// A program that passes files says what it does to one.
    Transfer(Transfer),
    /// The session is over and its tree is gone. The last message.
    Ended {
        /// How the command ended.
        status: Status,
        /// Why the session ended.
        reason: EndReason,
        /// Bytes of output recorded, before compression.
        recorded: u64,
        /// Execs reported.
        execs: u64,
    },
}

/// One exec, as the process asked for it. A log: by the time it is written the process could have
/// changed these bytes, and nothing is decided on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exec {
    /// Counted from 1 within the session.
    pub number: u64,
    /// Who executes.
    pub pid: i32,
    /// Its parent.
    pub ppid: i32,
    /// Its effective uid.
    pub uid: u32,
    /// Whether it is a system call of another kind than this machine's own (32-bit, x32).
    pub compat: bool,
    /// The path argument; `fd:N` and the path for execveat(2) with a descriptor.
    pub path: Bytes,
    /// The file that the path led to, with every link resolved, where it could be found.
    pub real: Option<Bytes>,
    /// The words, as far as they fit [`EXEC_RECORD_BYTES`](crate::limits::EXEC_RECORD_BYTES).
    pub argv: Vec<Bytes>,
    /// Whether words were left out.
    pub cut: bool,
    /// The working directory.
    pub cwd: Bytes,
    /// Whether it was denied ([`Execs::Deny`]).
    pub denied: bool,
}

/// One change of one file by an edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    /// The file.
    pub path: Bytes,
    /// SHA-256 of the contents before, in lower-case hex; none where it was made.
    pub before: Option<String>,
    /// SHA-256 of the contents after.
    pub after: String,
    /// What changed, as `diff -u` says it, at most
    /// [`EDIT_DIFF_BYTES`](crate::limits::EDIT_DIFF_BYTES) bytes; a line that says so for what is no
    /// text.
    pub diff: String,
    /// Whether more changed than the diff holds.
    pub cut: bool,
}

/// From `elevated` to a leader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ToLeader {
    /// systemd has made the command's scope.
    ScopeReady,
    /// End the session now.
    End {
        /// Why.
        reason: EndReason,
    },
    /// The session may last longer.
    Extend {
        /// Its end, in milliseconds of CLOCK_BOOTTIME; never earlier than before.
        deadline: u64,
    },
    /// The terminal is held: ask the person for a code.
    AskCode {
        /// One line.
        prompt: String,
    },
    /// The code was right: let go of the terminal.
    Release,
    /// From now on somebody watches, or nobody: who watches waits for no buffer.
    Watched {
        /// Whether somebody does.
        yes: bool,
    },
}

#[cfg(test)]
#[path = "launch_tests.rs"]
mod tests;
