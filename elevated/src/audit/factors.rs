//! How events of second factors read. Codes and secrets are in none of them.

use elevate_protocol::escape;

use super::{Entry, Kind};

/// Who did something to whose factor.
#[derive(Debug, Clone, Copy)]
pub struct FactorChange<'a> {
    /// Whose factor: name and uid.
    pub whose: (&'a str, u32),
    /// By whom, by name.
    pub by: &'a str,
    /// The login behind them.
    pub login_uid: Option<u32>,
}

fn about(kind: Kind, (user, uid): (&str, u32), message: String) -> Entry {
    Entry::new(kind, message)
        .with("ELEVATE_USER", user)
        .with("ELEVATE_UID", uid.to_string())
}

fn changed(kind: Kind, change: FactorChange<'_>, what: &str, outcome: &str) -> Entry {
    let user = escape::line(change.whose.0.as_bytes());
    let by = escape::line(change.by.as_bytes());
    let login_uid = change
        .login_uid
        .map_or(String::new(), |uid| uid.to_string());
    about(kind, change.whose, format!("{what} of {user} by {by}"))
        .with("ELEVATE_BY", change.by)
        .with("ELEVATE_LOGIN_UID", login_uid)
        .with("ELEVATE_OUTCOME", outcome)
}

/// A factor is in force, confirmed by a code.
pub fn factor_enrolled(change: FactorChange<'_>) -> Entry {
    let what = "second factor enrolled";
    changed(Kind::FactorEnrolled, change, what, "enrolled")
}

/// A factor is gone.
pub fn factor_removed(change: FactorChange<'_>) -> Entry {
    let what = "second factor removed";
    changed(Kind::FactorRemoved, change, what, "removed")
}

/// Recovery codes were replaced.
pub fn factor_renewed(change: FactorChange<'_>) -> Entry {
    let what = "recovery codes replaced";
    changed(Kind::FactorRenewed, change, what, "renewed")
}

/// A code of somebody's was accepted; `factor` says of which kind, `purpose` for what.
pub fn factor_given((user, uid): (&str, u32), purpose: &str, factor: &str) -> Entry {
    let message = format!(
        "{} gave a code ({factor}) for {}",
        escape::line(user.as_bytes()),
        escape::line(purpose.as_bytes())
    );
    about(Kind::FactorGiven, (user, uid), message)
        .with("ELEVATE_PURPOSE", purpose)
        .with("ELEVATE_FACTOR", factor)
        .with("ELEVATE_OUTCOME", "accepted")
}

/// A code was not accepted, or none could be asked for; `outcome` is one word.
pub fn factor_refused(
    (user, uid): (&str, u32),
    purpose: &str,
    (outcome, why): (&str, &str),
) -> Entry {
    let message = format!(
        "no code of {} was accepted for {}: {}",
        escape::line(user.as_bytes()),
        escape::line(purpose.as_bytes()),
        escape::line(why.as_bytes())
    );
    about(Kind::FactorRefused, (user, uid), message)
        .with("ELEVATE_PURPOSE", purpose)
        .with("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", outcome)
}

/// Nobody's factor can be verified.
pub fn factors_unavailable(why: &str) -> Entry {
    Entry::new(Kind::FactorRefused, escape::line(why.as_bytes()))
        .with("ELEVATE_PURPOSE", "anything")
        .with("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", "unavailable")
}
