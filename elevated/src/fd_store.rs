//! Descriptors that systemd keeps for us across a restart or a crash (sd_notify(3), `FDSTORE=1`):
//! the control sockets of sessions and the streams of waiting requests. Whoever is at the other
//! end notices nothing. The sockets that systemd listens on for us come the same way.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use elevate_protocol::Id;
use sd_notify::NotifyState;

/// What a kept descriptor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kept {
    /// Our end of the control socket of a session.
    Session(Id),
    /// Our end of the stream of a waiting request.
    Request(Id),
}

impl Kept {
    fn name(self) -> String {
        match self {
            Kept::Session(id) => format!("session-{id}"),
            Kept::Request(id) => format!("request-{id}"),
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let (kind, id) = name.split_once('-')?;
        let id = id.parse().ok()?;
        match kind {
            "session" => Some(Kept::Session(id)),
            "request" => Some(Kept::Request(id)),
            _ => None,
        }
    }
}

/// Have systemd keep `descriptor`. It is kept even when the other end is gone, since what that
/// end said last must still be read.
pub fn keep(kept: Kept, descriptor: impl AsFd) -> io::Result<()> {
    let name = kept.name();
    let state = [
        NotifyState::FdStore,
        NotifyState::FdName(&name),
        NotifyState::Custom("FDPOLL=0"),
    ];
    sd_notify::notify_with_fds(&state, &[descriptor.as_fd()])
}

/// Have systemd let go of it.
pub fn release(kept: Kept) {
    let name = kept.name();
    let state = [NotifyState::FdStoreRemove, NotifyState::FdName(&name)];
    if let Err(error) = sd_notify::notify(&state) {
        eprintln!("systemd was not told to let go of {name}: {error}");
    }
}

/// What systemd passed us at our start.
#[derive(Debug, Default)]
pub struct Passed {
    /// What was kept for us.
    pub kept: HashMap<Kept, OwnedFd>,
    /// Where the PAM module asks.
    pub login: Option<OwnedFd>,
    /// Where `elevate-directory` hands over its records.
    pub directory: Option<OwnedFd>,
}

/// What was passed when we started; descriptors with other names are closed.
pub fn take() -> Result<Passed, String> {
    let named = sd_listen_fds::get().map_err(|error| format!("LISTEN_FDS: {error}"))?;
    let mut passed = Passed::default();
    for (name, descriptor) in named {
        let descriptor = descriptor.into_std();
        match name.as_deref() {
            Some("login") => passed.login = Some(descriptor),
            Some("directory") => passed.directory = Some(descriptor),
            Some(name) => {
                if let Some(kept) = Kept::parse(name) {
                    passed.kept.insert(kept, descriptor);
                }
            }
            None => {}
        }
    }
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_is_kept() {
        let id = Id::from_random(3);
        for kept in [Kept::Session(id), Kept::Request(id)] {
            assert_eq!(Kept::parse(&kept.name()), Some(kept));
        }
        assert_eq!(Kept::parse("stored"), None);
        assert_eq!(Kept::parse("session-../.."), None);
    }
}
