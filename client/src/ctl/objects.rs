//! Requests, grants and sessions as the daemon's objects tell them, and as `--json` writes them.

use elevate_protocol::{Bytes, Id, bus};
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use zbus::wire::{DeserializeDict, Type};
use zbus::{Connection, OwnedObjectPath};

use crate::bus::{call, properties};
use crate::failure::Failure;

/// A request: what was asked, and where it stands. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, DeserializeDict, Type, Serialize)]
#[zbus(signature = "dict", rename_all = "PascalCase")]
pub(super) struct Request {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) uid: u32,
    pub(super) target_user: String,
    pub(super) target_group: String,
    #[serde(serialize_with = "words")]
    pub(super) argv: Vec<Vec<u8>>,
    pub(super) path: String,
    pub(super) interpreter: String,
    pub(super) file_hash: String,
    pub(super) cwd: String,
    pub(super) environment: Vec<String>,
    pub(super) stdin: String,
    pub(super) reason: String,
    pub(super) ticket: String,
    /// The requester's second factor: `none`, `totp`, `recovery`, or `fresh` from before.
    pub(super) factor: String,
    pub(super) rule: String,
    pub(super) state: String,
    pub(super) needed: u32,
    pub(super) agreed: u32,
    /// Whether each of the approvers is needed once, and not any of them so many.
    pub(super) each: bool,
    pub(super) approvers: Vec<String>,
    #[serde(serialize_with = "votes")]
    pub(super) votes: Vec<(String, bool, String, u64)>,
    pub(super) requested: u64,
    pub(super) expires: u64,
    pub(super) duration: u64,
    pub(super) digest: String,
    pub(super) host: String,
    /// The session that is to last longer; empty where this asks for one of its own.
    pub(super) extends: String,
}

/// A grant. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, DeserializeDict, Type, Serialize)]
#[zbus(signature = "dict", rename_all = "PascalCase")]
pub(super) struct Grant {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) target_user: String,
    pub(super) rule: String,
    pub(super) command: String,
    pub(super) begun: u64,
    pub(super) deadline: u64,
    pub(super) state: String,
    pub(super) end_reason: String,
}

/// A session. Times are milliseconds since 1970, 0 for never.
#[derive(Debug, Clone, Default, DeserializeDict, Type, Serialize)]
#[zbus(signature = "dict", rename_all = "PascalCase")]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) target_user: String,
    pub(super) command: String,
    pub(super) rule: String,
    pub(super) state: String,
    pub(super) leader: i32,
    pub(super) pid: i32,
    pub(super) terminal: bool,
    pub(super) recorded: bool,
    pub(super) begun: u64,
    pub(super) deadline: u64,
    pub(super) ended: u64,
    pub(super) outcome: String,
    pub(super) execs: u64,
}

fn words<S: Serializer>(words: &[Vec<u8>], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(words.iter().map(|word| Bytes(word.clone())))
}

fn votes<S: Serializer>(votes: &[(String, bool, String, u64)], to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Vote<'a> {
        voter: &'a str,
        approved: bool,
        comment: &'a str,
        at: u64,
    }
    to.collect_seq(votes.iter().map(|(voter, approved, comment, at)| Vote {
        voter,
        approved: *approved,
        comment,
        at: *at,
    }))
}

/// The request `id`.
pub(super) async fn request(connection: &Connection, id: Id) -> Result<Request, Failure> {
    one(connection, &bus::request_path(id), bus::REQUEST).await
}

/// The object at `path`.
pub(super) async fn one<T: DeserializeOwned + Type>(
    connection: &Connection,
    path: &str,
    interface: &str,
) -> Result<T, Failure> {
    let reply = properties(connection, path, interface).await?;
    Ok(reply.body().deserialize()?)
}

/// Every object that `method` of the manager lists.
pub(super) async fn all<T: DeserializeOwned + Type>(
    connection: &Connection,
    method: &'static str,
    interface: &'static str,
) -> Result<Vec<T>, Failure> {
    let reply = call(connection, method, &()).await?;
    let paths: Vec<OwnedObjectPath> = reply.body().deserialize()?;
    let mut all = Vec::with_capacity(paths.len());
    for path in paths {
        // What went away since the list was made is not an error.
        match properties(connection, path.as_str(), interface).await {
            Ok(reply) => all.push(reply.body().deserialize()?),
            Err(gone) => drop(gone),
        }
    }
    Ok(all)
}
