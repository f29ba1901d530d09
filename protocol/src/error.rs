//! Error names, as D-Bus and the stream carry them.

use serde::{Deserialize, Serialize};

/// What kind of failure it was. On D-Bus it is `org.elevate.Elevated1.Error.` and the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorName {
    /// The policy says no.
    Denied,
    /// The caller may not do this to this object.
    NotAuthorized,
    /// There is no such request, grant or session, or the caller may not know of it.
    NotFound,
    /// The command was not found.
    CommandNotFound,
    /// The command was found and cannot be executed.
    CommandNotExecutable,
    /// Something in the message is malformed.
    InvalidArgument,
    /// A named limit was reached.
    LimitExceeded,
    /// What is owed cannot be asked for now (`-n`, or no terminal to ask on).
    InteractionRequired,
    /// An approver said no.
    DeniedByApprover,
    /// Nobody agreed in time.
    TimedOut,
    /// The requester took the request back.
    Withdrawn,
    /// What was shown is no longer what would run.
    Changed,
    /// A part that is needed cannot be reached.
    Unavailable,
    /// Something of ours failed; the journal has the details.
    Failed,
}

impl ErrorName {
    /// Every name, in the order of the documentation.
    pub const ALL: [ErrorName; 14] = [
        ErrorName::Denied,
        ErrorName::NotAuthorized,
        ErrorName::NotFound,
        ErrorName::CommandNotFound,
        ErrorName::CommandNotExecutable,
        ErrorName::InvalidArgument,
        ErrorName::LimitExceeded,
        ErrorName::InteractionRequired,
        ErrorName::DeniedByApprover,
        ErrorName::TimedOut,
        ErrorName::Withdrawn,
        ErrorName::Changed,
        ErrorName::Unavailable,
        ErrorName::Failed,
    ];

    /// The name on D-Bus.
    pub fn dbus(self) -> String {
        format!("{}.Error.{self:?}", crate::bus::NAME)
    }

    /// The kind that a D-Bus error name stands for.
    pub fn from_dbus(name: &str) -> Option<ErrorName> {
        ErrorName::ALL
            .into_iter()
            .find(|error| error.dbus() == name)
    }

    /// The exit status of `elevate` and `elevatectl` for it, as sudo and shells have them.
    pub fn exit_status(self) -> u8 {
        match self {
            ErrorName::CommandNotFound => 127,
            ErrorName::CommandNotExecutable => 126,
            _ => 1,
        }
    }
}
