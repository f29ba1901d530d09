//! Writing what came back: all files are looked at again before the first is written, and each
//! change is on record before it is made.

use std::io;

use elevate_protocol::escape;
use elevate_protocol::launch::{Edited, FromLeader};
use elevate_protocol::stream::ToClient;

use super::incoming::Incoming;
use super::session::{End, Session};
use super::start::in_time;
use super::{diff, write};
use crate::leader::control::Control;
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
    announce(&mut session.control, &edited).map_err(|error| original.unwritten(&error))?;
    // As close to the writing as can be: the files before this one took their time.
    let same = in_time(|| original.check_again(&session.order.target, &session.order.caller));
    let write = || write::write(original, &old, new, &temporary);
    let written = same.and_then(|()| {
        let written = with_file_rights_of(&session.order.target, write);
        written.map_err(|error| original.unwritten(&error))
    });
    match written {
        Ok(()) => session.control.say(&FromLeader::Edited(edited)),
        Err(_) if original.holds(&old) => session.control.say(&FromLeader::NotEdited),
        // Nobody knows what it holds, and that is what the record will say.
        Err(_) => {}
    }
    written.map(|()| true)
}

/// Say what is about to be written: once it is handed over, it is on record whatever becomes of this
/// process.
fn announce(control: &mut Control, edited: &Edited) -> io::Result<()> {
    control.say(&FromLeader::Editing(edited.clone()));
    control.flush_for_good();
    match control.has_waiting() {
        true => Err(io::Error::other("the change can't be put on record")),
        false => Ok(()),
    }
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
