//! Roles that exclude each other, and people who are in both.

use super::Daemon;
use crate::audit;

impl Daemon {
    /// Put on record which roles of `uid` exclude each other, so that they have neither; and say so in
    /// words for them.
    pub async fn role_conflicts(&self, uid: u32) -> Vec<String> {
        // Most policies have none, and then nobody is looked up.
        if !self.core().policies.policy().has_conflicts() {
            return Vec::new();
        }
        let Ok((policy, accounts)) = self.facts().await else {
            return Vec::new();
        };
        let Ok(account) = accounts.by_uid(uid) else {
            return Vec::new();
        };
        let pairs = policy.conflicts(&account.name, &*accounts).into_iter();
        let tell = |(one, other)| {
            let (one, other): (&str, &str) = (one, other);
            self.record(audit::role_conflict((&account.name, uid), (one, other)));
            format!(
                "you are in the roles {one} and {other}, which exclude each other, and have neither"
            )
        };
        pairs
            .map(|(one, other)| tell((one.as_str(), other.as_str())))
            .collect()
    }
}
