//! How each event reads.

use std::time::Duration;

use elevate_protocol::launch::{Edited, Exec};
use elevate_protocol::stream::Status;
use elevate_protocol::{Id, escape};

use super::{Entry, Kind};
use crate::elevation::{Closing, Elevation, Given, Stage, Vote};

/// The fields that every event of one elevation has.
pub(super) fn about(elevation: &Elevation, kind: Kind, message: String) -> Entry {
    let asked = &elevation.asked;
    let caller = &asked.caller;
    let entry = Entry::new(kind, message)
        .with("ELEVATE_REQUEST", elevation.id.as_str())
        .with("ELEVATE_USER", &caller.account.name)
        .with("ELEVATE_UID", caller.account.uid.to_string())
        .with("ELEVATE_TARGET", &asked.target.name)
        .with("ELEVATE_TARGET_UID", asked.target.uid.to_string())
        .with_shown("ELEVATE_COMMAND", elevation.command())
        .with("ELEVATE_RULE", &elevation.rule);
    match caller.login_uid {
        Some(uid) => entry.with("ELEVATE_LOGIN_UID", uid.to_string()),
        None => entry,
    }
}

/// The paths it is about, with spaces between.
fn paths(elevation: &Elevation) -> Vec<u8> {
    let paths = elevation.asked.subject.paths();
    paths
        .iter()
        .map(|path| &path[..])
        .collect::<Vec<_>>()
        .join(&b' ')
}

/// With the second factor that was given, and how old it was.
fn with_factor(entry: Entry, factor: Given) -> Entry {
    let entry = entry.with("ELEVATE_FACTOR", factor.word());
    match factor.age() {
        Some(age) => entry.with("ELEVATE_FACTOR_AGE", seconds(Duration::from_millis(age))),
        None => entry,
    }
}

fn who(elevation: &Elevation) -> String {
    let asked = &elevation.asked;
    let (user, target) = (&asked.caller.account.name, &asked.target.name);
    format!("{user} as {target}: {}", elevation.command())
}

/// Somebody asks for something that the policy allows under conditions, or at once.
pub fn request(elevation: &Elevation) -> Entry {
    let message = format!("request {} by {}", elevation.id, who(elevation));
    with_factor(about(elevation, Kind::Request, message), elevation.factor)
        .with(
            "ELEVATE_REASON",
            elevation.asked.reason.as_deref().unwrap_or_default(),
        )
        .with(
            "ELEVATE_TICKET",
            elevation.asked.ticket.as_deref().unwrap_or_default(),
        )
        .with("ELEVATE_CWD", &elevation.asked.cwd)
        .with("ELEVATE_PATH", paths(elevation))
        .with("ELEVATE_NEEDED", elevation.needed.to_string())
        .with("ELEVATE_DURATION", seconds(elevation.asked.duration))
        .with(
            "ELEVATE_OUTCOME",
            if elevation.needed == 0 {
                "allowed"
            } else {
                "waiting"
            },
        )
}

/// Somebody voted.
pub fn vote(elevation: &Elevation, vote: &Vote) -> Entry {
    let (kind, verb) = match vote.approved {
        true => (Kind::Approval, "approved"),
        false => (Kind::Denial, "denied"),
    };
    let message = format!(
        "{} {verb} request {} by {}",
        vote.voter,
        elevation.id,
        who(elevation)
    );
    with_factor(about(elevation, kind, message), vote.factor)
        .with("ELEVATE_APPROVER", &vote.voter)
        .with("ELEVATE_APPROVER_UID", vote.uid.to_string())
        .with("ELEVATE_REASON", &vote.comment)
        .with("ELEVATE_DIGEST", elevation.digest.to_string())
        .with("ELEVATE_OUTCOME", verb)
}

/// A request ended without a grant; none where a vote's own entry says it.
pub fn closing(elevation: &Elevation, outcome: Closing) -> Option<Entry> {
    let (kind, word, verb) = match outcome {
        Closing::Denied => return None,
        Closing::Withdrawn => (Kind::Withdrawal, "withdrawn", "was taken back"),
        Closing::TimedOut => (Kind::Timeout, "timed-out", "found no approval in time"),
        Closing::Changed => (
            Kind::Refusal,
            "changed",
            "lapsed because the policy changed",
        ),
    };
    let message = format!("request {} {verb}: {}", elevation.id, who(elevation));
    Some(about(elevation, kind, message).with("ELEVATE_OUTCOME", word))
}

/// A grant begins.
pub fn grant(elevation: &Elevation) -> Entry {
    let message = format!("grant {} to {}", elevation.id, who(elevation));
    let voters: Vec<&str> = elevation
        .votes
        .iter()
        .map(|vote| vote.voter.as_str())
        .collect();
    with_factor(about(elevation, Kind::Grant, message), elevation.factor)
        .with("ELEVATE_APPROVER", voters.join(" "))
        .with("ELEVATE_DURATION", seconds(elevation.asked.duration))
        .with("ELEVATE_OUTCOME", "granted")
}

