//! `elevate -v`, `-k` and `-K`: a code that counts from now on, and codes that count no more.

use std::os::fd::OwnedFd;

use elevate_protocol::stream::ToClient;
use serde::Serialize;
use zbus::Variant;
use zbus::wire::DynamicType;

use super::person::Means;
use super::request::Person;
use super::{PROGRAM, given_up};
use crate::bus::{Ask, block_on, call, connect};
use crate::cli::{Questions, Target};
use crate::conversation::{Asking, Broken, Conversation};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::stdio;
use crate::terminal::Terminal;

/// Have a code given. With `forget`, the ones before count no more, however this ends.
pub(super) fn validate(questions: &Questions, forget: bool) -> Result<Exit, Failure> {
    let kinds = stdio::inspect()?;
    let terminal = Terminal::open();
    let means = Means::of(questions)?;
    if forget {
        match self::forget(false)? {
            Exit::Status(0) => {}
            other => return Ok(other),
        }
    }
    let person = means.person(terminal.as_ref(), kinds, &Target::default());
    let asks = Variant::new(person.asking.is_possible());
    let stream = ordered("Validate", &(Ask::from([("terminal", asks)]),))?;
    end(hold(&stream, person), "no code was given")
}

/// Have codes count no more, here or everywhere.
pub(super) fn forget(everywhere: bool) -> Result<Exit, Failure> {
    let stream = ordered("Forget", &(everywhere,))?;
    let nobody = Person {
        asking: Asking::Nobody,
        wording: None,
        status: false,
    };
    end(hold(&stream, nobody), "interrupted; codes may still count")
}

/// The stream on which the rest of `method` happens.
fn ordered(
    method: &'static str,
    body: &(impl Serialize + DynamicType),
) -> Result<OwnedFd, Failure> {
    block_on(async {
        let reply = call(&connect().await?, method, body).await?;
        let stream: zbus::OwnedFd = reply.body().deserialize()?;
        Ok(stream.into())
    })
}

/// Prove who we are, and answer what is asked, until it is done.
fn hold(stream: &OwnedFd, person: Person<'_>) -> Result<(), Broken> {
    let conversation = Conversation::with(stream, person.asking, PROGRAM)?;
    let mut conversation = conversation.worded(person.wording);
    loop {
        match conversation.hear(None)? {
            Some(ToClient::Done) => return Ok(()),
            Some(other) => conversation.answer(other)?,
            None => {}
        }
    }
}

fn end(outcome: Result<(), Broken>, undone: &str) -> Result<Exit, Failure> {
    match outcome {
        Ok(()) => Ok(Exit::Status(0)),
        Err(broken) => given_up(broken, undone),
    }
}
