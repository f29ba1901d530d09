//! Rules as `elevate -l` tells them.

use std::time::Duration;

use elevate_policy::{
    Allowance, Effect, Execs, Listed, Mfa, OnFull, Owed, Record, RuleLimit, SessionSettings, Ticket,
};
use serde::Deserialize;

use crate::ctl::text;

/// What `Manager.ListRules` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Rules {
    user: String,
    host: String,
    pub(super) rules: Vec<Listed>,
}

impl Rules {
    /// Whose they are, and where.
    pub(super) fn named(&self) -> (String, String) {
        (text::escaped(&self.user), text::escaped(&self.host))
    }

    fn of(&self, effect: Effect) -> Vec<&Listed> {
        let rules = self.rules.iter();
        rules.filter(|rule| rule.effect == effect).collect()
    }
}

/// All of them: a line to a command, or with `long` all that is known of each rule.
pub(super) fn all(rules: &Rules, long: bool) -> String {
    let (user, host) = rules.named();
    let parts = [
        (Effect::Allow, format!("{user} may run on {host}:\n")),
        (Effect::Deny, format!("{user} may not run on {host}:\n")),
    ];
    let mut text = String::new();
    for (effect, heading) in parts {
        let rules = rules.of(effect);
        if !rules.is_empty() {
            text += &heading;
        }
        for rule in rules {
            text += &match long {
                true => at_length(rule),
                false => in_short(rule),
            };
        }
    }
    text
}

/// Under which terms a command may be run.
pub(super) fn allowed(allowance: &Allowance) -> String {
    let limit = &allowance.limit;
    let lines = [
        field("Rule", text::escaped(allowance.rule.as_ref())),
        field(
            "Owed",
            owed(&allowance.owed, &[], allowance.ticket.as_ref()),
        ),
        field("Time", time(limit.granted, limit.max)),
        limit
            .until
            .map_or_else(String::new, |until| field("Until", until.to_string())),
        field("Session", session(&allowance.session)),
    ];
    lines.concat()
}

fn in_short(rule: &Listed) -> String {
    let run_as = escaped(&rule.run_as).join(", ");
    let owed = rule
        .owed
        .as_ref()
        .map(|terms| owed(terms, &rule.approvers, rule.ticket.as_ref()));
    let mut terms = conditions(rule);
    terms.extend(owed.filter(|owed| !owed.is_empty()));
    let terms = match terms.is_empty() {
        true => String::new(),
        false => format!("  [{}]", terms.join("; ")),
    };
    let edits = escaped(&rule.edit).into_iter();
    let edits = edits.map(|path| format!("edit {path}"));
    let lines = escaped(&rule.commands).into_iter().chain(edits);
    let lines = lines.map(|what| format!("    ({run_as}) {what}{terms}\n"));
    lines.collect()
}

fn at_length(rule: &Listed) -> String {
    let mut lines = vec![format!("\n  {}\n", text::escaped(rule.rule.as_ref()))];
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(field(name, value));
        }
    };
    put(
        "For",
        text::escaped(rule.description.as_deref().unwrap_or_default()),
    );
    put("As", escaped(&rule.run_as).join(", "));
    put("Commands", indented(&rule.commands));
    put("Edits", indented(&rule.edit));
    put("When", indented(&conditions(rule)));
    if let Some(terms) = &rule.owed {
        put("Owed", owed(terms, &rule.approvers, rule.ticket.as_ref()));
    }
    if let Some(limit) = &rule.limit {
        put("Time", time(limit.default, limit.max));
        put("Bounds", bounds(limit));
    }
    if let Some(settings) = &rule.session {
        put("Session", session(settings));
    }
    lines.concat()
}

/// Where, when and how it holds: `hosts: db-*`.
fn conditions(rule: &Listed) -> Vec<String> {
    let conditions = rule.when.iter();
    let told = conditions.map(|(key, words)| match (key.as_str(), words.as_slice()) {
        ("terminal", [yes]) if yes == "true" => "at a terminal".to_owned(),
        ("terminal", _) => "without a terminal".to_owned(),
        _ => format!("{}: {}", text::escaped(key), escaped(words).join(", ")),
    });
    told.collect()
}

fn field(name: &str, value: String) -> String {
    format!("    {name:<10}{value}\n")
}

/// One below the other.
fn indented(lines: &[String]) -> String {
    escaped(lines).join(&format!("\n{:14}", ""))
}

fn escaped(texts: &[String]) -> Vec<String> {
    texts.iter().map(|one| text::escaped(one)).collect()
}

