//! Listings.

use elevate_protocol::{bus, escape};

use super::objects::{self, Grant, Request, Session};
use super::output::{self, Table};
use super::sessions::source;
use super::text::{duration, escaped, left, or_dash, time};
use crate::bus::{block_on, connect};
use crate::cli::{ListSessions, Listed};
use crate::failure::Failure;

/// `elevatectl requests`
pub(super) fn requests(how: Listed) -> Result<(), Failure> {
    let mut listed: Vec<Request> = fetch("ListRequests", bus::REQUEST)?;
    listed.retain(|request| how.all || request.state == "waiting");
    if how.json {
        return output::json(&listed);
    }
    let mut table = Table::new([
        "ID",
        "STATE",
        "USER",
        "AS",
        "APPROVALS",
        "LEFT",
        "FOR",
        "COMMAND",
        "REASON",
    ]);
    for request in &listed {
        table.push(request_row(request));
    }
    table.write(&none("requests wait", how.all))
}

fn request_row(request: &Request) -> [String; 9] {
    let waiting = request.state == "waiting";
    [
        escaped(&request.id),
        escaped(&request.state),
        escaped(&request.user),
        escaped(&request.target_user),
        format!("{}/{}", request.agreed, request.needed),
        if waiting {
            left(request.expires)
        } else {
            "-".into()
        },
        duration(request.duration),
        command(&request.argv),
        or_dash(escaped(&request.reason)),
    ]
}

/// The words of a command on one line.
pub(super) fn command(argv: &[Vec<u8>]) -> String {
    escape::command(argv.iter().map(Vec::as_slice))
}

/// `elevatectl grants list`
pub(super) fn grants(how: Listed) -> Result<(), Failure> {
    let mut listed: Vec<Grant> = fetch("ListGrants", bus::GRANT)?;
    listed.retain(|grant| how.all || grant.state != "ended");
    if how.json {
        return output::json(&listed);
    }
    let mut table = Table::new([
        "ID", "STATE", "USER", "AS", "RULE", "BEGUN", "DEADLINE", "END", "COMMAND",
    ]);
    for grant in &listed {
        table.push([
            escaped(&grant.id),
            escaped(&grant.state),
            escaped(&grant.user),
            escaped(&grant.target_user),
            escaped(&grant.rule),
            time(grant.begun),
            time(grant.deadline),
            or_dash(escaped(&grant.end_reason)),
            escaped(&grant.command),
        ]);
    }
    table.write(&none("grants are in force", how.all))
}

/// `elevatectl sessions list`
pub(super) fn sessions(how: &ListSessions) -> Result<(), Failure> {
    if how.recordings {
        return recordings(how);
    }
    let mut listed: Vec<Session> = fetch("ListSessions", bus::SESSION)?;
    listed.retain(|session| how.all || session.state != "ended");
    listed.retain(|session| how.user.as_ref().is_none_or(|user| session.user == *user));
    if how.json {
        return output::json(&listed);
    }
    let mut table = Table::new([
        "ID", "STATE", "USER", "AS", "PID", "RECORDED", "BEGUN", "DEADLINE", "OUTCOME", "COMMAND",
    ]);
    for session in &listed {
        table.push([
            escaped(&session.id),
            escaped(&session.state),
            escaped(&session.user),
            escaped(&session.target_user),
            session.pid.to_string(),
            if session.recorded { "yes" } else { "no" }.into(),
            time(session.begun),
            time(session.deadline),
            or_dash(escaped(&session.outcome)),
            escaped(&session.command),
        ]);
    }
    table.write(&none("sessions run", how.all))
}

/// `elevatectl sessions list --recordings`
fn recordings(how: &ListSessions) -> Result<(), Failure> {
    let listed = source::of(how.user.as_deref())?;
    if how.json {
        return output::json(&listed);
    }
    let mut table = Table::new([
        "ID", "USER", "AS", "RULE", "BEGUN", "BYTES", "COMPLETE", "COMMAND",
    ]);
    let text = |text: &Option<String>| or_dash(escaped(text.as_deref().unwrap_or_default()));
    for recording in &listed {
        table.push([
            escaped(&recording.id),
            text(&recording.user),
            text(&recording.target),
            text(&recording.rule),
            time(recording.begun.unwrap_or(0)),
            recording.size.to_string(),
            if recording.complete { "yes" } else { "no" }.into(),
            text(&recording.command),
        ]);
    }
    table.write("there are no recordings")
}

/// What a terminal shows in place of an empty table.
fn none(live: &str, all: bool) -> String {
    match all {
        true => format!("no {live}, and none did lately"),
        false => format!("no {live}; --all lists those that are over"),
    }
}

fn fetch<T: serde::de::DeserializeOwned + zbus::wire::Type>(
    method: &'static str,
    interface: &'static str,
) -> Result<Vec<T>, Failure> {
    block_on(async { objects::all(&connect().await?, method, interface).await })
}
