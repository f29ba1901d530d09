//! Listings.

use elevate_protocol::{bus, escape};

use super::objects::{self, Grant, Request, Session};
use super::output::{self, Table};
use super::text::{duration, escaped, left, or_dash, time};
use crate::bus::{block_on, connect};
use crate::failure::Failure;

/// `elevatectl requests`
pub(super) fn requests(json: bool) -> Result<(), Failure> {
    let all: Vec<Request> = fetch("ListRequests", bus::REQUEST)?;
    if json {
        return output::json(&all);
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
    for request in &all {
        table.push(request_row(request));
    }
    table.write("no requests")
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
pub(super) fn grants(json: bool) -> Result<(), Failure> {
    let all: Vec<Grant> = fetch("ListGrants", bus::GRANT)?;
    if json {
        return output::json(&all);
    }
    let mut table = Table::new([
        "ID", "STATE", "USER", "AS", "RULE", "BEGUN", "DEADLINE", "END", "COMMAND",
    ]);
    for grant in &all {
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
    table.write("no grants")
}

/// `elevatectl sessions list`
pub(super) fn sessions(json: bool) -> Result<(), Failure> {
    let all: Vec<Session> = fetch("ListSessions", bus::SESSION)?;
    if json {
        return output::json(&all);
    }
    let mut table = Table::new([
        "ID", "STATE", "USER", "AS", "PID", "RECORDED", "BEGUN", "DEADLINE", "OUTCOME", "COMMAND",
    ]);
    for session in &all {
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
    table.write("no sessions")
}

fn fetch<T: serde::de::DeserializeOwned + zbus::wire::Type>(
    method: &'static str,
    interface: &'static str,
) -> Result<Vec<T>, Failure> {
    block_on(async { objects::all(&connect().await?, method, interface).await })
}
