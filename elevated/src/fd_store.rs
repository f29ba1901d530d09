//! Descriptors that systemd keeps for us across a restart or a crash (sd_notify(3), `FDSTORE=1`):
//! the control sockets of sessions and the streams of waiting requests. Whoever is at the other
//! end notices nothing.

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

/// What was kept when we started; descriptors with other names are closed.
pub fn take() -> Result<HashMap<Kept, OwnedFd>, String> {
    let passed = sd_listen_fds::get().map_err(|error| format!("LISTEN_FDS: {error}"))?;
    let named = passed
        .into_iter()
        .filter_map(|(name, descriptor)| Some((Kept::parse(&name?)?, descriptor.into_std())));
    Ok(named.collect())
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
