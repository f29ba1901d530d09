//! Who calls, by the bus daemon's word.

use elevate_protocol::ErrorName;
use zbus::Connection;
use zbus::message::Header;

use crate::conversation::Refusal;
use crate::process::{self, Login};

const BUS: &str = "org.freedesktop.DBus";

/// The uid of whoever sent `header`.
pub(super) async fn uid(bus: &Connection, header: &Header<'_>) -> Result<u32, Refusal> {
    let unknown = || Refusal::new(ErrorName::NotAuthorized, "the bus does not say who calls");
    let sender = header.sender().ok_or_else(unknown)?;
    uid_of(bus, sender.as_str()).await.ok_or_else(unknown)
}

/// The login behind whoever sent `header`, as far as the bus knows their process. Only a further
/// hurdle: by the time it is read the pid could be another's.
pub(super) async fn login(bus: &Connection, header: &Header<'_>) -> Option<Login> {
    let name = (header.sender()?.as_str(),);
    let path = "/org/freedesktop/DBus";
    let asked = bus.call_method(
        Some(BUS),
        path,
        Some(BUS),
        "GetConnectionUnixProcessID",
        &name,
    );
    let pid: u32 = asked.await.ok()?.body().deserialize().ok()?;
    process::login(i32::try_from(pid).ok()?).ok()
}

/// The uid behind a unique name; none when it is gone.
pub(super) async fn uid_of(bus: &Connection, name: &str) -> Option<u32> {
    let reply = bus
        .call_method(
            Some(BUS),
            "/org/freedesktop/DBus",
            Some(BUS),
            "GetConnectionUnixUser",
            &(name,),
        )
        .await
        .ok()?;
    let uid: u32 = reply.body().deserialize().ok()?;
    // −1 is nobody (setresuid(2)).
    (uid != u32::MAX).then_some(uid)
}
