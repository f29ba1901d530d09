//! People in roles that exclude each other.

use super::{Found, Named, Suspicion, everybody};
use crate::policy::Policy;

pub(super) fn look(policy: &Policy, found: &mut Found) {
    if !policy.has_conflicts() {
        return;
    }
    for user in everybody(policy) {
        for (one, other) in policy.conflicts(user, &Named) {
            let Some(role) = policy.roles.get(one) else {
                continue;
            };
            let message = format!(
                "{user} is in this role and in `{other}`, which exclude each other, and so has \
                 neither; name them in one, or in the `removed` of the other"
            );
            found.add(Suspicion::Conflict, one.as_str(), &role.place, message);
        }
    }
}
