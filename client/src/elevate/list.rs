//! `elevate -l`: what may be run, and whether a command may.

use std::os::unix::ffi::OsStrExt as _;

use elevate_policy::{Decision, Verdict};
use elevate_protocol::bus::ask;
use elevate_protocol::escape;
use elevate_protocol::launch::Resolution;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zbus::Variant;
use zbus::wire::DynamicType;

use super::listed::{Rules, all, allowed};
use crate::bus::{Ask, block_on, call, connect};
use crate::cli::Listing;
use crate::ctl::output;
use crate::elevate::ask::{folder, put_texts, words};
use crate::exit::Exit;
use crate::failure::Failure;

/// What `Manager.Why` answers, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Answer {
    file: Option<Resolution>,
    verdict: Option<Verdict>,
}

/// Ask, and tell.
pub(super) fn list(listing: &Listing) -> Result<Exit, Failure> {
    match listing.command.is_empty() {
        true => rules(listing),
        false => command(listing),
    }
}

fn rules(listing: &Listing) -> Result<Exit, Failure> {
    let whose = listing.whose.as_deref().unwrap_or_default();
    let rules: Rules = asked("ListRules", &(whose,))?;
    if rules.rules.is_empty() {
        let (user, host) = rules.named();
        return Err(Failure::new(format!("{user} may run nothing on {host}"))
            .hint("roles and rules come from an administrator"));
    }
    tell(&all(&rules, listing.long))
}

/// As with sudo, only the status tells that a command may not be run.
fn command(listing: &Listing) -> Result<Exit, Failure> {
    let answer: Answer = asked("Why", &(question(listing)?,))?;
    let Some(Decision::Allowed(allowance)) = answer.verdict.map(|verdict| verdict.decision) else {
        return Ok(Exit::Status(1));
    };
    match answer.file {
        Some(Resolution::Found(file)) => {
            let arguments = listing.command[1..].iter().map(|word| word.as_bytes());
            let line = escape::command(std::iter::once(&file.path[..]).chain(arguments));
            match listing.long {
                true => tell(&format!("{line}\n{}", allowed(&allowance))),
                false => tell(&format!("{line}\n")),
            }
        }
        _ => {
            let word = escape::line(listing.command[0].as_bytes());
            Err(Failure::new(format!("{word}: command not found")))
        }
    }
}

fn question(listing: &Listing) -> Result<Ask, Failure> {
    let mut question = Ask::from([
        (ask::ARGV, Variant::new(words(&listing.command)?)),
        (ask::CWD, Variant::new(folder()?)),
    ]);
    let texts = [
        (ask::USER, &listing.target.user),
        (ask::GROUP, &listing.target.group),
        (ask::RULE, &listing.rule),
        ("for-user", &listing.whose),
    ];
    put_texts(&mut question, texts);
    Ok(question)
}

fn asked<T: DeserializeOwned>(
    method: &'static str,
    body: &(impl serde::Serialize + DynamicType),
) -> Result<T, Failure> {
    let json: String = block_on(async {
        let reply = call(&connect().await?, method, body).await?;
        Ok(reply.body().deserialize()?)
    })?;
    serde_json::from_str(&json)
        .map_err(|error| Failure::new(format!("elevated answered in an unknown form: {error}")))
}

fn tell(text: &str) -> Result<Exit, Failure> {
    match output::write(text.as_bytes()) {
        Err(failure) if failure.status == output::NOBODY_READS => {
            Ok(Exit::Signal(nix::sys::signal::Signal::SIGPIPE as i32))
        }
        other => other.map(|()| Exit::Status(0)),
    }
}
