//! How events at the door read.

use elevate_protocol::escape;
use elevate_protocol::login::{Login, Outcome, Spooled};

use super::{Entry, Kind};

fn about(kind: Kind, login: &Login, uid: Option<u32>, message: String) -> Entry {
    let entry = Entry::new(kind, message)
        .with("ELEVATE_USER", &login.user)
        .with("ELEVATE_SERVICE", &login.service)
        .with(
            "ELEVATE_SOURCE",
            login.source.as_deref().unwrap_or_default(),
        )
        .with(
            "ELEVATE_TERMINAL",
            login.terminal.as_deref().unwrap_or_default(),
        );
    match uid {
        Some(uid) => entry.with("ELEVATE_UID", uid.to_string()),
        None => entry,
    }
}

fn shown(login: &Login) -> String {
    let line = |text: &str| escape::line(text.as_bytes());
    let from = login
        .source
        .as_deref()
        .map_or(String::new(), |source| format!(" from {}", line(source)));
    format!(
        "{} through {}{from}",
        line(&login.user),
        line(&login.service)
    )
}

/// A role admits somebody, and what they owed was given; `factor` says what that was.
pub fn login(login: &Login, uid: u32, role: &str, factor: &str) -> Entry {
    let message = format!("login of {}", shown(login));
    about(Kind::Login, login, Some(uid), message)
        .with("ELEVATE_ROLE", role)
        .with("ELEVATE_FACTOR", factor)
        .with("ELEVATE_OUTCOME", "admitted")
}

/// Somebody is not let in; `why` is for the record alone.
pub fn login_refused(login: &Login, uid: Option<u32>, why: &str) -> Entry {
    let message = format!("refused the login of {}: {why}", shown(login));
    about(Kind::LoginRefused, login, uid, message)
        .with("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", "refused")
}

/// A session opens or closes.
pub fn login_session(
    login: &Login,
    uid: Option<u32>,
    audit_session: Option<u32>,
    opens: bool,
) -> Entry {
    let (kind, verb) = match opens {
        true => (Kind::LoginOpen, "begins"),
        false => (Kind::LoginClose, "is over"),
    };
    let entry = about(
        kind,
        login,
        uid,
        format!("login of {} {verb}", shown(login)),
    );
    let session = audit_session.map_or(String::new(), |session| session.to_string());
    entry
        .with("ELEVATE_AUDIT_SESSION", session)
        .with("ELEVATE_OUTCOME", if opens { "opened" } else { "closed" })
}

/// What the PAM module did while nobody could be asked.
pub fn spooled(spooled: &Spooled) -> Entry {
    let login = &spooled.login;
    let terminal = spooled.real_terminal.as_deref().unwrap_or_default();
    let problem = escape::line(spooled.problem.as_bytes());
    let (kind, message, outcome) = match spooled.outcome {
        Outcome::Rescued => {
            let at = escape::line(terminal.as_bytes());
            let message = format!("rescue of {} at {at}: {problem}", shown(login));
            (Kind::Rescue, message, "rescued")
        }
        Outcome::Refused => {
            let message = format!("refused the login of {}: {problem}", shown(login));
            (Kind::LoginRefused, message, "refused")
        }
    };
    let mut entry = Entry::new(kind, message)
        .with("ELEVATE_USER", &login.user)
        .with("ELEVATE_SERVICE", &login.service)
        .with(
            "ELEVATE_SOURCE",
            login.source.as_deref().unwrap_or_default(),
        );
    entry = entry
        .with("ELEVATE_TERMINAL", terminal)
        .with("ELEVATE_PHASE", &spooled.phase)
        .with("ELEVATE_REASON", &spooled.problem);
    entry
        .with("ELEVATE_AT", moment(spooled.at))
        .with("ELEVATE_OUTCOME", outcome)
}

/// A file of the spool that can't be understood; it is set aside.
pub fn unreadable_spool(file: &str, why: &str) -> Entry {
    let message = format!("a login while elevated was down left an unreadable record: {why}");
    Entry::new(Kind::LoginRefused, message)
        .with("ELEVATE_PATH", file)
        .with("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", "unreadable")
}

/// What a leaver lost.
pub fn leave((user, uid): (&str, u32), why: &str, outcome: &str) -> Entry {
    let message = format!("{} left: {why}", escape::line(user.as_bytes()));
    Entry::new(Kind::Leave, message)
        .with("ELEVATE_USER", user)
        .with("ELEVATE_UID", uid.to_string())
        .with("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", outcome)
}

fn moment(millis: u64) -> String {
    i64::try_from(millis)
        .ok()
        .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
        .map_or_else(String::new, |at| at.to_string())
}
