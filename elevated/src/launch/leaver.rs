//! The end of everything that runs as a leaver.

use std::io;
use std::time::Duration;

use elevate_protocol::launch::{EndUser, UserEnded};
use elevate_protocol::limits::LAUNCH_BYTES;
use elevate_protocol::{Id, seqpacket};
use rustix::process::Signal;
use zbus::{Connection, OwnedObjectPath};

use super::{Launcher, Packets};

/// How long the launcher's child may take; its own bound is shorter.
const TIME: Duration = Duration::from_secs(5);

/// Have systemd kill what is in the user's slice, which holds logins of others inside theirs (`su`)
/// too, and logind forget their sessions. What isn't there needs no end.
pub async fn end_user_units(bus: &Connection, uid: u32) {
    let kill = (format!("user-{uid}.slice"), "all", Signal::KILL.as_raw());
    let killed = bus.call_method(
        Some("org.freedesktop.systemd1"),
        "/org/freedesktop/systemd1",
        Some("org.freedesktop.systemd1.Manager"),
        "KillUnit",
        &kill,
    );
    let _ = killed.await;
    let terminated = bus.call_method(
        Some("org.freedesktop.login1"),
        "/org/freedesktop/login1",
        Some("org.freedesktop.login1.Manager"),
        "TerminateUser",
        &uid,
    );
    let _ = terminated.await;
}

/// Have logind end the login of process `pid`, and where it doesn't know of one, all logins of `uid`.
pub async fn end_login(bus: &Connection, pid: i32, uid: u32) {
    const LOGIND: &str = "org.freedesktop.login1";
    let pid = pid as u32;
    let found = bus.call_method(
        Some(LOGIND),
        "/org/freedesktop/login1",
        Some("org.freedesktop.login1.Manager"),
        "GetSessionByPID",
        &pid,
    );
    let Ok(found) = found.await else {
        return end_user_units(bus, uid).await;
    };
    let Ok(session) = found.body().deserialize::<OwnedObjectPath>() else {
        return end_user_units(bus, uid).await;
    };
    let interface = Some("org.freedesktop.login1.Session");
    let ended = bus.call_method(Some(LOGIND), &session, interface, "Terminate", &());
    if ended.await.is_err() {
        end_user_units(bus, uid).await;
    }
}

/// Have the launcher end every process of that uid, until none is left.
pub async fn end_user(launcher: &Launcher, id: Id, order: EndUser) -> io::Result<UserEnded> {
    let (ours, theirs) = seqpacket::pair()?;
    let ours = Packets::new(ours)?;
    launcher.end_user(id, order, theirs).await?;
    let answer = tokio::time::timeout(TIME, ours.receive(LAUNCH_BYTES)).await;
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    match answer.map_err(late)?? {
        Some(packet) => Ok(serde_json::from_slice(&packet.body)?),
        None => Err(io::Error::other("it gave no answer")),
    }
}
