//! The system bus, at its fixed place.

use std::collections::HashMap;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::time::Duration;

use elevate_protocol::{bus, paths};
use zbus::{Connection, Message, Variant};

use crate::failure::Failure;

/// How long the daemon may take to answer a call. It answers at once; what takes time happens on
/// the stream. This bounds a daemon that hangs.
const ANSWER_TIME: Duration = Duration::from_secs(45);

/// The argument of `Manager.Elevate` and `Manager.Why`.
pub type Ask = HashMap<&'static str, Variant<'static>>;

/// Run `work` to its end on this thread.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?
        .block_on(work)
}

/// A connection to the system bus.
pub async fn connect() -> Result<Connection, Failure> {
    let connecting = zbus::connection::Builder::address(paths::SYSTEM_BUS)
        .method_timeout(ANSWER_TIME)
        .build();
    connecting.await.map_err(|error| {
        Failure::new(format!("cannot reach the system bus: {error}"))
            .hint("an admin starts it with: systemctl start dbus")
    })
}

/// Call a method of the daemon's manager.
pub async fn call<B>(
    connection: &Connection,
    method: &'static str,
    body: &B,
) -> Result<Message, Failure>
where
    B: serde::Serialize + zbus::wire::DynamicType,
{
    let interface = Some(bus::MANAGER);
    let reply = connection.call_method(Some(bus::NAME), bus::PATH, interface, method, body);
    Ok(reply.await?)
}

/// All properties of one object of the daemon.
pub async fn properties(
    connection: &Connection,
    path: &str,
    interface: &str,
) -> Result<Message, Failure> {
    let standard = Some("org.freedesktop.DBus.Properties");
    let body = &(interface,);
    let reply = connection.call_method(Some(bus::NAME), path, standard, "GetAll", body);
    Ok(reply.await?)
}

/// Have the shell of a login begin: the shell itself, and the stream on which the rest happens.
pub fn login_shell(ask: Ask) -> Result<(String, OwnedFd), Failure> {
    block_on(async {
        let connection = connect().await?;
        let reply = call(&connection, "LoginShell", &(ask,)).await?;
        let body = reply.body();
        let (shell, stream): (String, zbus::OwnedFd) = body.deserialize()?;
        Ok((shell, stream.into()))
    })
}

/// Ask for a command; the stream on which the rest happens.
pub fn elevate(ask: Ask) -> Result<OwnedFd, Failure> {
    block_on(async {
        let connection = connect().await?;
        let reply = call(&connection, "Elevate", &(ask,)).await?;
        let body = reply.body();
        let (_, stream): (zbus::OwnedObjectPath, zbus::OwnedFd) = body.deserialize()?;
        Ok(stream.into())
    })
}
