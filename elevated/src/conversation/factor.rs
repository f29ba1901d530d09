//! Codes, asked for and verified on a client's stream.

use std::time::Duration;

use elevate_policy::Mfa;
use elevate_protocol::account::Account;
use elevate_protocol::limits::{CODE_BYTES, CODE_TRIES, PROMPT_TIME};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{ErrorName, Secret};

use super::proof::{Proved, is_alive};
use super::stream::{Refusal, Stop, Stream, unexpected};
use crate::audit;
use crate::clock::Moment;
use crate::daemon::Daemon;
use crate::elevation::Given;
use crate::factors::{Accepted, Rejected};

/// What is asked for everywhere, in the same words.
const PROMPT: &str = "Verification code: ";

/// Who is asked for a code, and what for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Whose factor it must be.
    pub account: &'a Account,
    /// The process that asks for something on their behalf.
    pub proved: &'a Proved,
    /// For the record: "elevate k7m2x9qd".
    pub purpose: &'a str,
}

impl Asked<'_> {
    fn whose(&self) -> (&str, u32) {
        (&self.account.name, self.account.uid)
    }
}

/// Have what `mfa` demands given: a code, unless one was given lately where that counts.
/// `may_ask` says whether the person can be asked now.
pub(super) async fn owe(
    daemon: &Daemon,
    stream: &Stream,
    asked: Asked<'_>,
    mfa: Option<Mfa>,
    may_ask: bool,
) -> Result<Given, Stop> {
    let Some(mfa) = mfa else {
        return Ok(Given::None);
    };
    if let Some(age) = fresh(daemon, asked, mfa) {
        return Ok(Given::Fresh(age.as_millis() as u64));
    }
    if !may_ask {
        return Err(Refusal::new(
            ErrorName::InteractionRequired,
            "this needs a verification code",
        )
        .hint("run it on a terminal, and without -n")
        .into());
    }
    let accepted = ask(daemon, stream, asked).await?;
    if let Some(place) = &asked.proved.login.place {
        let freshness = &daemon.freshness;
        freshness.note(asked.account.uid, place, Moment::now());
    }
    Ok(match accepted {
        Accepted::Totp => Given::Totp,
        Accepted::Recovery => Given::Recovery,
    })
}

/// How old the last code is that counts there, if it is young enough.
fn fresh(daemon: &Daemon, asked: Asked<'_>, mfa: Mfa) -> Option<Duration> {
    let Mfa::Within(longest) = mfa else {
        return None;
    };
    let place = asked.proved.login.place.as_ref()?;
    let age = daemon
        .freshness
        .age(asked.account.uid, place, Moment::now())?;
    (age <= longest).then_some(age)
}

/// Whether `account` could give a code, for a session that will ask for one.
pub(super) fn enrolled(daemon: &Daemon, account: &Account) -> Result<(), Refusal> {
    match daemon.factors.status(account, Moment::now()) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(refusal(&Rejected::NotEnrolled)),
        Err(rejected) => Err(refusal(&rejected)),
    }
}

/// Have a code given, in any case.
pub(super) async fn ask(
    daemon: &Daemon,
    stream: &Stream,
    asked: Asked<'_>,
) -> Result<Accepted, Stop> {
    let known = daemon.factors.status(asked.account, Moment::now());
    let locked = match known {
        Ok(Some(status)) => status.locked,
        Ok(None) => return Err(refused(daemon, asked, &Rejected::NotEnrolled).into()),
        Err(rejected) => return Err(refused(daemon, asked, &rejected).into()),
    };
    if let Some(left) = locked {
        return Err(refused(daemon, asked, &Rejected::Locked(left)).into());
    }
    let mut tries = 1;
    loop {
        let code = code(stream, asked.proved, asked.account.uid, PROMPT_TIME).await?;
        let verified = daemon
            .factors
            .verify(asked.account, &code, Moment::now())
            .await;
        let rejected = match verified {
            Ok(accepted) => {
                let entry = audit::factor_given(asked.whose(), asked.purpose, accepted.word());
                daemon.record(entry);
                return Ok(accepted);
            }
            Err(rejected) => rejected,
        };
        let refusal = refused(daemon, asked, &rejected);
        let again = matches!(rejected, Rejected::Wrong | Rejected::Replayed);
        if !again || tries >= CODE_TRIES {
            return Err(refusal.into());
        }
        tries += 1;
        tell(stream, &rejected).await?;
    }
}

/// Say why a code was not accepted, before another is asked for.
pub(super) async fn tell(stream: &Stream, rejected: &Rejected) -> Result<(), Stop> {
    let text = rejected.to_string();
    Ok(stream.send(&ToClient::Notice { text }).await?)
}

/// Put it on record that no code was accepted, and say it.
fn refused(daemon: &Daemon, asked: Asked<'_>, rejected: &Rejected) -> Refusal {
    let why = rejected.to_string();
    let outcome = (rejected.word(), why.as_str());
    daemon.record(audit::factor_refused(asked.whose(), asked.purpose, outcome));
    refusal(rejected)
}

/// In words for the person.
pub(super) fn refusal(rejected: &Rejected) -> Refusal {
    let message = rejected.to_string();
    match rejected {
        Rejected::NotEnrolled => {
            let message = "this needs a second factor, and you have none";
            Refusal::new(ErrorName::Denied, message).hint("enrol one with: elevatectl mfa enrol")
        }
        Rejected::Enrolled => Refusal::new(ErrorName::Denied, message)
            .hint("remove it first with: elevatectl mfa remove"),
        Rejected::Unavailable(_) => Refusal::new(ErrorName::Unavailable, message)
            .hint("an administrator finds out more with: elevatectl status"),
        Rejected::Wrong | Rejected::Replayed | Rejected::Locked(_) => {
            Refusal::new(ErrorName::Denied, message)
        }
    }
}

/// Ask the process that proved itself, and nobody else who may hold its stream, for a code.
pub(super) async fn code(
    stream: &Stream,
    proved: &Proved,
    uid: u32,
    time: Duration,
) -> Result<Secret, Stop> {
    let prompt = PROMPT.to_owned();
    stream.send(&ToClient::AskCode { prompt }).await?;
    let answer = tokio::time::timeout(time, answer(stream, proved, uid)).await;
    answer.unwrap_or_else(|_| {
        Err(Refusal::new(
            ErrorName::TimedOut,
            "no verification code was given in time",
        )
        .into())
    })
}

async fn answer(stream: &Stream, proved: &Proved, uid: u32) -> Result<Secret, Stop> {
    loop {
        let (message, sender) = stream.receive().await?;
        let same = sender.is_some_and(|sender| sender.pid == proved.pid && sender.uid == uid);
        match message {
            ToServer::Resize { .. } => {}
            ToServer::Code { text } if text.reveal().len() > CODE_BYTES => {
                let message = format!("a code has at most {CODE_BYTES} bytes (CODE_BYTES)");
                return Err(Refusal::new(ErrorName::InvalidArgument, message).into());
            }
            ToServer::Code { text } if same && is_alive(&proved.process) => return Ok(text),
            _ => return Err(unexpected()),
        }
    }
}
