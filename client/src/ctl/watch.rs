//! `elevatectl watch`: a line for every change, until Ctrl-C.

use std::future::poll_fn;
use std::pin::Pin;

use elevate_protocol::{Id, bus};
use futures_core::Stream as _;
use serde::Serialize;
use zbus::message::Type;
use zbus::{Connection, Message, MessageStream};

use super::list::command;
use super::objects::{self, Request};
use super::output;
use super::text::{escaped, left, or_dash};
use crate::bus::{block_on, call, connect};
use crate::failure::Failure;

/// A session that changed, for `--json`; a request is written as `show` writes it.
#[derive(Debug, Serialize)]
struct Changed<'a> {
    kind: &'a str,
    id: &'a str,
    state: &'a str,
}

/// Tell of every request that waits, and of every change from now on.
pub(super) fn watch(json: bool) -> Result<(), Failure> {
    block_on(async {
        let connection = connect().await?;
        let mut messages = MessageStream::from(&connection);
        follow_restarts(&connection).await?;
        let mut daemon = subscribe(&connection).await?;
        for request in objects::all(&connection, "ListRequests", bus::REQUEST).await? {
            tell_if_waiting(&request, json)?;
        }
        while let Some(message) = poll_fn(|cx| Pin::new(&mut messages).poll_next(cx)).await {
            let message = message?;
            if message.message_type() != Type::Signal {
                continue;
            }
            if restarted(&message) {
                daemon = subscribe(&connection).await?;
            } else if sender(&message) == daemon {
                changed(&connection, &message, json).await?;
            }
        }
        Err(Failure::new("the connection to the system bus is gone"))
    })
}

/// Subscribe; the unique name of the daemon that will tell us. Anybody can send us a signal.
async fn subscribe(connection: &Connection) -> Result<Option<String>, Failure> {
    let reply = call(connection, "Subscribe", &()).await?;
    Ok(sender(&reply))
}

fn sender(message: &Message) -> Option<String> {
    message.header().sender().map(|name| name.to_string())
}

async fn follow_restarts(connection: &Connection) -> Result<(), Failure> {
    let rule = format!(
        "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{}'",
        bus::NAME
    );
    let driver = "org.freedesktop.DBus";
    let path = "/org/freedesktop/DBus";
    connection
        .call_method(Some(driver), path, Some(driver), "AddMatch", &(rule,))
        .await?;
    Ok(())
}

/// Whether the bus says that the daemon's name has a new owner.
fn restarted(message: &Message) -> bool {
    let is_bus = sender(message).as_deref() == Some("org.freedesktop.DBus");
    let body = message.body();
    let names: Result<(String, String, String), _> = body.deserialize();
    is_bus && matches!(names, Ok((name, _, new)) if name == bus::NAME && !new.is_empty())
}

async fn changed(connection: &Connection, message: &Message, json: bool) -> Result<(), Failure> {
    let header = message.header();
    let path = header.path().map(|path| path.as_str()).unwrap_or_default();
    let body = message.body();
    let (Some((kind, id)), Ok((state,))) = (object(path), body.deserialize::<(String,)>()) else {
        return Ok(());
    };
    match kind {
        "request" => match objects::request(connection, id).await {
            Ok(request) => tell_request(&request, json),
            // It went away between the signal and the question.
            Err(_) => Ok(()),
        },
        // A grant begins and ends with its session.
        "session" => tell_session(id, &state, json),
        _ => Ok(()),
    }
}

/// Kind and id of an object's path.
fn object(path: &str) -> Option<(&str, Id)> {
    let (kind, id) = path
        .strip_prefix(bus::PATH)?
        .strip_prefix('/')?
        .split_once('/')?;
    Some((kind, id.parse().ok()?))
}

fn tell_if_waiting(request: &Request, json: bool) -> Result<(), Failure> {
    match request.state.as_str() {
        "waiting" => tell_request(request, json),
        _ => Ok(()),
    }
}

fn tell_request(request: &Request, json: bool) -> Result<(), Failure> {
    if json {
        return output::compact_json(request);
    }
    output::line(&request_line(request))
}

fn request_line(request: &Request) -> String {
    let waiting = match request.state.as_str() {
        "waiting" => format!(
            " ({} of {} approvals, {} left)",
            request.agreed,
            request.needed,
            left(request.expires)
        ),
        _ => String::new(),
    };
    format!(
        "request {} {}{waiting}: {} as {}: {} · reason: {}",
        escaped(&request.id),
        escaped(&request.state),
        escaped(&request.user),
        escaped(&request.target_user),
        command(&request.argv),
        or_dash(escaped(&request.reason)),
    )
}

fn tell_session(id: Id, state: &str, json: bool) -> Result<(), Failure> {
    if json {
        return output::compact_json(&Changed {
            kind: "session",
            id: id.as_str(),
            state,
        });
    }
    output::line(&format!("session {id} {}", escaped(state)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_of_ours_are_told() {
        let (kind, id) = object("/org/elevate/Elevated1/request/k7m2x9qd").unwrap();
        assert_eq!((kind, id.as_str()), ("request", "k7m2x9qd"));
        assert!(object("/org/elevate/Elevated1/request/../x").is_none());
        assert!(object("/org/elevate/Elevated1").is_none());
        assert!(object("/org/other/request/k7m2x9qd").is_none());
    }

    #[test]
    fn a_line_stays_a_line() {
        let request = Request {
            state: "granted".into(),
            user: "eve".into(),
            argv: vec![b"x\nrequest 1 granted".to_vec()],
            reason: "a\u{2028}b\x1b[0m".into(),
            ..Request::default()
        };
        let line = request_line(&request);
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!line.contains('\u{2028}'));
    }
}
