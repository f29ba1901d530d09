//! A session that never began.

use std::io;

use elevate_protocol::launch::FromLeader;
use elevate_protocol::stream::ToClient;
use elevate_protocol::{ErrorName, Id};

use super::client::Client;
use super::control::Control;

/// Why the command was not executed, in words for the person who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) error: ErrorName,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(error: ErrorName, message: impl Into<String>) -> Failure {
        let message = message.into();
        Failure { error, message }
    }

    /// Tell both sides, and end this process with the returned status.
    pub(crate) fn tell(self, id: Id, control: &mut Control, client: &mut Client) -> i32 {
        let Failure { error, message } = self;
        eprintln!("session {id} did not begin: {message}");
        client.say(&ToClient::Refused {
            error,
            message: message.clone(),
            hint: None,
        });
        control.say(&FromLeader::Failed { error, message });
        client.flush_for_good();
        control.flush_for_good();
        1
    }
}

/// Says what was being done when a system call failed.
pub(crate) trait Doing<T> {
    /// The failure of "cannot `what`", where it did fail.
    fn doing(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| {
            let error: io::Error = error.into();
            Failure::new(ErrorName::Failed, format!("cannot {what}: {error}"))
        })
    }
}
