//! The conversation behind `elevatectl approve` and `deny`.

use std::collections::BTreeMap;
use std::sync::Arc;

use elevate_policy::RuleName;
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
    let Now { account, voter, .. } = as_they_are(daemon, uid, &ballot, &proved).await?;
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
    let now = as_they_are(daemon, uid, &ballot, &proved).await?;
    if now.account != account {
        return Err(Problem::not_found().into());
    }
    let voter = Voter {
        factor: given,
        ..now.voter
    };
    let event = Event::Voted {
        id: ballot.id,
        voter,
        approve: ballot.approve,
        comment: ballot.comment,
        shown: ballot.shown,
        rule_content: now.rule_content,
        earlier: now.earlier,
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

/// How things are now: who votes, what the request's rule says, and as which approvers those that
/// voted before may approve.
struct Now {
    account: Account,
    voter: Voter,
    rule_content: Option<Digest>,
    earlier: BTreeMap<u32, Vec<usize>>,
}

async fn as_they_are(
    daemon: &Daemon,
    uid: u32,
    ballot: &Ballot,
    proved: &Proved,
) -> Result<Now, Stop> {
    let (policy, accounts) = daemon.facts().await?;
    let account = accounts.by_uid(uid).map_err(|_| Problem::not_found())?;
    let elevation = daemon.elevation(ballot.id).ok_or_else(Problem::not_found)?;
    let rule = RuleName::new(&elevation.rule).map_err(|_| Problem::not_found())?;
    let covers = |name: &str| policy.approves_as(&rule, name, &*accounts);
    // Whoever has their name now, but not their uid, is somebody else.
    let covered_by = |vote: &Vote| {
        let same = accounts
            .by_name(&vote.voter)
            .is_ok_and(|account| account.uid == vote.uid);
        match same {
            true => covers(&vote.voter),
            false => Vec::new(),
        }
    };
    let votes = elevation.votes.iter();
    let voter = Voter {
        name: account.name.clone(),
        uid,
        login_uid: proved.login.uid,
        elevated: proved.login.elevated,
        may_approve: policy.may_approve(&rule, &account.name, &*accounts),
        covers: covers(&account.name),
        factor: Given::None,
    };
    Ok(Now {
        voter,
        rule_content: policy.content_digest(&rule).map(Digest::from),
        earlier: votes.map(|vote| (vote.uid, covered_by(vote))).collect(),
        account,
    })
}
