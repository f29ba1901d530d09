//! `elevatectl sessions show`

use std::time::Duration;

use elevate_protocol::{Id, bus};

use super::dossier::{Dossier, Ran};
use super::{journal, offset, source};
use crate::bus::{block_on, connect};
use crate::ctl::objects;
use crate::ctl::output::{self, Style, Table};
use crate::ctl::text::{escaped, or_dash, time};
use crate::failure::Failure;

/// `elevatectl sessions show ID`
pub(super) fn show(id: Id, json: bool) -> Result<(), Failure> {
    let mut dossier = Dossier {
        id: id.to_string(),
        ..Dossier::default()
    };
    journal::entries(id, |entry| dossier.add_entry(&entry))?;
    let unseen = add_objects(&mut dossier, id)?;
    let unread = source::recording(id).and_then(|reading| dossier.add_recording(reading));
    if dossier.is_empty() {
        return Err(unseen
            .unwrap_or_else(|| Failure::new("there is no such session"))
            .hint(
                "the daemon has a session for an hour after its end, and the journal for good: \
                   somebody who may read it finds more",
            ));
    }
    if json {
        return output::json(&dossier);
    }
    let unread = unread.err().map(|failure| failure.message);
    output::write(facts(&dossier, unread.as_deref(), Style::of_output()).as_bytes())?;
    commands(&dossier.commands)
}

/// What the daemon says, if it says something; else why not.
fn add_objects(dossier: &mut Dossier, id: Id) -> Result<Option<Failure>, Failure> {
    block_on(async {
        let connection = connect().await?;
        let session = objects::one(&connection, &bus::session_path(id), bus::SESSION).await;
        let request = objects::request(&connection, id).await.ok();
        let (session, unseen) = match session {
            Ok(session) => (Some(session), None),
            Err(failure) => (None, Some(failure)),
        };
        // What it says of votes it says with those that the journal has.
        if request.is_some() {
            dossier.approvals.clear();
        }
        dossier.add_objects(session, request);
        Ok(unseen)
    })
}

/// The session for people, but for its commands.
fn facts(dossier: &Dossier, unread: Option<&str>, style: Style) -> String {
    let mut lines = String::new();
    let mut line = |name: &str, text: String| {
        lines += &format!("{} {text}\n", style.bold(&format!("{name:<12}")));
    };
    line("session", escaped(&dossier.id));
    line("state", or_dash(escaped(&dossier.state)));
    let uid = dossier.uid.map(|uid| format!(" (uid {uid})"));
    let user = escaped(&dossier.user);
    line("who", or_dash(user + &uid.unwrap_or_default()));
    line("as whom", or_dash(escaped(&dossier.target)));
    line("command", or_dash(escaped(&dossier.command)));
    line("rule", or_dash(escaped(&dossier.rule)));
    line("reason", or_dash(escaped(&dossier.reason)));
    line("ticket", or_dash(escaped(&dossier.ticket)));
    for vote in &dossier.approvals {
        let said = if vote.approved { "approved" } else { "denied" };
        let comment = match vote.comment.as_str() {
            "" => String::new(),
            comment => format!(": {}", escaped(comment)),
        };
        let voter = escaped(&vote.voter);
        line(
            "vote",
            format!("{voter} {said} at {}{comment}", time(vote.at)),
        );
    }
    line("begun", time(dossier.begun));
    match dossier.ended {
        0 => line("until", time(dossier.deadline)),
        ended => line("ended", time(ended)),
    }
    line("outcome", or_dash(escaped(&dossier.outcome)));
    line("recording", recording(dossier, unread));
    line("commands", dossier.execs.to_string());
    for happened in &dossier.history {
        let what = escaped(&happened.what);
        line("on record", format!("{} {what}", time(happened.at)));
    }
    lines
}

fn recording(dossier: &Dossier, unread: Option<&str>) -> String {
    match (&dossier.recording, unread) {
        (Some(recording), _) => {
            let length = offset::short(Duration::from_millis(recording.length));
            let whole = match recording.complete {
                true => "whole",
                false => "without an end",
            };
            format!("{} bytes shown in {length}, {whole}", recording.bytes)
        }
        (None, why) => format!("none to be read: {}", why.unwrap_or("-")),
    }
}

fn commands(commands: &[Ran]) -> Result<(), Failure> {
    if commands.is_empty() {
        return Ok(());
    }
    let mut table = Table::new([
        "NUMBER", "AT", "FROM", "PID", "PPID", "UID", "RESULT", "FOLDER", "FILE", "COMMAND",
    ]);
    commands.iter().for_each(|ran| table.push(row(ran)));
    output::line("")?;
    table.write("no command ran")
}

fn row(ran: &Ran) -> [String; 10] {
    let from = |milliseconds| offset::show(Duration::from_millis(milliseconds));
    let uid = ran.uid.map(|uid| uid.to_string());
    let cut = if ran.cut { " …" } else { "" };
    [
        ran.number.to_string(),
        time(ran.at),
        or_dash(ran.offset.map(from).unwrap_or_default()),
        ran.pid.to_string(),
        ran.ppid.to_string(),
        or_dash(uid.unwrap_or_default()),
        result(ran).into(),
        escaped(&ran.cwd),
        escaped(&ran.file),
        escaped(&ran.command) + cut,
    ]
}

fn result(ran: &Ran) -> &'static str {
    match (ran.denied, ran.failed, ran.compat) {
        (true, ..) => "denied",
        (_, true, _) => "failed",
        (.., true) => "ran, 32-bit",
        _ => "ran",
    }
}
