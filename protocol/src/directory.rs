//! What passes between `elevate-directory` and `elevated` on
//! [`DIRECTORY_SOCKET`](crate::paths::DIRECTORY_SOCKET), as Varlink. The daemon believes none of it:
//! every record is checked again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The interface's name.
pub const INTERFACE: &str = "org.elevate.Directory";

/// The interface's description, for `varlinkctl introspect`.
pub const DESCRIPTION: &str = "\
# Identities from a directory; for elevate-directory.
interface org.elevate.Directory

# id: stays the same when the entry is renamed (entryUUID). expires: seconds since 1970.
type Person (
  id: string, name: string, uid: int, gid: int, full_name: ?string, home: ?string, shell: ?string,
  ssh_keys: []string, active: bool, expires: ?int, attributes: [string][]string
)

type Group (id: string, name: string, gid: int, members: []string)

# One of the three.
type Change (person: ?Person, group: ?Group, gone: ?string)

# Begin, or begin anew. source says where the records come from: a cursor of another source is void.
method Begin(source: string) -> (cursor: ?string)

# Changes in their order, and entries that are still there unchanged. complete: what was changed or
# said to be unchanged since Begin is all there is, and everything else is gone. The cursor holds
# for all that was applied so far. The reply tells how many records are not believed.
method Apply(changes: []Change, unchanged: []string, complete: bool, cursor: ?string) -> (refused: int)

# The directory was reached just now (connected), or could not be, and why.
method Contact(connected: bool, problem: ?string) -> ()

# Wait for orders: each reply is one to synchronise again from nothing. Call it with `more`.
method Orders() -> (order: (resync))

# A call that this connection can't make now.
error OutOfTurn ()
";

/// A person, as the directory has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// What the entry keeps when it is renamed (entryUUID, RFC 4530).
    pub id: String,
    /// The login name.
    pub name: String,
    /// `uidNumber` (RFC 2307); outside of `u32` it is no uid, and the record is refused.
    pub uid: i64,
    /// `gidNumber`.
    pub gid: i64,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// The home folder; `/home/NAME` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// The login shell; the setting `default_shell` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
    /// Lines as in sshd's `authorized_keys`.
    #[serde(default)]
    pub ssh_keys: Vec<String>,
    /// Whether the directory lets them in at all.
    pub active: bool,
    /// From when on it doesn't any more, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// Further attributes, lower-case names, for `attr:NAME=VALUE` in roles.
    #[serde(default)]
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// A group, as the directory has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What the entry keeps when it is renamed.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `gidNumber`.
    pub gid: i64,
    /// Login names.
    #[serde(default)]
    pub members: Vec<String>,
}

/// One change; exactly one of the three is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// A person is new, or not as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// A group is new, or not as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Group>,
    /// The entry with this id is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<String>,
}

/// A call of the interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", content = "parameters", deny_unknown_fields)]
pub enum Method {
    /// Begin, or begin anew; the reply is a [`Begun`].
    #[serde(rename = "org.elevate.Directory.Begin")]
    Begin {
        /// Where the records come from: server, base, filters. A cursor of another source is void.
        source: String,
    },
    /// Changes; the reply is an [`Applied`].
    #[serde(rename = "org.elevate.Directory.Apply")]
    Apply {
        /// In their order, at most [`DIRECTORY_BATCH`](crate::limits::DIRECTORY_BATCH).
        #[serde(default)]
        changes: Vec<Change>,
        /// Ids of entries that are there as before.
        #[serde(default)]
        unchanged: Vec<String>,
        /// What was named since `Begin` is all there is.
        #[serde(default)]
        complete: bool,
        /// The cursor (syncCookie, RFC 4533 section 2.1.2) after all that was applied so far.
        #[serde(default)]
        cursor: Option<String>,
    },
    /// The directory was reached just now, or could not be; the reply is empty.
    #[serde(rename = "org.elevate.Directory.Contact")]
    Contact {
        /// Whether it was.
        connected: bool,
        /// Why it was not; or what is wrong although it was.
        #[serde(default)]
        problem: Option<String>,
    },
    /// Wait for orders; the replies are [`Ordered`].
    #[serde(rename = "org.elevate.Directory.Orders")]
    Orders {},
}

/// The reply to `Begin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// From where to go on; absent: from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The reply to `Apply`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// How many of all records so far are not believed.
    pub refused: u64,
}

/// A reply to `Orders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// What to do.
    pub order: Order,
}

/// What `elevated` orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Synchronise again from nothing.
    Resync,
}

/// The error of a call that the connection can't make now.
pub const OUT_OF_TURN: &str = "org.elevate.Directory.OutOfTurn";
