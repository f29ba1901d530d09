//! `Manager.ListRules`.

use elevate_protocol::ErrorName;
use elevate_protocol::limits::NAME_BYTES;

use super::error::BusError;
use crate::conversation::Refusal;
use crate::daemon::Daemon;

/// The rules of `user`, or of `uid` itself where that is empty, as JSON.
pub(super) async fn list(daemon: &Daemon, uid: u32, user: &str) -> Result<String, BusError> {
    if user.len() > NAME_BYTES {
        let message = format!("a name has at most {NAME_BYTES} bytes (NAME_BYTES)");
        return Err(Refusal::new(ErrorName::LimitExceeded, message).into());
    }
    let (policy, accounts) = daemon.facts().await?;
    let unknown = || Refusal::new(ErrorName::NotFound, "there is no such user on this host");
    let account = match user {
        "" => accounts.by_uid(uid),
        name => accounts.by_name(name),
    };
    let own = account.as_ref().is_ok_and(|account| account.uid == uid);
    if !own && !daemon.audits(uid).await? {
        let message = "only root and auditors list the rules of others";
        return Err(Refusal::new(ErrorName::NotAuthorized, message).into());
    }
    let account = account.map_err(|_| unknown())?;
    let rules = policy.listing(&account.name, account.uid, &*accounts);
    Ok(
        serde_json::json!({ "user": account.name, "host": daemon.host.name, "rules": rules })
            .to_string(),
    )
}
