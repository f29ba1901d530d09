//! `Manager.Why`.

use elevate_protocol::ErrorName;
use elevate_protocol::bus::why;
use jiff::Timestamp;

use super::ask::{self, Fields};
use crate::conversation::{Answer, Arrival, Ask, Refusal, Supposed, judge};
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

/// What `caller` supposes of how somebody came: root may suppose anything. Others learn of their own
/// case as it is, and `elevate -l -l` tells them the conditions of their rules.
pub(super) fn supposed(fields: &mut Fields, caller: u32) -> Result<Supposed, Refusal> {
    let invalid = |what: &str| Refusal::new(ErrorName::InvalidArgument, what);
    let at = ask::take::<u64>(fields, why::AT)?.map(|at| {
        let at = i64::try_from(at)
            .ok()
            .and_then(|at| Timestamp::from_millisecond(at).ok());
        at.ok_or_else(|| invalid("`at` is no time in milliseconds since 1970"))
    });
    let from = ask::name(fields, why::FROM)?.map(|from| match from.as_str() {
        "console" => Ok(None),
        address => address
            .parse()
            .map(Some)
            .map_err(|_| invalid("`from` is no address")),
    });
    let supposed = Supposed {
        host: ask::name(fields, why::HOST)?,
        at: at.transpose()?,
        from: from.transpose()?,
        service: ask::name(fields, why::SERVICE)?,
    };
    match caller == 0 || supposed == Supposed::default() {
        true => Ok(supposed),
        false => Err(Refusal::new(
            ErrorName::NotAuthorized,
            "only root may ask about other hosts, times and logins",
        )),
    }
}

/// The verdict on what `uid` would ask for, as JSON, if it came by `login`, which is not that of
/// another person, but for what is supposed. Users hear of the rules that concern them and of files
/// that they may run; root, with `all`, hears of all.
pub(super) async fn why(
    daemon: &Daemon,
    (uid, login): (u32, Option<Login>),
    supposed: Supposed,
    ask: &Ask,
    all: bool,
) -> Result<String, Refusal> {
    let arrival = Arrival::of(daemon, uid, login.as_ref()).supposing(supposed);
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

#[cfg(test)]
mod tests {
    use zbus::{OwnedVariant, Variant};

    use super::*;

    fn fields(of: Vec<(&str, Variant<'static>)>) -> Fields {
        let owned = |value: Variant<'static>| OwnedVariant::try_from(value).unwrap();
        let pairs = of.into_iter();
        pairs
            .map(|(key, value)| (key.to_owned(), owned(value)))
            .collect()
    }

    #[test]
    fn root_supposes_what_it_likes_and_nobody_else_anything() {
        let all = || {
            fields(vec![
                (why::HOST, Variant::new("db1".to_owned())),
                (why::AT, Variant::new(86_400_000_u64)),
                (why::FROM, Variant::new("10.0.0.7".to_owned())),
                (why::SERVICE, Variant::new("sshd".to_owned())),
            ])
        };
        let found = supposed(&mut all(), 0).unwrap();
        assert_eq!(found.host.as_deref(), Some("db1"));
        assert_eq!(found.at.unwrap().as_second(), 86_400);
        assert_eq!(found.from, Some("10.0.0.7".parse().ok()));
        assert_eq!(found.service.as_deref(), Some("sshd"));
        for key in [why::HOST, why::AT, why::FROM, why::SERVICE] {
            let mut one = all();
            one.retain(|known, _| known == key);
            let refusal = supposed(&mut one, 1000).unwrap_err();
            assert_eq!(refusal.error, ErrorName::NotAuthorized, "{key}");
        }
        assert_eq!(
            supposed(&mut fields(Vec::new()), 1000).unwrap(),
            Supposed::default()
        );
    }

    #[test]
    fn what_is_no_time_and_no_address_is_refused() {
        let wrong = [
            (why::AT, Variant::new(u64::MAX)),
            (why::AT, Variant::new("now".to_owned())),
            (why::FROM, Variant::new("db1".to_owned())),
            (why::HOST, Variant::new(String::new())),
        ];
        for (key, value) in wrong {
            let refusal = supposed(&mut fields(vec![(key, value)]), 0).unwrap_err();
            assert_eq!(refusal.error, ErrorName::InvalidArgument, "{key}");
        }
        let console = (why::FROM, Variant::new("console".to_owned()));
        assert_eq!(
            supposed(&mut fields(vec![console]), 0).unwrap().from,
            Some(None)
        );
    }
}