/// The command runs.
pub fn start(elevation: &Elevation) -> Entry {
    let message = format!("session {} started for {}", elevation.id, who(elevation));
    let entry = about(elevation, Kind::Start, message).with("ELEVATE_OUTCOME", "running");
    match elevation.processes {
        Some((leader, pid)) => entry
            .with("ELEVATE_LEADER", leader.to_string())
            .with("ELEVATE_PID", pid.to_string()),
        None => entry,
    }
}

/// A process of the session is about to execute something.
pub fn exec(elevation: &Elevation, exec: &Exec) -> Entry {
    let argv = escape::command(exec.argv.iter().map(|word| &word[..]));
    let more = if exec.cut { " …" } else { "" };
    let message = format!("session {} executes {argv}{more}", elevation.id);
    about(elevation, Kind::Exec, message)
        .with("ELEVATE_PATH", &exec.path)
        .with_shown("ELEVATE_ARGV", format!("{argv}{more}"))
        .with("ELEVATE_CWD", &exec.cwd)
        .with(
            "ELEVATE_REAL_PATH",
            exec.real.as_deref().unwrap_or_default(),
        )
        .with("ELEVATE_PID", exec.pid.to_string())
        .with("ELEVATE_PPID", exec.ppid.to_string())
        .with("ELEVATE_EXEC_UID", exec.uid.to_string())
        .with("ELEVATE_EXEC_NUMBER", exec.number.to_string())
        .with(
            "ELEVATE_EXEC_ABI",
            if exec.compat { "compat" } else { "native" },
        )
        .with(
            "ELEVATE_OUTCOME",
            if exec.denied { "denied" } else { "logged" },
        )
}

/// An exec that was put on record did not happen, as far as `/proc` shows.
pub fn exec_failed(elevation: &Elevation, number: u64) -> Entry {
    let message = format!("exec {number} of session {} failed", elevation.id);
    about(elevation, Kind::ExecFailed, message)
        .with("ELEVATE_EXEC_NUMBER", number.to_string())
        .with("ELEVATE_OUTCOME", "failed")
}

/// A session's terminal is held until a code is given, or goes on.
pub fn held(elevation: &Elevation, held: bool) -> Entry {
    let (outcome, how) = match held {
        true => ("held", "is held until a code is given"),
        false => ("released", "goes on"),
    };
    let message = format!("the terminal of session {} {how}", elevation.id);
    about(elevation, Kind::Held, message).with("ELEVATE_OUTCOME", outcome)
}

/// `session` may last longer, by what `extension` asked for.
pub fn extend(session: &Elevation, extension: &Elevation) -> Entry {
    let message = format!("session {} may last longer", session.id);
    let deadline = session.deadline.unwrap_or_default();
    let deadline = session.requested.wall_at(deadline);
    let entry = about(session, Kind::Extend, message)
        .with("ELEVATE_EXTENSION", extension.id.as_str())
        .with(
            "ELEVATE_REASON",
            extension.asked.reason.as_deref().unwrap_or_default(),
        )
        .with("ELEVATE_DEADLINE", deadline.to_string());
    with_factor(entry, extension.factor)
}

/// `watcher` begins or ends to watch a session.
pub fn watch(elevation: &Elevation, (watcher, uid): (&str, u32), begins: bool) -> Entry {
    let (outcome, how) = match begins {
        true => ("began", "watches"),
        false => ("ended", "watches no more"),
    };
    let name = escape::line(watcher.as_bytes());
    let message = format!("{name} {how} session {}", elevation.id);
    about(elevation, Kind::Watch, message)
        .with("ELEVATE_WATCHER", watcher)
        .with("ELEVATE_WATCHER_UID", uid.to_string())
        .with("ELEVATE_OUTCOME", outcome)
}

/// A file was changed by an edit.
pub fn edit(elevation: &Elevation, edited: &Edited) -> Entry {
    let outcome = if edited.cut { "cut" } else { "whole" };
    of_edit(elevation, edited, "changed", outcome)
}

/// A file was about to be changed by an edit whose leader then went, or could not put it back.
pub fn edit_interrupted(elevation: &Elevation, edited: &Edited) -> Entry {
    of_edit(elevation, edited, "may have changed", "interrupted")
}

fn of_edit(elevation: &Elevation, edited: &Edited, did: &str, outcome: &str) -> Entry {
    let path = escape::line(&edited.path);
    let message = format!("session {} {did} {path}", elevation.id);
    about(elevation, Kind::Edit, message)
        .with("ELEVATE_PATH", &edited.path)
        .with(
            "ELEVATE_SHA256_BEFORE",
            edited.before.as_deref().unwrap_or_default(),
        )
        .with("ELEVATE_SHA256_AFTER", &edited.after)
        .with_shown("ELEVATE_DIFF", lines(&edited.diff))
        .with("ELEVATE_OUTCOME", outcome)
}

