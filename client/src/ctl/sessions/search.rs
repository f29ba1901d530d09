//! `elevatectl sessions search`: text as it stood on the screens of all sessions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use jiff::{Timestamp, Zoned, civil::DateTime};
use regex::{Regex, RegexBuilder};
use serde::Serialize;

use super::appearances::Appearance;
use super::growing::Lines;
use super::scan::scan;
use super::source::{self, Listed};
use super::tape::Tape;
use super::{offset, paint};
use crate::cli::Search;
use crate::ctl::output::{self, Style};
use crate::ctl::text::{escaped, time};
use crate::failure::Failure;

/// Characters of a line that are shown before a match, and after it.
const CONTEXT: usize = 80;

/// `elevatectl sessions search TEXT`
pub(super) fn search(how: &Search) -> Result<(), Failure> {
    let pattern = pattern(how)?;
    let since = how.since.as_deref().map(|text| since(text, &Zoned::now()));
    let since = since.transpose()?;
    let mut failed = 0;
    for listed in source::all()? {
        if !is_wanted(&listed, how.user.as_deref(), since) {
            continue;
        }
        let id = escaped(&listed.id);
        if let Err(failure) = search_one(listed, &pattern, how) {
            // Nobody wants the rest.
            if failure.status == output::NOBODY_READS {
                return Err(failure);
            }
            failed += 1;
            let message = format!("session {id}: {}", failure.message);
            Failure { message, ..failure }.report(crate::ctl::PROGRAM);
        }
    }
    match failed {
        0 => Ok(()),
        1 => Err(Failure::new("1 recording could not be searched to its end")),
        more => Err(Failure::new(format!(
            "{more} recordings could not be searched to their end"
        ))),
    }
}

fn search_one(mut listed: Listed, pattern: &Regex, how: &Search) -> Result<(), Failure> {
    let mut lines = Some(Lines::new(source::recording(listed.session()?)?));
    // Nothing may be written of it yet, and then nothing was shown.
    let Some(mut tape) = Tape::begin(&mut lines)? else {
        return Ok(());
    };
    listed.complete_by(tape.header());
    let user = how.user.as_deref();
    if user.is_some_and(|user| listed.user.as_deref() != Some(user)) {
        return Ok(());
    }
    let tell = |appearance| tell(how.json, &listed, pattern, appearance);
    // No recording may be such that those after it are not searched.
    let scanned = catch_unwind(AssertUnwindSafe(|| scan(&mut tape, pattern, tell)));
    scanned.unwrap_or_else(|_| Err(Failure::new("its terminal can't be emulated")))
}

fn pattern(how: &Search) -> Result<Regex, Failure> {
    let text = how.text.as_deref().unwrap_or_default();
    let pattern = how.regex.clone().unwrap_or_else(|| regex::escape(text));
    let built = RegexBuilder::new(&pattern)
        .case_insensitive(how.ignore_case)
        .build();
    let pattern = built.map_err(|error| Failure::usage(error.to_string()))?;
    match pattern.is_match("") {
        true => Err(Failure::usage("that is found in every line")
            .hint("name some text that is to be found")),
        false => Ok(pattern),
    }
}

/// The time that `text` means, where it is `now`.
fn since(text: &str, now: &Zoned) -> Result<Timestamp, Failure> {
    let ago: Result<jiff::SignedDuration, _> = text.trim_end_matches(" ago").parse();
    if let Ok(ago) = ago {
        let then = now.timestamp().checked_sub(ago.abs());
        return then.map_err(|error| Failure::usage(error.to_string()));
    }
    let civil: Result<DateTime, _> = text.parse();
    let zoned = civil.and_then(|time| time.to_zoned(now.time_zone().clone()));
    zoned.map(|time| time.timestamp()).map_err(|_| {
        let shown = elevate_protocol::escape::line(text.as_bytes());
        Failure::usage(format!("{shown} is no time"))
            .hint("write it as 2h, 2026-11-20 or '2026-11-20 14:30'")
    })
}

/// Whether a recording is to be opened, as far as the daemon says: whose an older one is, it says
/// itself.
fn is_wanted(listed: &Listed, user: Option<&str>, since: Option<Timestamp>) -> bool {
    let begun = listed.begun.and_then(|begun| i64::try_from(begun).ok());
    let early = match (since, begun) {
        (Some(since), Some(begun)) => begun < since.as_millisecond(),
        _ => false,
    };
    let other = match (user, &listed.user) {
        (Some(user), Some(of)) => user != of,
        _ => false,
    };
    !early && !other
}

/// A line that was found, for `--json`.
#[derive(Debug, Serialize)]
struct Found<'a> {
    id: &'a str,
    user: Option<&'a str>,
    target: Option<&'a str>,
    rule: Option<&'a str>,
    command: Option<&'a str>,
    /// When, in milliseconds since 1970.
    at: Option<u64>,
    /// Where in the recording, as `play --from` takes it.
    from: String,
    line: &'a str,
}

