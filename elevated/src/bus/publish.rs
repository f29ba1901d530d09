//! Objects come, change and go; those who watch and may see them are told, one by one: a broadcast
//! would tell everybody.

use std::sync::Arc;

use elevate_protocol::{Id, bus as names};
use zbus::Connection;
use zbus::names::BusName;
use zbus::object_server::SignalEmitter;

use super::caller;
use super::object::{CHANGED, Grant, Kind, Object, Request, Session};
use crate::daemon::Daemon;
use crate::elevation::Elevation;

/// Put the objects of `elevation` on the bus, or take those of a forgotten one off it, and tell
/// `watchers`.
pub async fn publish(
    daemon: Arc<Daemon>,
    bus: Connection,
    id: Id,
    elevation: Option<Elevation>,
    watchers: Vec<String>,
) {
    let result = match &elevation {
        Some(elevation) => {
            async {
                appear(&daemon, &bus, elevation).await?;
                tell(&daemon, &bus, elevation, &watchers).await
            }
            .await
        }
        None => vanish(&bus, id).await,
    };
    if let Err(error) = result {
        eprintln!("the objects of {id} on the bus: {error}");
    }
}

pub(super) async fn appear(
    daemon: &Arc<Daemon>,
    bus: &Connection,
    elevation: &Elevation,
) -> zbus::Result<()> {
    let (server, id) = (bus.object_server(), elevation.id);
    server
        .at(
            names::request_path(id),
            Object::<Request>::new(Arc::clone(daemon), id),
        )
        .await?;
    if elevation.begun.is_some() {
        server
            .at(
                names::grant_path(id),
                Object::<Grant>::new(Arc::clone(daemon), id),
            )
            .await?;
        server
            .at(
                names::session_path(id),
                Object::<Session>::new(Arc::clone(daemon), id),
            )
            .await?;
    }
    Ok(())
}

async fn vanish(bus: &Connection, id: Id) -> zbus::Result<()> {
    let server = bus.object_server();
    server
        .remove::<Object<Request>, _>(names::request_path(id))
        .await?;
    server
        .remove::<Object<Grant>, _>(names::grant_path(id))
        .await?;
    server
        .remove::<Object<Session>, _>(names::session_path(id))
        .await?;
    Ok(())
}

async fn tell(
    daemon: &Daemon,
    bus: &Connection,
    elevation: &Elevation,
    watchers: &[String],
) -> zbus::Result<()> {
    for watcher in watchers {
        if caller::uid_of(bus, watcher).await.is_none() {
            daemon.watchers.remove(watcher);
            continue;
        }
        let id = elevation.id;
        signal::<Request>(
            bus,
            names::request_path(id),
            watcher,
            elevation.request_state(),
        )
        .await?;
        if let Some(state) = elevation.session_state() {
            let grant = if elevation.is_live() {
                "active"
            } else {
                "ended"
            };
            signal::<Grant>(bus, names::grant_path(id), watcher, grant).await?;
            signal::<Session>(bus, names::session_path(id), watcher, state).await?;
        }
    }
    Ok(())
}

async fn signal<K: Kind>(
    bus: &Connection,
    path: String,
    watcher: &str,
    state: &str,
) -> zbus::Result<()> {
    let emitter = SignalEmitter::new(bus, path)?.set_destination(BusName::try_from(watcher)?);
    emitter.emit(K::INTERFACE, CHANGED, &(state,)).await
}
