//! What `sftp` and `scp` do to files in a recorded login.

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// One thing that was done to a file, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// What.
    pub action: Action,
    /// The file, as the other side named it: what is not absolute begins in the login's home.
    pub path: Bytes,
    /// The other name, where there are two: that which a file or a link gets. Where it can't be told
    /// where the one ends and the other begins, both are in [`Transfer::path`].
    pub to: Option<Bytes>,
    /// How much passed.
    pub passed: Option<Passed>,
    /// How far it got.
    pub progress: Progress,
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It leaves this host.
    Get,
    /// It comes here.
    Put,
    /// Either.
    GetAndPut,
    /// It is opened, and which of them is not known.
    Open,
    /// It is closed, and nothing of it passed.
    Close,
    /// The names in a folder are asked for.
    List,
    /// It is removed.
    Remove,
    /// A folder is made.
    Mkdir,
    /// A folder is removed.
    Rmdir,
    /// It gets another name.
    Rename,
    /// A link to it is made.
    Symlink,
    /// It gets one more name.
    Link,
    /// It is cut, or made longer.
    Truncate,
    /// Its mode is set.
    Chmod,
    /// Its owner is set.
    Chown,
    /// Its times are set.
    Touch,
    /// One of these four, and which is not known.
    Set,
}

impl Action {
    /// As the journal has it.
    pub fn word(self) -> &'static str {
        match self {
            Action::Get => "get",
            Action::Put => "put",
            Action::GetAndPut => "get-and-put",
            Action::Open => "open",
            Action::Close => "close",
            Action::List => "list",
            Action::Remove => "remove",
            Action::Mkdir => "mkdir",
            Action::Rmdir => "rmdir",
            Action::Rename => "rename",
            Action::Symlink => "symlink",
            Action::Link => "link",
            Action::Truncate => "truncate",
            Action::Chmod => "chmod",
            Action::Chown => "chown",
            Action::Touch => "touch",
            Action::Set => "set",
        }
    }
}

/// How much of a file passed, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// From it.
    pub read: u64,
    /// Into it.
    pub written: u64,
}

/// How far something got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// It is about to be tried; whether it succeeds is not said.
    Asked,
    /// The same; and the name is longer than what is known of it.
    Cut,
    /// The file was closed.
    Done,
    /// The connection went before the file was closed.
    BrokenOff,
}

impl Progress {
    /// As the journal has it.
    pub fn word(self) -> &'static str {
        match self {
            Progress::Asked => "asked",
            Progress::Cut => "cut",
            Progress::Done => "done",
            Progress::BrokenOff => "broken-off",
        }
    }
}
