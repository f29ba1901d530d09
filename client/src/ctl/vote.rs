//! Voting on a request.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::fd::OwnedFd;

use elevate_protocol::message::{self, Frame};
use elevate_protocol::seqpacket::{self, Wait};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{Id, limits};
use zbus::Connection;

use super::objects::{self, Request};
use super::output::{self, Style};
use super::show::full;
use super::text::escaped;
use crate::bus::{block_on, call, connect};
use crate::cli::{Decision, Denial};
use crate::elevate::conversation::send;
use crate::failure::Failure;

/// `elevatectl approve ID`: a yes to what was shown, and to nothing else.
pub(super) fn approve(decision: &Decision) -> Result<(), Failure> {
    let can_ask = io::stdin().is_terminal() && io::stdout().is_terminal();
    if !decision.yes && !can_ask {
        return Err(
            Failure::usage("there is no terminal to show the request on")
                .hint("look at it with: elevatectl show ID, then say: elevatectl approve --yes ID"),
        );
    }
    let request = request(decision.id)?;
    if can_ask {
        output::write(full(&request, Style::of_output()).as_bytes())?;
    }
    if !decision.yes && !confirmed()? {
        return Err(Failure::new("not approved; the request still stands")
            .hint(format!("refuse it with: elevatectl deny {}", decision.id)));
    }
    cast(decision.id, true, &request, &decision.comment)
}

/// `elevatectl deny ID`
pub(super) fn deny(denial: &Denial) -> Result<(), Failure> {
    cast(denial.id, false, &request(denial.id)?, &denial.comment)
}

fn request(id: Id) -> Result<Request, Failure> {
    block_on(async { objects::request(&connect().await?, id).await })
}

fn confirmed() -> Result<bool, Failure> {
    output::write(b"Approve? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if !answer.ends_with('\n') {
        // Ctrl-D leaves the cursor behind the question.
        let _ = writeln!(io::stdout());
    }
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn cast(id: Id, yes: bool, request: &Request, comment: &str) -> Result<(), Failure> {
    if comment.len() > limits::REASON_BYTES {
        let limit = limits::REASON_BYTES;
        return Err(Failure::usage(format!(
            "a comment has at most {limit} bytes"
        )));
    }
    let stream = block_on(async {
        let connection = connect().await?;
        vote(&connection, id, yes, &request.digest, comment).await
    })?;
    let (state, agreed, needed) = prove(&stream)?;
    let said = if yes { "approved" } else { "denied" };
    let state = escaped(&state);
    output::line(&format!(
        "{said} request {id}: {state}, {agreed} of {needed} approvals"
    ))
}

async fn vote(
    connection: &Connection,
    id: Id,
    yes: bool,
    digest: &str,
    comment: &str,
) -> Result<OwnedFd, Failure> {
    let reply = call(connection, "Vote", &(id.as_str(), yes, digest, comment)).await?;
    let stream: zbus::OwnedFd = reply.body().deserialize()?;
    Ok(stream.into())
}

/// Prove who votes; the state after the vote.
fn prove(stream: &OwnedFd) -> Result<(String, u32, u32), Failure> {
    send(stream, &ToServer::Hello)?;
    loop {
        let Some(packet) = seqpacket::receive(stream, limits::MESSAGE_BYTES, Wait::Yes)? else {
            return Err(
                Failure::new("elevated went away; the vote may not have been counted")
                    .hint("look with: elevatectl requests"),
            );
        };
        match message::decode(&packet.body) {
            Ok(Frame::Message(ToClient::Challenge { nonce })) => {
                send(stream, &ToServer::Proof { nonce })?;
            }
            Ok(Frame::Message(ToClient::Counted {
                state,
                agreed,
                needed,
            })) => return Ok((state, agreed, needed)),
            Ok(Frame::Message(ToClient::Refused {
                error,
                message,
                hint,
            })) => return Err(Failure::refused(error, &message, hint.as_deref())),
            _ => return Err(Failure::new("elevated said something unexpected")),
        }
    }
}
