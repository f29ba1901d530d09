//! The conversation behind `elevatectl approve` and `deny`.

use std::sync::Arc;

use elevate_policy::{Membership, RuleName};
use elevate_protocol::Id;
use elevate_protocol::stream::ToClient;

use super::proof::{self, Proved};
use super::stream::{Stop, Stream};
use crate::audit;
use crate::daemon::Daemon;
use crate::elevation::{Digest, Event, Problem, Voter};

/// One vote, before anything is known about it.
#[derive(Debug, Clone)]
pub struct Ballot {
    /// On which request.
    pub id: Id,
    /// Yes or no.
    pub approve: bool,
    /// The digest of what the voter was shown.
    pub shown: Digest,
    /// Why.
    pub comment: String,
}

/// Have the voter prove themselves, and count their vote.
pub async fn vote(daemon: Arc<Daemon>, uid: u32, ballot: Ballot, stream: Stream) {
    let id = ballot.id;
    let action = if ballot.approve { "approve" } else { "deny" };
    match counted(&daemon, uid, ballot, &stream).await {
        Ok(message) => {
            // A voter who is gone has voted all the same.
            let _ = stream.send(&message).await;
        }
        Err(Stop::Refused(refusal)) => {
            let name = daemon.name_of(uid);
            let entry = audit::refused_vote(id.as_str(), (&name, uid), action, &refusal.message);
            daemon.record(entry);
            stream.refuse(&refusal).await;
        }
        Err(Stop::Gone) => {}
    }
}

async fn counted(
    daemon: &Arc<Daemon>,
    uid: u32,
    ballot: Ballot,
    stream: &Stream,
) -> Result<ToClient, Stop> {
    let Proved { login, process, .. } = proof::prove(stream, uid, daemon.nonce()).await?;
    let (policy, accounts) = daemon.facts().await?;
    let name = accounts.by_uid(uid).map_err(|_| Problem::not_found())?.name;
    let elevation = daemon.elevation(ballot.id).ok_or_else(Problem::not_found)?;
    let rule = RuleName::new(&elevation.rule).ok();
    let may_approve = rule.as_ref().map_or(Membership::No, |rule| {
        policy.may_approve(rule, &name, &*accounts)
    });
    let rule_content = rule
        .and_then(|rule| policy.content_digest(&rule))
        .map(Digest::from);
    let voter = Voter {
        name,
        uid,
        login_uid: login.uid,
        elevated: login.elevated,
        may_approve,
    };
    let event = Event::Voted {
        id: ballot.id,
        voter,
        approve: ballot.approve,
        comment: ballot.comment,
        shown: ballot.shown,
        rule_content,
    };
    daemon.apply(event).await?;
    drop(process);
    let elevation = daemon.elevation(ballot.id).ok_or_else(Problem::not_found)?;
    Ok(ToClient::Counted {
        state: elevation.request_state().to_owned(),
        agreed: elevation.agreed(),
        needed: elevation.needed,
    })
}
