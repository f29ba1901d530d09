//! The ticket that a rule wants.

use elevate_policy::Ticket;
use elevate_protocol::limits::{PROMPT_TIME, REASON_BYTES};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{ErrorName, escape};

use super::reason::interaction;
use super::stream::{Refusal, Stop, Stream, unexpected};

/// What was given, or else is asked for on the client's terminal where one is owed. `may_ask` says
/// whether the person can be asked now.
pub(super) async fn ticket(
    given: Option<&str>,
    owed: Option<&Ticket>,
    may_ask: bool,
    stream: &Stream,
) -> Result<Option<String>, Stop> {
    let given = given.map(str::trim).filter(|ticket| !ticket.is_empty());
    let Some(owed) = owed else {
        return Ok(given.map(str::to_owned));
    };
    let ticket = match given {
        Some(given) => given.to_owned(),
        None if may_ask => asked(owed, stream).await?,
        None => {
            let hint = "give it with --ticket ID";
            return Err(interaction("this needs a ticket").hint(hint).into());
        }
    };
    match owed.matches(&ticket) {
        true => Ok(Some(ticket)),
        false => {
            let like = escape::line(owed.to_string().as_bytes());
            let message = format!("the rule wants a ticket that is, as a whole, like {like}");
            Err(Refusal::new(ErrorName::InvalidArgument, message).into())
        }
    }
}

async fn asked(owed: &Ticket, stream: &Stream) -> Result<String, Stop> {
    let like = owed.to_string();
    stream.send(&ToClient::AskTicket { like }).await?;
    let answer = tokio::time::timeout(PROMPT_TIME, stream.receive()).await;
    let late = |_| interaction("no ticket was given in time");
    match answer.map_err(late)??.0 {
        ToServer::Ticket { text } if text.len() <= REASON_BYTES => Ok(text.trim().to_owned()),
        ToServer::Ticket { .. } => {
            let message = format!("a ticket has at most {REASON_BYTES} bytes (REASON_BYTES)");
            Err(Refusal::new(ErrorName::InvalidArgument, message).into())
        }
        _ => Err(unexpected()),
    }
}
