//! The conversation behind `elevatectl approve` and `deny`.

use std::sync::Arc;

use elevate_policy::{Membership, RuleName};
use elevate_protocol::Id;
use elevate_protocol::account::Account;
use elevate_protocol::stream::ToClient;

use super::factor;
use super::proof::{self, Proved};
use super::stream::{Stop, Stream};
use crate::audit;
use crate::daemon::Daemon;
use crate::elevation::{Digest, Event, Given, Problem, Vote, Voter, admissible};

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
    let proved = proof::prove(daemon, stream, uid).await?;
    let (account, voter, _, _) = as_they_are(daemon, uid, &ballot, &proved).await?;
    let elevation = daemon.elevation(ballot.id).ok_or_else(Problem::not_found)?;
    // Nobody types a code for a vote that can't count; what counts is decided after it.
    admissible(&elevation, &voter, ballot.shown)?;
    let asked = factor::Asked {
        account: &account,
        proved: &proved,
        purpose: &format!("a vote on {}", ballot.id),
    };
    let mfa = Some(daemon.settings.vote_mfa);
    let given = factor::owe(daemon, stream, asked, mfa, true).await?;
    // They may have left, or lost the role, while they typed.
    let (now, mut voter, rule_content, lapsed) = as_they_are(daemon, uid, &ballot, &proved).await?;
    if now != account {
        return Err(Problem::not_found().into());
    }
    voter.factor = given;
    let event = Event::Voted {
        id: ballot.id,
        voter,
        approve: ballot.approve,
        comment: ballot.comment,
        shown: ballot.shown,
        rule_content,
        lapsed,
    };
    daemon.apply(event).await?;
    drop(proved);
    let elevation = daemon.elevation(ballot.id).ok_or_else(Problem::not_found)?;
    Ok(ToClient::Counted {
        state: elevation.request_state().to_owned(),
        agreed: elevation.agreed(),
        needed: elevation.needed,
    })
}

/// Who votes, as things are now, what the request's rule says, and who of those that agreed before
/// may approve no more.
async fn as_they_are(
    daemon: &Daemon,
    uid: u32,
    ballot: &Ballot,
    proved: &Proved,
) -> Result<(Account, Voter, Option<Digest>, Vec<u32>), Stop> {
    let (policy, accounts) = daemon.facts().await?;
    let account = accounts.by_uid(uid).map_err(|_| Problem::not_found())?;
    let elevation = daemon.elevation(ballot.id).ok_or_else(Problem::not_found)?;
    let rule = RuleName::new(&elevation.rule).ok();
    let approves = |name: &str| {
        rule.as_ref().map_or(Membership::No, |rule| {
            policy.may_approve(rule, name, &*accounts)
        })
    };
    let stands = |vote: &&Vote| {
        let same = accounts
            .by_name(&vote.voter)
            .is_ok_and(|account| account.uid == vote.uid);
        same && approves(&vote.voter) == Membership::Yes
    };
    let lapsed = elevation.votes.iter().filter(|vote| !stands(vote));
    let lapsed = lapsed.map(|vote| vote.uid).collect();
    let may_approve = approves(&account.name);
    let rule_content = rule
        .and_then(|rule| policy.content_digest(&rule))
        .map(Digest::from);
    let voter = Voter {
        name: account.name.clone(),
        uid,
        login_uid: proved.login.uid,
        elevated: proved.login.elevated,
        may_approve,
        factor: Given::None,
    };
    Ok((account, voter, rule_content, lapsed))
}
