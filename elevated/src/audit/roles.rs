//! How events of roles read.

use elevate_protocol::escape;

use super::{Entry, Kind};

/// Somebody is in two roles that exclude each other, and so has neither.
pub fn role_conflict((name, uid): (&str, u32), (one, other): (&str, &str)) -> Entry {
    let shown = escape::line(name.as_bytes());
    let message = format!("{shown} is in the roles {one} and {other}, and so has neither");
    Entry::new(Kind::RoleConflict, message)
        .with("ELEVATE_USER", name)
        .with("ELEVATE_UID", uid.to_string())
        .with("ELEVATE_ROLE", one)
        .with("ELEVATE_OTHER_ROLE", other)
        .with("ELEVATE_OUTCOME", "excluded")
}
