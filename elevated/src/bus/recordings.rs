//! `Manager.ListRecordings`.

use std::collections::HashMap;
use std::time::UNIX_EPOCH;

use elevate_protocol::bus::recording;
use elevate_protocol::escape::line;
use elevate_protocol::{ErrorName, Id, paths};
use zbus::{OwnedVariant, Variant};

use super::status::Fields;
use crate::conversation::Refusal;
use crate::daemon::Daemon;
use crate::elevation::Elevation;

/// Every recording, the oldest first. Who it is of is told as long as its session is listed; after
/// that the recording itself says it.
pub(super) fn list(daemon: &Daemon) -> Result<Vec<Fields>, Refusal> {
    let failed = |error: std::io::Error| {
        let message = format!("recordings can't be listed: {error}");
        Refusal::new(ErrorName::Failed, message)
    };
    let known: HashMap<Id, Elevation> = daemon
        .elevations()
        .into_iter()
        .map(|elevation| (elevation.id, elevation))
        .collect();
    let mut all = Vec::new();
    for entry in std::fs::read_dir(paths::RECORDINGS).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(id) = name.to_str().and_then(id) else {
            continue;
        };
        // One that is removed meanwhile is none.
        if let Ok(metadata) = entry.metadata() {
            all.push((began(known.get(&id), &metadata), id, metadata.len()));
        }
    }
    all.sort_unstable();
    let fields = |(begun, id, size)| fields(id, begun, size, known.get(&id));
    Ok(all.into_iter().map(fields).collect())
}

/// The recording of session `id`, to read.
pub(super) fn open(id: Id) -> Result<std::fs::File, Refusal> {
    std::fs::File::open(paths::recording(id)).map_err(|error| {
        let message = format!("there is no recording of session {id}: {error}");
        Refusal::new(ErrorName::NotFound, message)
    })
}

fn id(name: &str) -> Option<Id> {
    name.strip_suffix(".cast.zst")?.parse().ok()
}

/// In milliseconds since 1970: of the session, else of the file.
fn began(session: Option<&Elevation>, file: &std::fs::Metadata) -> u64 {
    let file = || file.created().or_else(|_| file.modified()).ok();
    let file = || file()?.duration_since(UNIX_EPOCH).ok();
    match session.and_then(|session| session.begun) {
        Some(begun) => begun.wall,
        None => file().map_or(0, |since| since.as_millis() as u64),
    }
}

fn fields(id: Id, begun: u64, size: u64, session: Option<&Elevation>) -> Fields {
    let mut fields: Vec<(&str, Variant<'_>)> = vec![
        (recording::ID, id.to_string().into()),
        (recording::BEGUN, begun.into()),
        (recording::SIZE, size.into()),
        (
            recording::COMPLETE,
            session.is_none_or(Elevation::is_over).into(),
        ),
    ];
    if let Some(session) = session {
        let asked = &session.asked;
        let text = |name: &str| Variant::from(line(name.as_bytes()));
        fields.extend([
            (recording::USER, text(&asked.caller.account.name)),
            (recording::TARGET, text(&asked.target.name)),
            (recording::COMMAND, session.command().into()),
            (recording::RULE, session.rule.clone().into()),
        ]);
    }
    let owned = |(key, value): (&str, Variant<'_>)| {
        // Only file descriptors can fail to be cloned, and there are none.
        Some((key.to_owned(), OwnedVariant::try_from(value).ok()?))
    };
    fields.into_iter().filter_map(owned).collect()
}
