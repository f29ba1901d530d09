//! `elevatectl policy why`: what the loaded policy says, rule by rule.

use std::collections::HashMap;

use elevate_policy::{Considered, Decision, Mfa, Outcome, Verdict};
use elevate_protocol::bus::{ask, why};
use elevate_protocol::launch::Resolution;
use serde::Deserialize;
use zbus::Variant;

use super::output;
use super::text::{duration, escaped};
use crate::bus::{Ask, block_on, call, connect};
use crate::cli::WhyArguments;
use crate::elevate::ask::{folder, words};
use crate::failure::Failure;

/// What `Manager.Why` answers.
#[derive(Debug, Deserialize)]
struct Answer {
    user: String,
    target: String,
    file: Option<Resolution>,
    verdict: Option<Verdict>,
}

/// Ask, and explain.
pub(super) fn why(asked: &WhyArguments) -> Result<(), Failure> {
    let question = question(asked)?;
    let json: String = block_on(async {
        let reply = call(&connect().await?, "Why", &(question,)).await?;
        Ok(reply.body().deserialize()?)
    })?;
    let unreadable = |error| Failure::new(format!("elevated answered in an unknown form: {error}"));
    if asked.json {
        let value: serde_json::Value = serde_json::from_str(&json).map_err(unreadable)?;
        return output::json(&value);
    }
    let answer: Answer = serde_json::from_str(&json).map_err(unreadable)?;
    output::write(explanation(&answer).as_bytes())
}

fn question(asked: &WhyArguments) -> Result<Ask, Failure> {
    let mut question: Ask = HashMap::from([
        (ask::ARGV, Variant::new(words(&asked.command)?)),
        (ask::CWD, Variant::new(folder()?)),
    ]);
    let texts = [
        (ask::USER, &asked.target),
        (ask::GROUP, &asked.group),
        (ask::RULE, &asked.rule),
        (why::USER, &asked.caller),
        (why::HOST, &asked.host),
        (why::FROM, &asked.from),
        (why::SERVICE, &asked.via),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            question.insert(key, Variant::new(text.clone()));
        }
    }
    if let Some(at) = asked.at {
        let before = |_| Failure::usage("--at: before 1970 nothing was asked");
        let at = u64::try_from(at.as_millisecond()).map_err(before)?;
        question.insert(why::AT, Variant::new(at));
    }
    Ok(question)
}

fn explanation(answer: &Answer) -> String {
    let (user, target) = (escaped(&answer.user), escaped(&answer.target));
    let mut lines = vec![format!(
        "{user} as {target}, {}",
        file(answer.file.as_ref())
    )];
    if let Some(verdict) = &answer.verdict {
        lines.extend(decision(&verdict.decision));
        lines.extend(verdict.considered.iter().map(considered));
    }
    lines.join("\n") + "\n"
}

fn file(resolution: Option<&Resolution>) -> String {
    let shown = |path: &[u8]| elevate_protocol::escape::line(path);
    match resolution {
        Some(Resolution::Found(file)) => format!("file {}", shown(&file.path)),
        Some(Resolution::NotExecutable(path)) => {
            format!(
                "file {}, which {} cannot execute",
                shown(path),
                "the target"
            )
        }
        Some(Resolution::Failed(why)) => format!("file not looked up: {}", escaped(why)),
        Some(Resolution::Editable(file)) => format!("file {}", shown(&file.path)),
        Some(Resolution::NotEditable(why)) => {
            format!("a file that is not edited: {}", escaped(why))
        }
        Some(Resolution::NotFound) => "no such command".to_owned(),
        // What there is, only those learn who may run it.
        None => "no file to be run".to_owned(),
    }
}

