//! How things are, as the `a{sv}` of the manager's replies.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use elevate_protocol::ErrorName;
use elevate_protocol::bus::{directory, factor};
use elevate_protocol::escape::line;
use zbus::{OwnedVariant, Variant};

use super::error::BusError;
use crate::clock::Moment;
use crate::conversation::Refusal;
use crate::daemon::Daemon;
use crate::factors::Rejected;

/// The values of a reply.
pub(super) type Fields = HashMap<String, OwnedVariant>;

/// How the daemon is. What is wrong with files of root's is told to root alone.
pub(super) async fn daemon(daemon: &Daemon, uid: u32) -> Result<Fields, BusError> {
    daemon.facts().await?;
    let (files, problem) = daemon.policy_state();
    let (rules, waiting, sessions) = daemon.counts();
    let told = |problem: Option<&str>, others: &str| match problem {
        Some(_) if uid != 0 => format!("{others}; root sees why"),
        other => other.unwrap_or_default().to_owned(),
    };
    let problem = told(problem.as_deref(), "the policy files can't be believed");
    let settings = told(
        daemon.settings_problem.as_deref(),
        "elevated.toml can't be believed",
    );
    let factors = told(daemon.factors.problem(), "no second factor can be verified");
    fields([
        ("Version", env!("CARGO_PKG_VERSION").into()),
        ("PolicyLoaded", problem.is_empty().into()),
        ("PolicyFiles", files.into()),
        ("PolicyError", problem.into()),
        ("SettingsError", settings.into()),
        ("FactorsError", factors.into()),
        ("Rules", rules.into()),
        (
            "LoginSocket",
            daemon.serves_logins.load(Ordering::Relaxed).into(),
        ),
        ("Directory", daemon.identities.status().state.into()),
        ("Launcher", daemon.launcher.is_there().await.into()),
        ("Sessions", sessions.into()),
        ("Waiting", waiting.into()),
    ])
}

/// How the factor of `user` is, or the caller's own where that is empty; somebody else's for root
/// alone.
pub(super) async fn factor(daemon: &Daemon, uid: u32, user: &str) -> Result<Fields, BusError> {
    let (_, accounts) = daemon.facts().await?;
    let found = match user {
        "" => accounts.by_uid(uid).ok(),
        name => accounts.by_name(name).ok(),
    };
    let account = match found {
        Some(account) if uid == 0 || account.uid == uid => account,
        None if uid == 0 || user.is_empty() => {
            let message = "there is no such user on this host";
            return Err(Refusal::new(ErrorName::NotFound, message).into());
        }
        _ => {
            let message = "only root may ask about others";
            return Err(Refusal::new(ErrorName::NotAuthorized, message).into());
        }
    };
    let status = daemon.factors.status(&account, Moment::now());
    let status = status
        .map_err(|rejected: Rejected| Refusal::new(ErrorName::Unavailable, rejected.to_string()))?;
    if let (Some(why), Some(_)) = (daemon.factors.problem(), status) {
        let message = match uid {
            0 => why.to_owned(),
            _ => "no second factor can be verified; root sees why".to_owned(),
        };
        return Err(Refusal::new(ErrorName::Unavailable, message).into());
    }
    let codes = status.map_or(0, |status| status.recovery_codes as u32);
    let mut values = vec![
        (factor::USER, Variant::from(account.name)),
        (factor::ENROLLED, status.is_some().into()),
        (factor::RECOVERY_CODES, codes.into()),
    ];
    if let Some(status) = status {
        values.push((factor::SINCE, status.since.into()));
        values.extend(status.locked.map(|left| (factor::LOCKED, left.into())));
    }
    fields(values)
}

/// How the directory stands. Which records are not believed is told to root alone.
pub(super) fn directory(daemon: &Daemon, uid: u32) -> Result<Fields, BusError> {
    let status = daemon.identities.status();
    let shown = |text: &str| line(text.as_bytes());
    let mut values = vec![
        (directory::STATE, status.state.into()),
        (directory::SOURCE, shown(&status.source).into()),
        (directory::PROBLEM, shown(&status.problem).into()),
        (directory::PEOPLE, status.people.into()),
        (directory::ADMITTED, status.admitted.into()),
        (directory::GROUPS, status.groups.into()),
    ];
    let moments = [
        (directory::LAST_CONTACT, status.last_contact),
        (directory::VALID_UNTIL, status.valid_until),
    ];
    for (key, at) in moments {
        values.extend(at.map(|at| (key, Variant::from(at))));
    }
    if uid == 0 {
        // Names and reasons are made harmless where they are judged.
        values.push((directory::REFUSED, status.refused.into()));
    }
    fields(values)
}

fn fields<'v>(
    values: impl IntoIterator<Item = (&'static str, Variant<'v>)>,
) -> Result<Fields, BusError> {
    let owned =
        |(name, value): (&str, Variant<'_>)| Ok((name.to_owned(), OwnedVariant::try_from(value)?));
    values.into_iter().map(owned).collect()
}
