//! `elevatectl extend`: a grant that lasts longer, for what the rule requires.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use elevate_protocol::bus::{self, extend as keys};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{ErrorName, Id, limits};
use zbus::Variant;

use super::objects::{self, Grant};
use super::output;
use super::text::{left, time};
use crate::bus::{Ask, block_on, call, connect};
use crate::cli::Extension;
use crate::conversation::{Broken, Conversation, Question};
use crate::elevate::waiting::{self, Waiting};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// `elevatectl extend ID`
pub(super) fn extend(how: &Extension) -> Result<(), Broken> {
    let terminal = Terminal::open().filter(|_| !how.non_interactive);
    let ask = ask(how, terminal.is_some())?;
    let stream: OwnedFd = block_on(async {
        let reply = call(&connect().await?, "Extend", &(ask,)).await?;
        let (_, stream): (zbus::OwnedObjectPath, zbus::OwnedFd) = reply.body().deserialize()?;
        Ok(stream.into())
    })?;
    hold(&stream, terminal.as_ref())
        .inspect_err(|broken| super::explain(broken, "the grant ends when it would have ended"))?;
    Ok(output::line(&lasts(how.id))?)
}

fn ask(how: &Extension, terminal: bool) -> Result<Ask, Failure> {
    let mut ask = Ask::from([
        (keys::ID, Variant::new(how.id.as_str().to_owned())),
        (keys::NON_INTERACTIVE, Variant::new(how.non_interactive)),
        (keys::TERMINAL, Variant::new(terminal)),
    ]);
    if let Some(duration) = how.duration {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        ask.insert(keys::DURATION, Variant::new(milliseconds));
    }
    if let Some(reason) = &how.reason {
        let limit = limits::REASON_BYTES;
        if reason.len() > limit {
            return Err(Failure::usage(format!(
                "a reason has at most {limit} bytes"
            )));
        }
        ask.insert(keys::REASON, Variant::new(reason.clone()));
    }
    Ok(ask)
}

/// Prove who we are, give what is asked for, and wait until the grant is longer.
fn hold(stream: &OwnedFd, terminal: Option<&Terminal>) -> Result<(), Broken> {
    let mut conversation = Conversation::begin(stream, terminal, super::PROGRAM)?;
    loop {
        match conversation.hear(None)? {
            Some(ToClient::Done) => return Ok(()),
            Some(ToClient::AskReason) => give_reason(&mut conversation)?,
            Some(ToClient::Waiting {
                request,
                needed,
                approvers,
                expires_in,
            }) => {
                let waiting = Waiting {
                    request,
                    needed,
                    agreed: 0,
                    approvers,
                    expires: Instant::now() + Duration::from_millis(expires_in),
                };
                conversation.tell(&waiting.line(Instant::now(), usize::MAX));
            }
            Some(ToClient::Voted {
                approved: true,
                voter,
                agreed,
                needed,
            }) => conversation.tell(&waiting::approval(&voter, agreed, needed)),
            // The refusal that follows says who denied it, and why.
            Some(ToClient::Voted { .. }) | None => {}
            Some(other) => conversation.answer(other)?,
        }
    }
}

fn give_reason(conversation: &mut Conversation<'_>) -> Result<(), Broken> {
    if !conversation.can_ask() {
        let refusal = "a reason is required to extend this grant";
        let refusal = Failure::refused(ErrorName::InteractionRequired, refusal, None);
        return Err(refusal
            .hint("give it with: elevatectl extend ID --reason TEXT")
            .into());
    }
    let question = Question {
        text: "Reason: ",
        hidden: false,
        longest: limits::REASON_BYTES,
        missing: "no reason was given; the grant ends when it would have ended",
    };
    match conversation.ask(&question)? {
        Some(text) => {
            let text = text.reveal().to_owned();
            Ok(conversation.say(&ToServer::Reason { text })?)
        }
        None => Ok(()),
    }
}

/// When it ends now, where the daemon still says so.
fn lasts(id: Id) -> String {
    let path = bus::grant_path(id);
    let grant: Result<Grant, Failure> =
        block_on(async { objects::one(&connect().await?, &path, bus::GRANT).await });
    match grant {
        Ok(grant) => {
            let (at, left) = (time(grant.deadline), left(grant.deadline));
            format!("grant {id} ends at {at}, in {left}")
        }
        Err(_) => format!("grant {id} is extended"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(reason: Option<&str>) -> Extension {
        Extension {
            id: "k7m2x9qd".parse().unwrap(),
            duration: Some(Duration::from_secs(1800)),
            reason: reason.map(str::to_owned),
            non_interactive: true,
        }
    }

    #[test]
    fn what_is_asked_for_is_what_the_command_line_says() {
        let asked = ask(&extension(Some("longer")), false).unwrap();
        let mut keys: Vec<_> = asked.keys().copied().collect();
        keys.sort_unstable();
        let all = ["duration", "id", "non-interactive", "reason", "terminal"];
        assert_eq!(keys, all);
        assert_eq!(asked["duration"], Variant::new(1_800_000u64));
        assert_eq!(asked["non-interactive"], Variant::new(true));
        assert!(!ask(&extension(None), false).unwrap().contains_key("reason"));
    }

    #[test]
    fn an_endless_reason_is_refused_before_it_is_sent() {
        let long = "x".repeat(limits::REASON_BYTES + 1);
        assert_eq!(ask(&extension(Some(&long)), true).unwrap_err().status, 2);
    }
}
