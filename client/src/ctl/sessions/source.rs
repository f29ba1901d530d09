//! Where recordings come from: the daemon, which lets whom the policy lets, or a file.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use elevate_protocol::recording::Header;
use elevate_protocol::{ErrorName, Id, bus};
use serde::Serialize;
use zbus::wire::{DeserializeDict, Type};

use super::tape::Tape;
use crate::bus::{block_on, call, connect};
use crate::cli::Which;
use crate::failure::Failure;

/// A file that is read from its beginning, and by itself: a descriptor of the daemon's has one
/// position for everybody who holds it.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    file: Arc<File>,
    at: u64,
}

impl From<File> for Reading {
    fn from(file: File) -> Reading {
        Reading {
            file: Arc::new(file),
            at: 0,
        }
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A recording as the daemon lists it. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, DeserializeDict, Type, Serialize)]
#[zbus(signature = "dict", rename_all = "kebab-case")]
pub(in crate::ctl) struct Listed {
    pub(in crate::ctl) id: String,
    /// None where its record is gone; so are the next three.
    pub(in crate::ctl) user: Option<String>,
    pub(in crate::ctl) target: Option<String>,
    pub(in crate::ctl) command: Option<String>,
    pub(in crate::ctl) rule: Option<String>,
    pub(in crate::ctl) begun: Option<u64>,
    pub(in crate::ctl) size: u64,
    pub(in crate::ctl) complete: bool,
}

impl Listed {
    /// Which session's it is.
    pub(super) fn session(&self) -> Result<Id, Failure> {
        self.id
            .parse()
            .map_err(|error| Failure::new(format!("elevated lists what is no session: {error}")))
    }

    /// Take over from the recording itself what the daemon no longer knows: it knows sessions for an
    /// hour after their end.
    pub(super) fn complete_by(&mut self, header: &Header) {
        if self.user.is_some() {
            return;
        }
        let title = header.title.split_once(" as ");
        let parts = title.and_then(|(user, rest)| Some((user, rest.rsplit_once(" by rule ")?)));
        if let Some((user, (target, rule))) = parts {
            self.user = Some(user.to_owned());
            self.target = Some(target.to_owned());
            self.rule = Some(rule.to_owned());
        }
        self.command = Some(header.command.clone());
        self.begun = Some(header.timestamp * 1000);
    }
}

/// Every recording of `user`, or of everybody. Whose an older one is, it says itself: it is opened
/// for that.
pub(in crate::ctl) fn of(user: Option<&str>) -> Result<Vec<Listed>, Failure> {
    let mut listed = all()?;
    let Some(user) = user else { return Ok(listed) };
    for unknown in listed.iter_mut().filter(|listed| listed.user.is_none()) {
        // One that nothing is written of yet, or that is damaged, is nobody's.
        if let Ok(tape) = unknown.session().and_then(recording).and_then(Tape::open) {
            unknown.complete_by(tape.header());
        }
    }
    listed.retain(|listed| listed.user.as_deref() == Some(user));
    Ok(listed)
}

/// The recording of `id`.
pub(super) fn recording(id: Id) -> Result<Reading, Failure> {
    Ok(File::from(descriptor("ReadRecording", id)??).into())
}

/// The recording of `id`; none where there is none, or none yet.
pub(super) fn recording_if_any(id: Id) -> Result<Option<Reading>, Failure> {
    let found = if_found(descriptor("ReadRecording", id)?)?;
    Ok(found.map(|descriptor| File::from(descriptor).into()))
}

/// What `method` of the manager gives for `id`.
pub(super) fn descriptor(method: &'static str, id: Id) -> Result<zbus::Result<OwnedFd>, Failure> {
    block_on(async {
        let (connection, body) = (connect().await?, (id.as_str(),));
        let manager = Some(bus::MANAGER);
        let asked = connection.call_method(Some(bus::NAME), bus::PATH, manager, method, &body);
        let reply = match asked.await {
            Ok(reply) => reply,
            Err(error) => return Ok(Err(error)),
        };
        let descriptor: zbus::OwnedFd = reply.body().deserialize()?;
        Ok(Ok(descriptor.into()))
    })
}

/// What was asked for; none where the daemon says that there is none.
pub(super) fn if_found<T>(asked: zbus::Result<T>) -> Result<Option<T>, Failure> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(zbus::Error::MethodError(name, ..))
            if ErrorName::from_dbus(name.as_str()) == Some(ErrorName::NotFound) =>
        {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// The recording of a session, or in a file.
pub(super) fn open(which: &Which) -> Result<Reading, Failure> {
    match which {
        Which::Session(id) => recording(*id),
        Which::File(path) => {
            let shown = elevate_protocol::escape::line(path.as_os_str().as_encoded_bytes());
            let file = File::open(path).map_err(|error| {
                Failure::new(format!("cannot open {shown}: {error}")).hint(
                    "a session's recording is played by its id, such as: \
                     elevatectl sessions play k7m2x9qd",
                )
            })?;
            Ok(file.into())
        }
    }
}

/// Every recording that the caller may read, the oldest first.
pub(super) fn all() -> Result<Vec<Listed>, Failure> {
    let mut listed: Vec<Listed> = block_on(async {
        let reply = call(&connect().await?, "ListRecordings", &()).await?;
        Ok(reply.body().deserialize()?)
    })?;
    listed.sort_by(|a, b| (a.begun, &a.id).cmp(&(b.begun, &b.id)));
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::super::tape::tests::text;
    use super::*;

    #[test]
    fn whose_an_old_recording_is_it_says_itself() {
        let bytes = text(|_| String::new());
        let tape = Tape::open(bytes.as_bytes()).unwrap();
        let mut old = Listed::default();
        old.complete_by(tape.header());
        let text = |text: &Option<String>| text.clone().unwrap();
        assert_eq!(
            (text(&old.user), text(&old.target)),
            ("alice".into(), "root".into())
        );
        assert_eq!(
            (text(&old.rule), text(&old.command)),
            ("all".into(), "id".into())
        );
        assert_eq!(old.begun, Some(1_000_000));
        let mut listed = Listed {
            user: Some("eve".into()),
            ..Listed::default()
        };
        listed.complete_by(tape.header());
        assert_eq!((listed.user.as_deref(), listed.begun), (Some("eve"), None));
    }
}
