//! The reason that a rule wants.

use elevate_policy::Owed;
use elevate_protocol::ErrorName;
use elevate_protocol::limits::{PROMPT_TIME, REASON_BYTES};
use elevate_protocol::stream::{ToClient, ToServer};

use super::stream::{Refusal, Stop, Stream, unexpected};

/// What was given, or else is asked for on the client's terminal where it is owed. `may_ask` says
/// whether the person can be asked now.
pub(super) async fn reason(
    given: Option<&str>,
    owed: Owed,
    may_ask: bool,
    stream: &Stream,
) -> Result<Option<String>, Stop> {
    let given = given.filter(|reason| !reason.trim().is_empty());
    if given.is_some() || !owed.reason {
        return Ok(given.map(str::to_owned));
    }
    if !may_ask {
        return Err(interaction("this needs a reason")
            .hint("give it with --reason TEXT")
            .into());
    }
    stream.send(&ToClient::AskReason).await?;
    let answer = tokio::time::timeout(PROMPT_TIME, stream.receive()).await;
    match answer
        .map_err(|_| interaction("no reason was given in time"))??
        .0
    {
        ToServer::Reason { text } if !text.trim().is_empty() && text.len() <= REASON_BYTES => {
            Ok(Some(text))
        }
        ToServer::Reason { .. } => {
            let message = format!("a reason has 1 to {REASON_BYTES} bytes (REASON_BYTES)");
            Err(Refusal::new(ErrorName::InvalidArgument, message).into())
        }
        _ => Err(unexpected()),
    }
}

/// Something that nobody can be asked for now.
pub(super) fn interaction(message: &str) -> Refusal {
    Refusal::new(ErrorName::InteractionRequired, message)
}
