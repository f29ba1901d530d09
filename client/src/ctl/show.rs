//! A request in full: everything that a vote on it covers.

use elevate_protocol::{Id, escape};

use super::objects::{self, Request};
use super::output::{self, Style};
use super::text::{duration, escaped, left, or_dash, time};
use crate::bus::{block_on, connect};
use crate::failure::Failure;

/// `elevatectl show ID`
pub(super) fn show(id: Id, json: bool) -> Result<(), Failure> {
    let request = block_on(async { objects::request(&connect().await?, id).await })?;
    match json {
        true => output::json(&request),
        false => output::write(full(&request, Style::of_output()).as_bytes()),
    }
}

/// The request for people. Every word of the command stands on a line of its own, so that no word
/// can pretend to be two.
pub(super) fn full(request: &Request, style: Style) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, text: String| {
        lines.push(format!("{} {text}\n", style.bold(&format!("{name:<12}"))));
    };
    line(
        "request",
        format!("{} on {}", escaped(&request.id), escaped(&request.host)),
    );
    line("state", state(request));
    line(
        "who",
        format!("{} (uid {})", escaped(&request.user), request.uid),
    );
    line("as whom", target(request));
    if !request.extends.is_empty() {
        let session = escaped(&request.extends);
        line("extends", format!("session {session}, which runs already"));
    }
    line("runs", file(request));
    for (number, word) in request.argv.iter().enumerate() {
        line(&format!("  word {number}"), escape::word(word));
    }
    line("in folder", escaped(&request.cwd));
    line("input", or_dash(escaped(&request.stdin)));
    for variable in &request.environment {
        line("environment", escaped(variable));
    }
    line("for", duration(request.duration));
    line("reason", or_dash(escaped(&request.reason)));
    line("ticket", or_dash(escaped(&request.ticket)));
    line("factor", factor(&request.factor));
    line("rule", escaped(&request.rule));
    line("asked", time(request.requested));
    let approvers: Vec<_> = request.approvers.iter().map(|name| escaped(name)).collect();
    let approvers = or_dash(approvers.join(", "));
    line(
        "approvers",
        match request.each {
            true => format!("one of each: {approvers}"),
            false => approvers,
        },
    );
    for (voter, approved, comment, at) in &request.votes {
        line("vote", vote(voter, *approved, comment, *at));
    }
    lines.concat()
}

fn state(request: &Request) -> String {
    let state = escaped(&request.state);
    if request.state != "waiting" {
        return state;
    }
    let (agreed, needed) = (request.agreed, request.needed);
    let left = left(request.expires);
    format!("{state}, {agreed} of {needed} approvals, {left} left")
}

/// The requester's second factor; a word of a newer daemon's as it is.
fn factor(word: &str) -> String {
    let meaning = match word {
        "none" => "no code was owed",
        "totp" => "a code was given for it",
        "recovery" => "a recovery code was given for it",
        "fresh" => "a code that was given shortly before",
        other => return or_dash(escaped(other)),
    };
    meaning.to_owned()
}

fn target(request: &Request) -> String {
    let user = escaped(&request.target_user);
    match request.target_group.as_str() {
        "" => user,
        group => format!("{user}, group {}", escaped(group)),
    }
}

fn file(request: &Request) -> String {
    let mut text = escaped(&request.path);
    if !request.interpreter.is_empty() {
        text += &format!(", a script for {}", escaped(&request.interpreter));
    }
    if !request.file_hash.is_empty() {
        text += &format!(", sha256 {}", escaped(&request.file_hash));
    }
    text
}

fn vote(voter: &str, approved: bool, comment: &str, at: u64) -> String {
    let word = if approved { "approved" } else { "denied" };
    let comment = match comment {
        "" => String::new(),
        comment => format!(": {}", escaped(comment)),
    };
    format!("{} {word} at {}{comment}", escaped(voter), time(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Request {
        Request {
            id: "k7m2x9qd".into(),
            user: "alice".into(),
            uid: 1000,
            target_user: "root".into(),
            argv: vec![
                b"sh".to_vec(),
                b"-c".to_vec(),
                b"true\nstate        granted\x1b[1A \xff".to_vec(),
                "\u{202e}cod.exe".into(),
            ],
            path: "/usr/bin/sh".into(),
            cwd: "/tmp/\\x1b[2J".into(),
            reason: "fix\x07\u{200b}".into(),
            state: "waiting".into(),
            needed: 1,
            environment: vec!["LANG=C\nLD_PRELOAD=x".into()],
            votes: vec![("bob".into(), false, "no\rway".into(), 0)],
            host: "web1".into(),
            extends: String::new(),
            ..Request::default()
        }
    }

    #[test]
    fn a_hostile_request_cannot_forge_a_line_or_steer_the_terminal() {
        let text = full(&hostile(), Style::PLAIN);
        let steering = |c: char| c.is_control() && c != '\n';
        assert!(!text.chars().any(steering), "{text:?}");
        assert!(!text.contains('\u{202e}') && !text.contains('\u{200b}'));
        let states = text.lines().filter(|line| line.starts_with("state"));
        assert_eq!(states.count(), 1);
        assert!(
            text.contains("$'true\\nstate        granted\\x1b[1A \\xff'"),
            "{text}"
        );
        assert!(text.contains("LANG=C\\nLD_PRELOAD=x"));
        assert!(text.contains("in folder    /tmp/\\x1b[2J"), "{text}");
        assert!(text.contains("bob denied at -: no\\rway"));
    }

    #[test]
    fn every_word_has_a_line_of_its_own() {
        let text = full(&hostile(), Style::PLAIN);
        let words = text.lines().filter(|line| line.starts_with("  word "));
        assert_eq!(words.count(), 4);
    }

    #[test]
    fn json_keeps_every_byte() {
        let json = serde_json::to_value(hostile()).unwrap();
        assert_eq!(json["argv"][1], "-c");
        assert!(json["argv"][2].is_array(), "not UTF-8: {json}");
        assert_eq!(json["votes"][0]["approved"], false);
        assert_eq!(json["target_user"], "root");
    }
}
