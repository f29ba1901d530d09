//! What the number of a ticket looks like.

use std::fmt;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::limits::MAX_TICKET;
use crate::wrong::Wrong;

/// The longest program that a pattern may come to, in bytes: what a few counted repetitions need.
const COMPILED: usize = 64 * 1024;

/// `require.ticket`: a regular expression that the whole of a ticket must match.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ticket(Arc<Pattern>);

#[derive(Debug)]
struct Pattern {
    text: String,
    whole: Regex,
}

impl Ticket {
    /// `OPS-[0-9]+`.
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        if text.is_empty() || text.len() > MAX_TICKET {
            return Err(format!("a pattern has 1 to {MAX_TICKET} bytes").into());
        }
        // By itself, so that no parenthesis in it closes ours.
        let compile = |pattern: &str| {
            let compiled = RegexBuilder::new(pattern).size_limit(COMPILED).build();
            compiled.map_err(|error| Wrong::from(why(&error)))
        };
        compile(text)?;
        let whole = compile(&format!(r"\A(?:{text})\z"))?;
        if whole.is_match("") {
            return Err("it matches no ticket at all, too; write it as in \"OPS-[0-9]+\"".into());
        }
        let text = text.to_owned();
        Ok(Self(Arc::new(Pattern { text, whole })))
    }

    /// Whether the whole of `ticket` is one.
    #[must_use]
    pub fn matches(&self, ticket: &str) -> bool {
        self.0.whole.is_match(ticket)
    }
}

// The crate draws pictures over several lines; what is wrong is the last.
fn why(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too big".into(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!(
                "no regular expression: {}",
                last.trim_start_matches("error: ")
            )
        }
    }
}

/// As written in the policy.
impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Ticket {}

impl TryFrom<String> for Ticket {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|wrong| wrong.what)
    }
}

impl From<Ticket> for String {
    fn from(ticket: Ticket) -> Self {
        ticket.0.text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        Ticket::parse(text).unwrap_err().what
    }

    #[test]
    fn the_whole_of_a_ticket_must_match() {
        let ops = Ticket::parse("OPS-[0-9]+|CHG").unwrap();
        for ticket in ["OPS-1", "OPS-0042", "CHG"] {
            assert!(ops.matches(ticket), "{ticket}");
        }
        for ticket in [
            "",
            "OPS-",
            "xOPS-1",
            "OPS-1x",
            "OPS-1\n",
            "OPS-1 CHG",
            "CHGX",
        ] {
            assert!(!ops.matches(ticket), "{ticket:?}");
        }
    }

    #[test]
    fn lines_and_flags_lead_around_nothing() {
        let lines = Ticket::parse("(?m)^OPS-1$").unwrap();
        assert!(lines.matches("OPS-1") && !lines.matches("x\nOPS-1") && !lines.matches("OPS-1\nx"));
        assert!(Ticket::parse("(?x) OPS # and").is_err());
        assert!(Ticket::parse("a)|(b").is_err());
    }

    #[test]
    fn what_is_no_pattern_is_told_why() {
        assert_eq!(
            wrong("OPS-["),
            "no regular expression: unclosed character class"
        );
        assert_eq!(wrong(""), "a pattern has 1 to 256 bytes");
        assert!(wrong(".*").contains("no ticket at all"));
        assert_eq!(
            wrong(&format!("{}{{9999}}", "x{9999}")),
            "the pattern is too big"
        );
    }

    #[test]
    fn in_json_it_is_its_text() {
        let ops = Ticket::parse("OPS-[0-9]+").unwrap();
        let json = serde_json::to_string(&ops).unwrap();
        assert_eq!(json, "\"OPS-[0-9]+\"");
        assert_eq!(serde_json::from_str::<Ticket>(&json).unwrap(), ops);
        assert!(serde_json::from_str::<Ticket>("\"[\"").is_err());
    }
}
