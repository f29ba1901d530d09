//! After a restart: what was on disk, and the descriptors that systemd kept, make the state again.

use std::collections::{HashMap, HashSet};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use elevate_protocol::Id;
use elevate_protocol::stream::EndReason;

use super::{Daemon, held, session};
use crate::conversation::{self, Stream};
use crate::elevation::{Elevation, Event, Stage};
use crate::fd_store::{self, Kept};

/// Take up again what `kept` allows, and end what it doesn't. `old` are the elevations of an
/// earlier boot, which took their processes with it.
pub async fn restore(daemon: &Arc<Daemon>, kept: HashMap<Kept, OwnedFd>, old: &HashSet<Id>) {
    let mut kept = kept;
    let open: Vec<Elevation> = daemon
        .core()
        .elevations
        .all()
        .filter(|e| !e.is_over())
        .cloned()
        .collect();
    for elevation in open {
        let id = elevation.id;
        let event = match elevation.stage {
            _ if old.contains(&id) => Some(lost(&elevation, EndReason::Reboot)),
            Stage::Waiting => wait_again(daemon, id, kept.remove(&Kept::Request(id))),
            _ => follow_again(daemon, &elevation, kept.remove(&Kept::Session(id))),
        };
        if let Some(event) = event {
            // What is over already stays so.
            let _ = daemon.apply(event).await;
        }
    }
    for leftover in kept.into_keys() {
        fd_store::release(leftover);
    }
}

fn wait_again(daemon: &Arc<Daemon>, id: Id, stream: Option<OwnedFd>) -> Option<Event> {
    match stream.map(Stream::new) {
        Some(Ok(stream)) => {
            tokio::spawn(conversation::resume(Arc::clone(daemon), id, stream));
            None
        }
        _ => Some(Event::Withdrawn(id)),
    }
}

fn follow_again(
    daemon: &Arc<Daemon>,
    elevation: &Elevation,
    control: Option<OwnedFd>,
) -> Option<Event> {
    let begun = control.map(|control| session::begin(daemon, elevation.id, control, false));
    match begun {
        Some(Ok(())) => {
            daemon.expect_watchers(elevation.id);
            held::ask_again(daemon, elevation);
            None
        }
        _ => Some(lost(elevation, EndReason::LeaderGone)),
    }
}

fn lost(elevation: &Elevation, reason: EndReason) -> Event {
    match elevation.stage {
        Stage::Waiting => Event::Withdrawn(elevation.id),
        _ => Event::Ended {
            id: elevation.id,
            status: None,
            reason,
            execs: None,
        },
    }
}
