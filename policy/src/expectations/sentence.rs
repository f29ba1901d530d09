//! `alice may "systemctl restart nginx" as root needs approval`

use std::time::Duration;

use super::needs::{self, Needs};
use super::program;
use super::setting::{self, Reading};
use super::words::Token;
use super::world::World;
use crate::diagnostic::Place;
use crate::suggest::nearest;

/// An expectation.
#[derive(Debug)]
pub(super) struct Sentence {
    pub(super) place: Place,
    pub(super) text: String,
    pub(super) user: String,
    pub(super) may: bool,
    pub(super) deed: Deed,
    pub(super) terms: Clauses,
}

/// What somebody may or may not.
#[derive(Debug)]
pub(super) enum Deed {
    Run(Vec<String>),
    Shell,
    Edit(Vec<String>),
    LogIn,
    Audit,
    Approve(String),
}

/// What is said behind that.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    pub(super) target: Option<String>,
    pub(super) group: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) wanted: Option<Duration>,
    pub(super) needs: Option<Needs>,
}

const DEEDS: [&str; 6] = ["\"COMMAND\"", "shell", "edit", "log in", "audit", "approve"];
const CLAUSES: [&str; 9] = [
    "as", "needs", "for", "by", "on", "at", "from", "via", "without",
];

pub(super) fn read(
    user: &Token,
    text: &str,
    line: &mut Reading<'_>,
    world: &World,
) -> Option<(Sentence, World)> {
    match line.next() {
        Some(token) if token.is("may") => {}
        next => {
            let near = nearest(&user.word.text, setting::SETTINGS);
            match next.filter(|_| near.is_none()) {
                Some(token) => {
                    line.wrong(&token.word, "a line is a setting, or says who `may` what")
                }
                None => line.unknown(user, "setting", &setting::SETTINGS),
            }
            return None;
        }
    }
    let may = match line.tokens.first() {
        Some(token) if token.is("not") => line.next().is_none(),
        _ => true,
    };
    let deed = deed(user, line)?;
    let mut world = world.clone();
    let terms = clauses(line, &mut world)?;
    if let Some(refusal) = objection(may, &deed, &terms) {
        line.wrong(&user.word, refusal);
        return None;
    }
    let sentence = Sentence {
        place: user.word.place.clone(),
        text: crate::shown::shown(text.trim()),
        user: user.word.text.clone(),
        may,
        deed,
        terms,
    };
    Some((sentence, world))
}

fn deed(user: &Token, line: &mut Reading<'_>) -> Option<Deed> {
    let Some(token) = line.next() else {
        line.problems
            .add(&user.word, "what they may, or may not, is missing");
        return None;
    };
    if token.quoted {
        return match program::split(&token.word.text) {
            Ok(words) => Some(Deed::Run(words)),
            Err(why) => {
                line.wrong(&token.word, &why);
                None
            }
        };
    }
    match token.word.text.as_str() {
        "shell" => Some(Deed::Shell),
        "audit" => Some(Deed::Audit),
        "approve" => {
            let rule = line.need(token, "the name of a rule")?;
            Some(Deed::Approve(rule.text.clone()))
        }
        "log" if line.tokens.first().is_some_and(|next| next.is("in")) => {
            line.next();
            Some(Deed::LogIn)
        }
        "edit" => {
            let mut files = vec![line.need(token, "a file in quotes")?.text.clone()];
            while let Some(file) = line.tokens.first().filter(|file| file.quoted) {
                files.push(file.word.text.clone());
                line.next();
            }
            Some(Deed::Edit(files))
        }
        _ => {
            line.unknown(token, "deed", &DEEDS);
            None
        }
    }
}

fn clauses(line: &mut Reading<'_>, world: &mut World) -> Option<Clauses> {
    let mut clauses = Clauses::default();
    while let Some(token) = line.next() {
        match token.word.text.as_str() {
            _ if token.quoted => {
                line.wrong(&token.word, "nothing in quotes stands here");
                return None;
            }
            "as" => {
                let text = &line.need(token, "a user")?.text;
                let (user, group) = text.split_once(':').unzip();
                clauses.target = Some(user.unwrap_or(text).to_owned());
                clauses.group = group.map(str::to_owned);
            }
            "needs" => clauses.needs = Some(needs::read(token, line)?),
            "for" => {
                let word = line.need(token, "a length of time")?;
                clauses.wanted = needs::time(&word.text);
                if clauses.wanted.is_none() {
                    line.wrong(word, "a length of time is written as in 15m or \"1h 30m\"");
                }
            }
            "by" => clauses.rule = Some(line.need(token, "a rule")?.text.clone()),
            "on" => world.hosts = vec![line.need(token, "a host's name")?.text.clone()],
            "at" => world.at = setting::at(token, line)?,
            "from" => world.from = Some(setting::from(token, line)?),
            "via" => world.service = Some(line.need(token, "a PAM service")?.text.clone()),
            "without" => {
                let word = line.need(token, "`terminal`")?;
                world.terminal = false;
                if word.text != "terminal" {
                    line.wrong(word, "what one can be without is a `terminal`");
                }
            }
            _ => {
                line.unknown(token, "word", &CLAUSES);
                return None;
            }
        }
    }
    Some(clauses)
}

/// What makes no sense together.
fn objection(may: bool, deed: &Deed, terms: &Clauses) -> Option<&'static str> {
    let runs = matches!(deed, Deed::Run(_) | Deed::Shell | Deed::Edit(_));
    let of_runs = terms.target.is_some() || terms.rule.is_some() || terms.wanted.is_some();
    match deed {
        _ if !may && terms.needs.is_some() => Some("who may not, needs nothing"),
        _ if of_runs && !runs => Some("`as`, `by` and `for` are of commands, shells and edits"),
        Deed::Audit | Deed::Approve(_) if terms.needs.is_some() => {
            Some("`needs` is of commands, shells, edits and logins")
        }
        Deed::Edit(files) if !files.iter().all(|file| file.starts_with('/')) => {
            Some("a file to be edited is named by its whole path")
        }
        _ => None,
    }
}
