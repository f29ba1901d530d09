//! An elevation as the properties of its request, grant and session objects. What users wrote is
//! escaped, but for the words of the command, which are bytes.

use std::collections::HashMap;

use elevate_protocol::escape::line;
use elevate_protocol::launch::{File, Record};
use elevate_protocol::stream::Status;
use zbus::{OwnedVariant, Variant};

use crate::clock::Moment;
use crate::daemon::Daemon;
use crate::elevation::{Elevation, End, Stage};

/// Which of the three objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// `/request/ID`.
    Request,
    /// `/grant/ID`.
    Grant,
    /// `/session/ID`.
    Session,
}

/// Names and D-Bus types of the properties of each view.
pub(super) fn signature(view: View) -> &'static [(&'static str, &'static str)] {
    match view {
        View::Request => &[
            ("Id", "s"),
            ("User", "s"),
            ("Uid", "u"),
            ("TargetUser", "s"),
            ("TargetGroup", "s"),
            ("Argv", "aay"),
            ("Path", "s"),
            ("Interpreter", "s"),
            ("FileHash", "s"),
            ("Cwd", "s"),
            ("Environment", "as"),
            ("Stdin", "s"),
            ("Reason", "s"),
            ("Rule", "s"),
            ("State", "s"),
            ("Needed", "u"),
            ("Agreed", "u"),
            ("Approvers", "as"),
            ("Votes", "a(sbst)"),
            ("Requested", "t"),
            ("Expires", "t"),
            ("Duration", "t"),
            ("Digest", "s"),
            ("Host", "s"),
            ("Extends", "s"),
        ],
        View::Grant => &[
            ("Id", "s"),
            ("User", "s"),
            ("TargetUser", "s"),
            ("Rule", "s"),
            ("Command", "s"),
            ("Begun", "t"),
            ("Deadline", "t"),
            ("State", "s"),
            ("EndReason", "s"),
        ],
        View::Session => &[
            ("Id", "s"),
            ("User", "s"),
            ("TargetUser", "s"),
            ("Command", "s"),
            ("Rule", "s"),
            ("State", "s"),
            ("Leader", "i"),
            ("Pid", "i"),
            ("Terminal", "b"),
            ("Recorded", "b"),
            ("Begun", "t"),
            ("Deadline", "t"),
            ("Ended", "t"),
            ("Outcome", "s"),
            ("Execs", "t"),
        ],
    }
}

/// Every property of a view of `elevation`.
pub(super) fn all(
    daemon: &Daemon,
    view: View,
    elevation: &Elevation,
) -> HashMap<String, OwnedVariant> {
    let values = match view {
        View::Request => request(daemon, elevation),
        View::Grant => grant(elevation),
        View::Session => session(elevation),
    };
    let owned = |(name, value): (&str, Variant<'static>)| {
        // Only file descriptors can fail to be cloned, and there are none.
        Some((name.to_owned(), OwnedVariant::try_from(value).ok()?))
    };
    values.into_iter().filter_map(owned).collect()
}

type Values = Vec<(&'static str, Variant<'static>)>;

