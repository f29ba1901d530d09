//! Voting on a request.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::fd::OwnedFd;

use elevate_protocol::stream::ToClient;
use elevate_protocol::{Id, limits};
use zbus::Connection;

use super::objects::{self, Request};
use super::output::{self, Style};
use super::show::full;
use super::text::escaped;
use crate::bus::{block_on, call, connect};
use crate::cli::{Decision, Denial};
use crate::conversation::{Broken, Conversation};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// `elevatectl approve ID`: a yes to what was shown, and to nothing else.
pub(super) fn approve(decision: &Decision) -> Result<(), Broken> {
    let can_ask = io::stdin().is_terminal() && io::stdout().is_terminal();
    if !decision.yes && !can_ask {
        let failure = Failure::usage("there is no terminal to show the request on")
            .hint("look at it with: elevatectl show ID, then say: elevatectl approve --yes ID");
        return Err(failure.into());
    }
    let request = request(decision.id)?;
    if can_ask {
        output::write(full(&request, Style::of_output()).as_bytes())?;
    }
    if !decision.yes && !confirmed()? {
        let failure = Failure::new("not approved; the request still stands")
            .hint(format!("refuse it with: elevatectl deny {}", decision.id));
        return Err(failure.into());
    }
    cast(decision.id, true, &request, &decision.comment)
}

/// `elevatectl deny ID`
pub(super) fn deny(denial: &Denial) -> Result<(), Broken> {
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

fn cast(id: Id, yes: bool, request: &Request, comment: &str) -> Result<(), Broken> {
    if comment.len() > limits::REASON_BYTES {
        let limit = limits::REASON_BYTES;
        let failure = Failure::usage(format!("a comment has at most {limit} bytes"));
        return Err(failure.into());
    }
    let stream = block_on(async {
        let connection = connect().await?;
        vote(&connection, id, yes, &request.digest, comment).await
    })?;
    let Counted {
        state,
        agreed,
        needed,
    } = prove(&stream).inspect_err(|broken| super::explain(broken, "no vote was cast"))?;
    let said = if yes { "approved" } else { "denied" };
    let state = escaped(&state);
    output::line(&format!(
        "{said} request {id}: {state}, {agreed} of {needed} approvals"
    ))?;
    Ok(())
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

/// Where the request stands after a vote.
struct Counted {
    state: String,
    agreed: u32,
    needed: u32,
}

/// Prove who votes, with a code where one is owed.
fn prove(stream: &OwnedFd) -> Result<Counted, Broken> {
    let terminal = Terminal::open();
    let mut conversation = Conversation::begin(stream, terminal.as_ref(), super::PROGRAM)?;
    loop {
        match conversation.hear(None)? {
            Some(ToClient::Counted {
                state,
                agreed,
                needed,
            }) => {
                return Ok(Counted {
                    state,
                    agreed,
                    needed,
                });
            }
            Some(other) => conversation.answer(other)?,
            None => {}
        }
    }
}
