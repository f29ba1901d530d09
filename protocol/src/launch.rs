//! What passes between `elevated`, the launcher and the processes that the launcher forks.
//!
//! The launcher reads no more than the [`Header`] of a packet; the rest is for the resolver or the
//! leader that it forks, which answers on a socket that came with the packet.

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::error::ErrorName;
use crate::id::Id;
use crate::stdio::{Route, Three};
use crate::stream::{EndReason, Status, Window};
use crate::{Bytes, id};

/// What the launcher is to fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A resolver; the body is a [`Resolve`], the descriptor the socket for its [`Resolution`].
    Resolve,
    /// A session leader; the body is a [`Launch`], the descriptors the control socket and the
    /// client's stream.
    Lead,
    /// Somebody who ends every process of a leaver; the body is an [`EndUser`], the descriptor the
    /// socket for its [`UserEnded`].
    EndUser,
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
            Order::Lead => b'L',
            Order::EndUser => b'U',
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
            b'L' => Order::Lead,
            b'U' => Order::EndUser,
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
    /// The size of the session's terminal; none without one.
    pub window: Option<Window>,
    /// How the standard streams are connected.
    pub routes: Three<Route>,
    /// Record what the command shows.
    pub record: bool,
    /// Report every exec below the command.
    pub log_execs: bool,
    /// Whether the scope has limits of its own, so that nothing may run before systemd set them.
    pub limited: bool,
    /// When the session ends, in milliseconds of CLOCK_BOOTTIME (clock_gettime(2)).
    pub deadline: u64,
    /// The rule, for the recording's header.
    pub rule: String,
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
    /// Who executes.
    pub pid: i32,
    /// The path argument; `fd:N` and the path for execveat(2) with a descriptor.
    pub path: Bytes,
    /// The words, as far as they fit [`EXEC_RECORD_BYTES`](crate::limits::EXEC_RECORD_BYTES).
    pub argv: Vec<Bytes>,
    /// Whether words were left out.
    pub cut: bool,
    /// The working directory.
    pub cwd: Bytes,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_launcher_finds_the_header_without_reading_the_body() {
        let header = Header {
            order: Order::Lead,
            id: Id::from_random(7),
        };
        let packet = header.packet(&ToLeader::ScopeReady);
        let (read, body) = Header::split(&packet).unwrap();
        assert_eq!(read, header);
        assert!(body.starts_with(b"{"));
    }

    #[test]
    fn every_answer_of_a_resolver_is_a_message() {
        use crate::message::{Frame, decode, encode};
        for answer in [
            Resolution::NotFound,
            Resolution::NotExecutable("/x".into()),
            Resolution::Failed("x".into()),
        ] {
            let packet = encode(&answer);
            let Ok(Frame::Message(read)) = decode::<Resolution>(&packet) else {
                panic!("not a message: {answer:?}");
            };
            assert_eq!(read, answer);
        }
    }

    #[test]
    fn a_packet_without_a_valid_id_has_no_header() {
        assert_eq!(Header::split(b"L../../.."), None);
        assert_eq!(Header::split(b"L"), None);
        assert_eq!(Header::split(b"X00000000"), None);
    }
}