/// `text` with its lines and tabs, so that a diff stays one; all else is escaped.
fn lines(text: &str) -> String {
    let kept = |c| matches!(c, '\n' | '\t');
    let escaped = |piece: &str| {
        let end = piece.trim_start_matches(|c| !kept(c));
        escape::line(piece.trim_end_matches(kept).as_bytes()) + end
    };
    text.split_inclusive(kept).map(escaped).collect()
}

/// The session is over, or could not begin.
pub fn end(elevation: &Elevation) -> Entry {
    let (outcome, status, detail) = match &elevation.stage {
        Stage::Over(end) => (end.reason.word(), end.status.map(status), String::new()),
        Stage::Failed { message, .. } => ("failed", None, escape::line(message.as_bytes())),
        _ => ("unknown", None, String::new()),
    };
    let shown = status.as_deref().unwrap_or(&detail);
    let message = format!("session {} ended ({outcome}) {shown}", elevation.id);
    about(elevation, Kind::End, message.trim_end().to_owned())
        .with("ELEVATE_OUTCOME", outcome)
        .with("ELEVATE_STATUS", status.unwrap_or_default())
        .with_shown("ELEVATE_REASON", detail)
        .with("ELEVATE_EXECS", elevation.execs.to_string())
}

/// Somebody ends a grant.
pub fn revoke(elevation: &Elevation, by: &str, reason: &str) -> Entry {
    let message = format!("{by} revoked grant {} of {}", elevation.id, who(elevation));
    about(elevation, Kind::Revoke, message)
        .with("ELEVATE_APPROVER", by)
        .with("ELEVATE_REASON", reason)
        .with("ELEVATE_OUTCOME", "revoked")
}

/// The policy, or something else of ours, said no before there was an elevation.
pub fn refused_ask(
    id: Id,
    (user, uid): (&str, u32),
    target: &str,
    argv: &[elevate_protocol::Bytes],
    why: &str,
) -> Entry {
    let command = escape::command(argv.iter().map(|word| &word[..]));
    let shown = (
        escape::line(user.as_bytes()),
        escape::line(target.as_bytes()),
    );
    let message = format!("refused {} as {}: {command}: {why}", shown.0, shown.1);
    Entry::new(Kind::Refusal, message)
        .with("ELEVATE_REQUEST", id.as_str())
        .with("ELEVATE_USER", user)
        .with("ELEVATE_UID", uid.to_string())
        .with("ELEVATE_TARGET", target)
        .with_shown("ELEVATE_COMMAND", command)
        .with("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", "refused")
}

/// A vote, a revocation or a look that does not count.
pub fn refused_vote(id: &str, (user, uid): (&str, u32), action: &str, why: &str) -> Entry {
    let message = format!(
        "refused {} to {action} {}: {why}",
        escape::line(user.as_bytes()),
        escape::line(id.as_bytes())
    );
    Entry::new(Kind::Refusal, message)
        .with("ELEVATE_REQUEST", id)
        .with("ELEVATE_USER", user)
        .with("ELEVATE_UID", uid.to_string())
        .with("ELEVATE_COMMAND", action)
        .with("ELEVATE_REASON", why)
        .with("ELEVATE_OUTCOME", "refused")
}

/// A policy is in force.
pub fn policy_loaded(files: &[String], rules: usize) -> Entry {
    Entry::new(
        Kind::PolicyLoaded,
        format!("policy loaded: {rules} rules from {}", files.join(" ")),
    )
    .with("ELEVATE_OUTCOME", "loaded")
    .with("ELEVATE_PATH", files.join(" "))
}

/// A policy is not believed; the last good one stays in force.
pub fn policy_refused(why: &str) -> Entry {
    Entry::new(
        Kind::PolicyRefused,
        format!("policy refused, the last good one stays: {why}"),
    )
    .with("ELEVATE_OUTCOME", "refused")
    .with("ELEVATE_REASON", why)
}

/// The settings are not believed; the last good ones stay in force.
pub fn settings_refused(why: &str) -> Entry {
    Entry::new(
        Kind::PolicyRefused,
        format!("settings refused, the last good ones stay: {why}"),
    )
    .with("ELEVATE_OUTCOME", "refused")
    .with("ELEVATE_REASON", why)
}

/// Somebody was handed a recording.
pub fn recording_read(id: Id, (user, uid): (&str, u32)) -> Entry {
    let message = format!(
        "{} reads the recording of session {id}",
        escape::line(user.as_bytes())
    );
    Entry::new(Kind::RecordingRead, message)
        .with("ELEVATE_REQUEST", id.as_str())
        .with("ELEVATE_USER", user)
        .with("ELEVATE_UID", uid.to_string())
        .with("ELEVATE_OUTCOME", "read")
}

/// Entries that the journal did not take in time.
pub fn lost(entries: u64) -> Entry {
    Entry::new(
        Kind::Refusal,
        format!("{entries} entries were lost: the journal took none"),
    )
    .with("ELEVATE_OUTCOME", "lost")
}

fn status(status: Status) -> String {
    match status {
        Status::Exited(code) => format!("exit {code}"),
        Status::Signaled(signal) => format!("signal {signal}"),
    }
}

fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}
