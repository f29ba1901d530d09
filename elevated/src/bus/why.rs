//! `Manager.Why`.

use elevate_protocol::ErrorName;

use crate::conversation::{Answer, Arrival, Ask, Refusal, judge};
use crate::daemon::Daemon;
use crate::process::Login;

/// About whom `caller` asks: themselves, or `user` for root.
pub(super) async fn subject(
    daemon: &Daemon,
    caller: u32,
    user: Option<String>,
) -> Result<u32, Refusal> {
    let Some(user) = user else { return Ok(caller) };
    let (_, accounts) = daemon.facts().await?;
    let found = accounts.by_name_or_id(&user).map(|account| account.uid);
    match found {
        Ok(uid) if caller == 0 || uid == caller => Ok(uid),
        _ if caller != 0 => Err(Refusal::new(
            ErrorName::NotAuthorized,
            "only root may ask about others",
        )),
        _ => Err(Refusal::new(
            ErrorName::InvalidArgument,
            "there is no such user here",
        )),
    }
}

/// The verdict on what `uid` would ask for, as JSON, if it came by `login`, which is not that of
/// another person. Users hear of the rules that concern them and of files that they may run; root,
/// with `all`, hears of all.
pub(super) async fn why(
    daemon: &Daemon,
    (uid, login): (u32, Option<Login>),
    ask: &Ask,
    all: bool,
) -> Result<String, Refusal> {
    let arrival = Arrival::of(daemon, uid, login.as_ref());
    let answer = judge(daemon, daemon.new_id(), (uid, &arrival), ask, true).await?;
    Ok(explain(&answer, all))
}

fn explain(answer: &Answer, all: bool) -> String {
    let mut verdict = answer.verdict.clone();
    if let Some(verdict) = &mut verdict
        && !all
    {
        verdict.considered.retain(|considered| {
            !matches!(
                considered.outcome,
                elevate_policy::Outcome::NotMatched {
                    condition: elevate_policy::Condition::Roles,
                    ..
                }
            )
        });
    }
    let file = match all {
        true => answer.file(),
        false => answer.shown_file(),
    };
    serde_json::json!({
        "user": answer.caller.name,
        "target": answer.target.name,
        "group": answer.target_group,
        "file": file,
        "verdict": verdict,
    })
    .to_string()
}
