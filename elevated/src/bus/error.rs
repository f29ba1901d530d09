//! Refusals as D-Bus errors, each with a name of its own.

use elevate_protocol::ErrorName;
use zbus::message::{Header, Message};
use zbus::names::ErrorName as DBusName;

use crate::conversation::Refusal;

/// A refusal on its way to the bus.
#[derive(Debug)]
pub struct BusError {
    name: String,
    text: String,
}

impl From<Refusal> for BusError {
    fn from(refusal: Refusal) -> Self {
        let text = match refusal.hint {
            Some(hint) => format!("{} ({hint})", refusal.message),
            None => refusal.message,
        };
        BusError {
            name: refusal.error.dbus(),
            text,
        }
    }
}

impl From<zbus::Error> for BusError {
    fn from(error: zbus::Error) -> Self {
        Refusal::new(ErrorName::Failed, error.to_string()).into()
    }
}

impl zbus::DBusError for BusError {
    fn create_reply(&self, call: &Header<'_>) -> zbus::Result<Message> {
        Message::error(call, self.name.as_str()).build(&(self.text.as_str(),))
    }

    fn name(&self) -> DBusName<'_> {
        // The names are ours and valid; were one not, this one is.
        DBusName::try_from(self.name.as_str()).unwrap_or(DBusName::from_static_str_unchecked(
            "org.elevate.Elevated1.Error.Failed",
        ))
    }

    fn description(&self) -> Option<&str> {
        Some(&self.text)
    }
}