fn tell(
    json: bool,
    listed: &Listed,
    pattern: &Regex,
    appearance: Appearance,
) -> Result<(), Failure> {
    let at = listed
        .begun
        .map(|begun| begun + milliseconds(appearance.at));
    let from = offset::show(appearance.at);
    if json {
        return output::compact_json(&Found {
            id: &listed.id,
            user: listed.user.as_deref(),
            target: listed.target.as_deref(),
            rule: listed.rule.as_deref(),
            command: listed.command.as_deref(),
            at,
            from,
            line: &appearance.text,
        });
    }
    let text = |text: &Option<String>| escaped(text.as_deref().unwrap_or("-"));
    let (user, target) = (text(&listed.user), text(&listed.target));
    let (time, id) = (time(at.unwrap_or(0)), escaped(&listed.id));
    if !output::is_terminal() {
        let line = paint::plain(&appearance.text);
        return output::line(&format!("{time}\t{user}\t{target}\t{id}\t{from}\t{line}"));
    }
    let line = excerpt(&appearance.text, pattern, Style::of_output());
    output::line(&format!(
        "{time}  {user} as {target}  {id} --from {from}  {line}"
    ))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The part of `line` around its first match, with every match in it standing out.
fn excerpt(line: &str, pattern: &Regex, style: Style) -> String {
    let Some(first) = pattern.find(line) else {
        return paint::plain(line);
    };
    let before = line[..first.start()].char_indices().rev();
    let start = before
        .take(CONTEXT)
        .last()
        .map_or(first.start(), |(at, _)| at);
    let mut after = line[first.end()..].char_indices().skip(CONTEXT);
    let end = after.next().map_or(line.len(), |(at, _)| first.end() + at);
    let mut text = String::from(if start > 0 { "…" } else { "" });
    let mut done = start;
    for found in pattern.find_iter(line) {
        if found.start() >= done && found.end() <= end {
            text += &paint::plain(&line[done..found.start()]);
            text += &style.bold(&paint::plain(found.as_str()));
            done = found.end();
        }
    }
    text += &paint::plain(&line[done..end]);
    text + if end < line.len() { "…" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how(text: Option<&str>, regex: Option<&str>) -> Search {
        Search {
            text: text.map(str::to_owned),
            regex: regex.map(str::to_owned),
            ignore_case: false,
            user: None,
            since: None,
            json: false,
        }
    }

    #[test]
    fn words_are_found_as_they_are_and_expressions_as_what_they_match() {
        let words = pattern(&how(Some("a.c"), None)).unwrap();
        assert!(words.is_match("a.c") && !words.is_match("abc"));
        let expression = pattern(&how(None, Some("a.c"))).unwrap();
        assert!(expression.is_match("abc") && !expression.is_match("ABC"));
        let any_case = Search {
            ignore_case: true,
            ..how(Some("a.c"), None)
        };
        assert!(pattern(&any_case).unwrap().is_match("A.C"));
    }

    #[test]
    fn a_pattern_that_is_found_everywhere_is_refused() {
        for everywhere in [how(Some(""), None), how(None, Some("a*"))] {
            assert_eq!(pattern(&everywhere).unwrap_err().status, 2);
        }
        assert_eq!(pattern(&how(None, Some("("))).unwrap_err().status, 2);
    }

    #[test]
    fn since_is_a_time_ago_a_day_or_a_minute() {
        let now: Zoned = "2026-11-25T12:00:00+01:00[Europe/Berlin]".parse().unwrap();
        let at = |text| since(text, &now).map(|at| at.to_string());
        assert_eq!(at("2h").unwrap(), "2026-11-25T09:00:00Z");
        assert_eq!(at("90m ago").unwrap(), "2026-11-25T09:30:00Z");
        assert_eq!(at("2026-11-20").unwrap(), "2026-11-19T23:00:00Z");
        assert_eq!(at("2026-11-20 14:30").unwrap(), "2026-11-20T13:30:00Z");
        assert!(at("yesterday").unwrap_err().hint.is_some());
    }

    #[test]
    fn recordings_are_chosen_by_user_and_time() {
        let listed = Listed {
            user: Some("eve".into()),
            begun: Some(5_000),
            ..Listed::default()
        };
        let second = |second| Some(Timestamp::from_second(second).unwrap());
        assert!(is_wanted(&listed, None, None));
        assert!(is_wanted(&listed, Some("eve"), second(5)));
        assert!(!is_wanted(&listed, Some("bob"), None));
        assert!(!is_wanted(&listed, None, second(6)));
        assert!(is_wanted(&Listed::default(), None, second(6)));
        assert!(
            is_wanted(&Listed::default(), Some("eve"), None),
            "to be asked"
        );
    }

    #[test]
    fn an_excerpt_shows_the_match_and_steers_nothing() {
        let line = format!("{}\u{202e}secret{}", "a".repeat(200), "b".repeat(200));
        let excerpt = excerpt(&line, &Regex::new("secret").unwrap(), Style::PLAIN);
        let (before, after) = ("a".repeat(CONTEXT - 1), "b".repeat(CONTEXT));
        assert_eq!(excerpt, format!("…{before}\u{fffd}secret{after}…"));
    }
}