/// What comes first: a code, approvals, a ticket, a reason.
fn owed(owed: &Owed, approvers: &[String], ticket: Option<&Ticket>) -> String {
    let code = owed.mfa.map(|mfa| match mfa {
        Mfa::Always => "a code".to_owned(),
        Mfa::Within(age) => format!("a code of the last {}", duration(age)),
    });
    let of = match approvers {
        [] => String::new(),
        names => format!(" of {}", escaped(names).join(", ")),
    };
    let approvals = match owed.approvals {
        0 => None,
        _ if owed.each => Some(format!("an approval of each{of}")),
        1 => Some(format!("an approval{of}")),
        number => Some(format!("{number} approvals{of}")),
    };
    let reason = owed.reason.then(|| "a reason".to_owned());
    let ticket = ticket.map(|like| format!("a ticket like {}", text::escaped(&like.to_string())));
    let parts = [code, approvals, ticket, reason];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn time(usual: Duration, max: Duration) -> String {
    format!("{}, at most {}", duration(usual), duration(max))
}

fn bounds(limit: &RuleLimit) -> String {
    let parts = [
        limit.tasks.map(|tasks| format!("{tasks} tasks")),
        limit.memory.map(|bytes| format!("{bytes} bytes of memory")),
        limit
            .cpu
            .map(|percent| format!("{percent}% of a processor")),
        limit
            .idle
            .map(|idle| format!("held after {} without a key", duration(idle))),
        limit
            .grace
            .map(|grace| format!("SIGTERM {} before the end", duration(grace))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn session(settings: &SessionSettings) -> String {
    let record = match (settings.record, settings.on_full) {
        (Record::None, _) => "not recorded",
        (Record::Output, OnFull::End) => "output recorded",
        (Record::Full, OnFull::End) => "input and output recorded",
        (Record::Output, OnFull::Refuse) => "output recorded, or refused",
        (Record::Full, OnFull::Refuse) => "input and output recorded, or refused",
    };
    let execs = match settings.execs {
        Execs::None => "",
        Execs::Log => "every program on record",
        Execs::Deny => "no further programs",
    };
    let keeps = match settings.keep_env.as_slice() {
        [] => String::new(),
        names => format!("keeps {}", escaped(names).join(" ")),
    };
    let capabilities = settings.capabilities;
    let parts = [
        record.to_owned(),
        execs.to_owned(),
        keeps,
        capabilities.map_or_else(String::new, |some| format!("capabilities {some}")),
        if settings.contain.is_some() {
            "contained".into()
        } else {
            String::new()
        },
        if settings.watched {
            "watched by an auditor".into()
        } else {
            String::new()
        },
    ];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("; ")
}

fn duration(time: Duration) -> String {
    text::duration(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        serde_json::from_value(serde_json::json!({
            "user": "alice", "host": "web1",
            "rules": [
                {
                    "rule": "restart", "effect": "allow", "description": "Bring it \u{1b}[1mback",
                    "run_as": ["root"], "commands": ["/usr/bin/systemctl restart nginx", "SHELL"],
                    "edit": ["/etc/nginx/**"], "approvers": ["role:lead"],
                    "when": {"hosts": ["db-*", "pg1"], "terminal": ["true"]},
                    "owed": {"approvals": 1, "mfa": {"within_ms": 900_000}, "reason": true},
                    "ticket": "OPS-[0-9]+",
                    "limit": {
                        "default_ms": 900_000, "max_ms": 3_600_000, "tasks": 200,
                        "memory": null, "cpu": null, "grace_ms": 10_000, "idle_ms": null
                    },
                    "session": {"record": "full", "execs": "log", "keep_env": ["LANG"]}
                },
                {
                    "rule": "free", "effect": "allow", "description": null,
                    "run_as": ["postgres", "www-data"], "commands": ["ALL"],
                    "edit": [], "approvers": [],
                    "owed": {"approvals": 0, "mfa": null, "reason": false},
                    "limit": null, "session": null
                },
                {
                    "rule": "never", "effect": "deny", "description": null,
                    "run_as": ["ALL"], "commands": ["/usr/bin/passwd ..."],
                    "edit": [], "approvers": [], "owed": null, "limit": null, "session": null
                }
            ]
        }))
        .unwrap()
    }

    #[test]
    fn a_listing_has_a_line_to_a_command_with_what_is_owed() {
        let terms = "  [hosts: db-*, pg1; at a terminal; a code of the last 15m; an approval \
                     of role:lead; a ticket like OPS-[0-9]+; a reason]";
        let wanted = format!(
            "alice may run on web1:\n    \
             (root) /usr/bin/systemctl restart nginx{terms}\n    \
             (root) SHELL{terms}\n    \
             (root) edit /etc/nginx/**{terms}\n    \
             (postgres, www-data) ALL\n\
             alice may not run on web1:\n    \
             (ALL) /usr/bin/passwd ...\n"
        );
        assert_eq!(all(&rules(), false), wanted);
    }

    #[test]
    fn at_length_it_has_all_of_a_rule_and_steers_nothing() {
        let text = all(&rules(), true);
        let wanted = "
  restart
    For       Bring it \\x1b[1mback
    As        root
    Commands  /usr/bin/systemctl restart nginx
              SHELL
    Edits     /etc/nginx/**
    When      hosts: db-*, pg1
              at a terminal
    Owed      a code of the last 15m; an approval of role:lead; a ticket like OPS-[0-9]+; a reason
    Time      15m, at most 1h
    Bounds    200 tasks; SIGTERM 10s before the end
    Session   input and output recorded; every program on record; keeps LANG
";
        assert!(text.contains(wanted), "{text}");
    }
}