fn decision(decision: &Decision) -> Vec<String> {
    match decision {
        Decision::Denied(denial) => vec![
            format!("denied: {}", escaped(&denial.message)),
            format!("  {}", escaped(&denial.advice)),
        ],
        Decision::Allowed(allowed) => {
            let milliseconds = |time: std::time::Duration| time.as_millis() as u64;
            let granted = duration(milliseconds(allowed.limit.granted));
            let max = duration(milliseconds(allowed.limit.max));
            let rule = escaped(allowed.rule.as_ref());
            let mut lines = vec![format!("allowed by {rule} for {granted}, at most {max}")];
            if let Some(until) = allowed.limit.until {
                lines.push(format!("  until {until} in any case"));
            }
            let owed = &allowed.owed;
            if owed.approvals > 0 {
                lines.push(match owed.approvals {
                    number if owed.each => {
                        format!("  owed: an approval by each of the {number} approvers")
                    }
                    1 => "  owed: an approval by somebody else".into(),
                    number => format!("  owed: approvals by {number} other people"),
                });
            }
            match owed.mfa {
                Some(Mfa::Always) => lines.push("  owed: a verification code".into()),
                Some(Mfa::Within(age)) => {
                    let age = duration(milliseconds(age));
                    lines.push(format!("  owed: a verification code of the last {age}"));
                }
                None => {}
            }
            if let Some(ticket) = &allowed.ticket {
                let like = escaped(&ticket.to_string());
                lines.push(format!("  owed: a ticket like {like} (--ticket ID)"));
            }
            if owed.reason {
                lines.push("  owed: a reason (--reason TEXT)".into());
            }
            lines
        }
    }
}

fn considered(considered: &Considered) -> String {
    let rule = escaped(considered.rule.as_ref());
    let place = escaped(&considered.place.to_string());
    let outcome = match &considered.outcome {
        Outcome::Matched => "matches".to_owned(),
        Outcome::MatchedUnsure => {
            "matches, because a membership or a login could not be found out".to_owned()
        }
        Outcome::NotMatched { condition, detail } => {
            format!(
                "does not match, by `{}`: {}",
                condition.key(),
                escaped(detail)
            )
        }
    };
    format!("rule {rule} ({place}) {outcome}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_says_why_it_does_not_match() {
        let answer: Answer = serde_json::from_value(serde_json::json!({
            "user": "alice", "target": "root", "file": Resolution::NotFound,
            "verdict": {
                "decision": {"denied": {
                    "kind": "not_allowed", "message": "no rule allows it", "advice": "ask\u{1b}[1m"
                }},
                "decided_by": null,
                "considered": [{
                    "rule": "restart", "effect": "allow",
                    "place": {"file": "a.toml", "line": 3, "column": 1},
                    "outcome": {
                        "outcome": "not_matched", "condition": "run_as", "detail": "not as root"
                    }
                }]
            }
        }))
        .unwrap();
        assert_eq!(
            explanation(&answer),
            "alice as root, no such command\n\
             denied: no rule allows it\n  ask\\x1b[1m\n\
             rule restart (a.toml:3:1) does not match, by `run_as`: not as root\n"
        );
    }

    #[test]
    fn what_is_owed_is_told_with_the_age_a_code_may_have() {
        let allowed = |mfa: serde_json::Value| {
            let answer: Answer = serde_json::from_value(serde_json::json!({
                "user": "alice", "target": "root", "file": null,
                "verdict": {
                    "decision": {"allowed": {
                        "rule": "restart",
                        "owed": {"approvals": 0, "mfa": mfa, "reason": true},
                        "limit": {"granted_ms": 60_000, "max_ms": 60_000, "tasks": null},
                        "session": {"record": "output", "execs": "log", "keep_env": []}
                    }},
                    "decided_by": "restart",
                    "considered": []
                }
            }))
            .unwrap();
            let told = explanation(&answer);
            told.lines().skip(2).map(str::to_owned).collect::<Vec<_>>()
        };
        let reason = "  owed: a reason (--reason TEXT)";
        assert_eq!(allowed(serde_json::Value::Null), [reason]);
        let always = allowed("always".into());
        assert_eq!(always, ["  owed: a verification code", reason]);
        let within = allowed(serde_json::json!({"within_ms": 900_000}));
        assert_eq!(
            within,
            ["  owed: a verification code of the last 15m", reason]
        );
    }
}