fn request(daemon: &Daemon, e: &Elevation) -> Values {
    let asked = &e.asked;
    let argv: Vec<Vec<u8>> = asked.argv.iter().map(|word| word.0.clone()).collect();
    let votes: Vec<(String, bool, String, u64)> = e
        .votes
        .iter()
        .map(|vote| {
            (
                vote.voter.clone(),
                vote.approved,
                line(vote.comment.as_bytes()),
                vote.at.wall,
            )
        })
        .collect();
    let paths: Vec<String> = asked
        .subject
        .paths()
        .into_iter()
        .map(|path| line(path))
        .collect();
    let file = asked.subject.command();
    let interpreter = |file: &File| line(&file.real);
    vec![
        ("Id", e.id.to_string().into()),
        ("User", line(asked.caller.account.name.as_bytes()).into()),
        ("Uid", asked.caller.account.uid.into()),
        ("TargetUser", line(asked.target.name.as_bytes()).into()),
        (
            "TargetGroup",
            asked.target_group.clone().unwrap_or_default().into(),
        ),
        ("Argv", argv.into()),
        ("Path", paths.join(" ").into()),
        (
            "Interpreter",
            file.and_then(|file| file.interpreter.as_deref())
                .map(interpreter)
                .unwrap_or_default()
                .into(),
        ),
        (
            "FileHash",
            file.and_then(|file| file.sha256.clone())
                .unwrap_or_default()
                .into(),
        ),
        ("Cwd", line(&asked.cwd).into()),
        (
            "Environment",
            asked
                .environment
                .iter()
                .map(|v| line(v))
                .collect::<Vec<_>>()
                .into(),
        ),
        (
            "Stdin",
            format!("{:?}", asked.stdio[0]).to_lowercase().into(),
        ),
        (
            "Reason",
            line(asked.reason.as_deref().unwrap_or_default().as_bytes()).into(),
        ),
        (
            "Ticket",
            line(asked.ticket.as_deref().unwrap_or_default().as_bytes()).into(),
        ),
        ("Factor", e.factor.word().into()),
        ("Rule", e.rule.clone().into()),
        ("State", e.request_state().into()),
        ("Needed", e.needed.into()),
        ("Agreed", e.agreed().into()),
        ("Each", e.each.into()),
        ("Approvers", e.approvers.clone().into()),
        ("Votes", votes.into()),
        ("Requested", e.requested.wall.into()),
        ("Expires", e.requested.wall_at(e.expires).into()),
        ("Duration", (asked.duration.as_millis() as u64).into()),
        ("Digest", e.digest.to_string().into()),
        ("Host", daemon.host.name.clone().into()),
        (
            "Extends",
            e.extends
                .map(|id| id.to_string())
                .unwrap_or_default()
                .into(),
        ),
    ]
}

fn grant(e: &Elevation) -> Values {
    vec![
        ("Id", e.id.to_string().into()),
        ("User", line(e.asked.caller.account.name.as_bytes()).into()),
        ("TargetUser", line(e.asked.target.name.as_bytes()).into()),
        ("Rule", e.rule.clone().into()),
        ("Command", e.command().into()),
        ("Begun", begun(e).into()),
        ("Deadline", deadline(e).into()),
        ("State", if e.is_live() { "active" } else { "ended" }.into()),
        ("EndReason", end_reason(e).into()),
    ]
}

fn session(e: &Elevation) -> Values {
    let (leader, pid) = e.processes.unwrap_or_default();
    vec![
        ("Id", e.id.to_string().into()),
        ("User", line(e.asked.caller.account.name.as_bytes()).into()),
        ("TargetUser", line(e.asked.target.name.as_bytes()).into()),
        ("Command", e.command().into()),
        ("Rule", e.rule.clone().into()),
        ("State", e.session_state().unwrap_or("none").into()),
        ("Leader", leader.into()),
        ("Pid", pid.into()),
        ("Terminal", e.asked.window.is_some().into()),
        ("Recorded", (e.terms.record != Record::None).into()),
        ("Begun", begun(e).into()),
        ("Deadline", deadline(e).into()),
        ("Ended", ended(e).map_or(0, |end| end.at.wall).into()),
        ("Outcome", outcome(e).into()),
        ("Execs", e.execs.into()),
    ]
}

fn begun(e: &Elevation) -> u64 {
    e.begun.map_or(0, |begun| begun.wall)
}

fn deadline(e: &Elevation) -> u64 {
    let at = |begun: Moment| e.deadline.map(|deadline| begun.wall_at(deadline));
    e.begun.and_then(at).unwrap_or(0)
}

fn ended(e: &Elevation) -> Option<&End> {
    match &e.stage {
        Stage::Over(end) => Some(end),
        _ => None,
    }
}

fn end_reason(e: &Elevation) -> String {
    match &e.stage {
        Stage::Over(end) => end.reason.word().to_owned(),
        Stage::Failed { message, .. } => format!("failed: {}", line(message.as_bytes())),
        _ => String::new(),
    }
}

fn outcome(e: &Elevation) -> String {
    let status = ended(e)
        .and_then(|end| end.status)
        .map(|status| match status {
            Status::Exited(code) => format!("exit {code}"),
            Status::Signaled(signal) => format!("signal {signal}"),
        });
    match (end_reason(e), status) {
        (reason, Some(status)) if reason == "finished" => status,
        (reason, Some(status)) => format!("{reason}, {status}"),
        (reason, None) => reason,
    }
}
