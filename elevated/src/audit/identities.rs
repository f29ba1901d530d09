//! How events of identities read.

use elevate_protocol::escape;

use super::{Entry, Kind};

/// The directory is reached again, or is not any more; it lost so much at once that it is not
/// believed; or its records are too old: `outcome` is `reached`, `lost`, `withheld` or `expired`.
pub fn directory_contact(source: &str, outcome: &'static str, problem: &str) -> Entry {
    let shown = escape::line(source.as_bytes());
    let message = match outcome {
        "reached" => format!("the directory {shown} is reached"),
        "lost" => format!("the directory {shown} is not reached: {}", line(problem)),
        "withheld" => format!("the directory {shown} is not believed: {}", line(problem)),
        _ => format!("records of the directory {shown} are too old: nobody in them counts"),
    };
    Entry::new(Kind::DirectoryContact, message)
        .with("ELEVATE_SOURCE", source)
        .with("ELEVATE_REASON", problem)
        .with("ELEVATE_OUTCOME", outcome)
}

/// A record is not believed. Its name, and what of it the reason holds, are escaped already.
pub fn identity_refused(name: &str, why: &str) -> Entry {
    let message = format!("the directory's record of {name} is refused: {why}");
    Entry::new(Kind::IdentityRefused, message)
        .with_shown("ELEVATE_USER", name)
        .with_shown("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", "refused")
}

/// So many more records are not believed than are told one by one.
pub fn identities_refused(count: usize) -> Entry {
    let why = "`elevatectl directory status` lists them, as root";
    let message = format!("{count} more records of the directory are refused: {why}");
    Entry::new(Kind::IdentityRefused, message)
        .with("ELEVATE_USER", format!("{count} more"))
        .with("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", "refused")
}

/// Somebody joined, moved or left: `outcome` is `joiner`, `mover` or `leaver`.
pub fn identity_changed((name, uid): (&str, u32), outcome: &'static str, reason: &str) -> Entry {
    let message = format!("{} ({outcome}): {}", line(name), line(reason));
    Entry::new(Kind::IdentityChanged, message)
        .with("ELEVATE_USER", name)
        .with("ELEVATE_UID", uid.to_string())
        .with("ELEVATE_REASON", reason)
        .with("ELEVATE_OUTCOME", outcome)
}

/// So many more joined or moved than are told one by one.
pub fn identities_changed(count: usize, outcome: &'static str, reason: &str) -> Entry {
    let message = format!("{count} more people ({outcome}): {reason}");
    Entry::new(Kind::IdentityChanged, message)
        .with("ELEVATE_USER", format!("{count} more"))
        .with("ELEVATE_REASON", reason)
        .with("ELEVATE_OUTCOME", outcome)
}

fn line(text: &str) -> String {
    escape::line(text.as_bytes())
}
