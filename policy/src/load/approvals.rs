//! How many approvals a rule owes, and whose.

use super::problems::Problems;
use super::raw::Raw;
use super::terms::{Approvals, RawTerms};
use crate::limits::MAX_APPROVALS;
use crate::names::RoleName;
use crate::people::Approver;
use crate::rule::Owed;

/// What is owed, and who may approve. `listed` is who the rule names; where it names nobody, it is
/// every role that may approve.
pub(super) fn link(
    raw: &RawTerms,
    listed: Vec<Approver>,
    policy: &Raw,
    problems: &Problems,
) -> (Owed, Vec<Approver>) {
    let owed = |approvals, each| Owed {
        approvals,
        each,
        ..raw.owed
    };
    match (&raw.approvals, &raw.approvers) {
        (None | Some((_, Some(Approvals::Number(0)))), Some((key, _))) => {
            // Most likely the number was forgotten, and then this would be a standing grant.
            let message = "there are approvers and no approvals are owed; write \
                           `approvals = 1` or remove `approvers`";
            problems.add(key, message);
        }
        // That it wasn't understood has been said.
        (Some((_, None)), _) | (None | Some((_, Some(Approvals::Number(0)))), None) => {}
        (Some((word, Some(Approvals::Number(count)))), written) => {
            let approvers = match written {
                Some(_) => listed,
                None => approving(policy),
            };
            if approvers.is_empty() {
                let message = "approvals are owed and nobody may give them; write `approvers = \
                               [\"role:lead\"]` beside it, or `may = [\"approve\"]` in a role";
                problems.add(word, message);
            } else if too_few(*count, &approvers) {
                let message = format!("{count} approvals are owed and fewer people may give them");
                problems.add(word, message);
            }
            return (owed(*count, false), approvers);
        }
        (Some((word, Some(Approvals::Each))), _) => {
            let count = u32::try_from(listed.len()).unwrap_or(u32::MAX);
            if listed.is_empty() {
                let message = "\"each\" is one approval of each approver, and none is named; write \
                               `approvers = [\"role:lead\", \"%oncall\"]` beside it";
                problems.add(word, message);
            } else if count > MAX_APPROVALS {
                let message = format!("there are at most {MAX_APPROVALS} approvals");
                problems.add(word, message);
            }
            return (owed(count, true), listed);
        }
    }
    (owed(0, false), Vec::new())
}

/// The roles whose members may approve where a rule names nobody.
fn approving(policy: &Raw) -> Vec<Approver> {
    let may = |words: &[super::Word]| words.iter().any(|word| word.text == "approve");
    let roles = policy.roles.iter().filter(|(_, role)| may(&role.may));
    let names = roles.filter_map(|(name, _)| RoleName::new(name).ok());
    names.map(Approver::Role).collect()
}

// Only where everybody who may approve is named does the policy itself tell how many they are.
fn too_few(owed: u32, approvers: &[Approver]) -> bool {
    let named = approvers.iter().all(|one| matches!(one, Approver::User(_)));
    named && (approvers.len() as u64) < u64::from(owed)
}
