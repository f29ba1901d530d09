//! Who calls, by the bus daemon's word.

use elevate_protocol::ErrorName;
use zbus::Connection;
use zbus::message::Header;

use crate::conversation::Refusal;

const BUS: &str = "org.freedesktop.DBus";

/// The uid of whoever sent `header`.
pub(super) async fn uid(bus: &Connection, header: &Header<'_>) -> Result<u32, Refusal> {
    let unknown = || Refusal::new(ErrorName::NotAuthorized, "the bus does not say who calls");
    let sender = header.sender().ok_or_else(unknown)?;
    uid_of(bus, sender.as_str()).await.ok_or_else(unknown)
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
