//! Writing what came back: all files are looked at again before the first is written, and each
//! change is on record before the person hears that it was made.

use elevate_protocol::escape;
use elevate_protocol::launch::FromLeader;
use elevate_protocol::stream::ToClient;

use super::incoming::Incoming;
use super::session::{End, Session};
use super::start::in_time;
use super::{diff, write};
use crate::leader::failure::Failure;
use crate::sys::credentials::with_file_rights_of;

/// Write `incoming`; how the edit ends.
pub(super) fn commit(session: &mut Session, incoming: Incoming) -> End {
    let changes: Vec<_> = incoming.into_contents().collect();
    let check = |&(index, _): &(usize, Vec<u8>)| {
        let (target, caller) = (&session.order.target, &session.order.caller);
        session.originals[index].check_again(target, caller)
    };
    if let Err(failure) = in_time(|| changes.iter().try_for_each(check)) {
        return refuse(session, &failure.message, &[]);
    }
    let mut written = Vec::new();
    for (index, new) in &changes {
        match change(session, *index, new) {
            Ok(true) => written.push(*index),
            Ok(false) => {}
            Err(failure) => return refuse(session, &failure.message, &written),
        }
    }
    End::finished(true)
}

/// Write one file and put it on record, unless it holds this already; whether it was written.
fn change(session: &mut Session, index: usize, new: &[u8]) -> Result<bool, Failure> {
    let original = &session.originals[index];
    let path = &original.place.file.path;
    let temporary = format!(".elevate-{}-{index}", session.id);
    let old = in_time(|| original.contents()).map_err(|error| original.changed(&error))?;
    if original.file.is_some() && old == new {
        return Ok(false);
    }
    let before = original.file.is_some().then_some(&old[..]);
    let edited = diff::edited(path, before, new).map_err(|error| original.changed(&error))?;
    // As close to the writing as can be: the files before this one took their time.
    in_time(|| original.check_again(&session.order.target, &session.order.caller))?;
    let write = || write::write(original, &old, new, &temporary);
    with_file_rights_of(&session.order.target, write)
        .map_err(|error| original.unwritten(&error))?;
    session.control.say(&FromLeader::Edited(edited));
    Ok(true)
}

/// Say why it stopped, and which files were written before.
fn refuse(session: &mut Session, why: &str, written: &[usize]) -> End {
    eprintln!("session {}: {why}", session.id);
    let text = why.to_owned();
    session.client.say(&ToClient::Notice { text });
    let paths = written.iter().map(|&index| {
        let path = &session.originals[index].place.file.path;
        escape::line(path)
    });
    let paths: Vec<_> = paths.collect();
    let text = match &paths[..] {
        [] => "nothing was written".to_owned(),
        some => format!("written before that: {}", some.join(", ")),
    };
    session.client.say(&ToClient::Notice { text });
    End::finished(false)
}
