//! Whose vote counts.

use elevate_policy::Membership;
use elevate_protocol::ErrorName;

use super::{Digest, Elevation, Given, Problem, Stage};

/// Who votes, as the bus and the kernel say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voter {
    /// Account name.
    pub name: String,
    /// The uid that the bus vouches for.
    pub uid: u32,
    /// The login behind the voting process.
    pub login_uid: Option<u32>,
    /// Whether the process runs in an elevated session.
    pub elevated: bool,
    /// Whether the rule lets them approve.
    pub may_approve: Membership,
    /// As which of the request's approvers, by their places.
    pub covers: Vec<usize>,
    /// The second factor that they gave for this vote.
    pub factor: Given,
}

/// Whether `voter`'s vote on `elevation`, of which they saw `shown`, counts.
///
/// # Errors
/// Why it does not, in words for the voter.
pub fn admissible(elevation: &Elevation, voter: &Voter, shown: Digest) -> Result<(), Problem> {
    let refuse = |error, message: &str| {
        Err(Problem {
            error,
            message: message.to_owned(),
        })
    };
    let requester = &elevation.asked.caller;
    if same_person(requester.account.uid, requester.login_uid, voter) {
        return refuse(
            ErrorName::NotAuthorized,
            "nobody approves their own request",
        );
    }
    if voter.may_approve != Membership::Yes {
        // The same words as for a request that isn't there: who may not see it learns nothing.
        return Err(Problem::not_found());
    }
    if voter.elevated {
        return refuse(
            ErrorName::NotAuthorized,
            "a vote does not count from an elevated session",
        );
    }
    if voter.login_uid != Some(voter.uid) {
        return refuse(
            ErrorName::NotAuthorized,
            "a vote counts only from a login of your own (not through su, cron or a service)",
        );
    }
    if elevation.stage != Stage::Waiting {
        return Err(Problem::decided(elevation));
    }
    if elevation.votes.iter().any(|vote| vote.uid == voter.uid) {
        return refuse(
            ErrorName::NotAuthorized,
            "you have voted on this request already",
        );
    }
    if shown != elevation.digest {
        return refuse(
            ErrorName::Changed,
            "the request is not the one you were shown; look again",
        );
    }
    Ok(())
}

/// Whether requester and voter share a uid or a login.
fn same_person(uid: u32, login_uid: Option<u32>, voter: &Voter) -> bool {
    let requester = [Some(uid), login_uid];
    let voter = [Some(voter.uid), voter.login_uid];
    requester
        .iter()
        .flatten()
        .any(|id| voter.iter().flatten().any(|other| other == id))
}
