//! The conversations behind `elevate -v`, `-k` and `-K`: a code that counts from now on at this
//! terminal, and codes that count no more.

use std::sync::Arc;

use elevate_protocol::ErrorName;
use elevate_protocol::stream::ToClient;

use super::factor::{self, Asked};
use super::judge;
use super::proof;
use super::stream::{Refusal, Stop, Stream};
use crate::audit;
use crate::clock::Moment;
use crate::daemon::Daemon;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreshOrder {
    /// Have a code given; whether there is a terminal to ask on.
    Validate(bool),
    /// Forget those given at this terminal.
    Forget,
    /// Forget all of this person's.
    ForgetEverywhere,
}

/// Have the client of `uid` prove itself, and carry out its order.
pub async fn fresh(daemon: Arc<Daemon>, uid: u32, order: FreshOrder, stream: Stream) {
    match carry_out(&daemon, uid, order, &stream).await {
        Ok(()) => {
            // A client that is gone needs no answer.
            let _ = stream.send(&ToClient::Done).await;
        }
        Err(Stop::Refused(refusal)) => {
            if let FreshOrder::Validate(_) = order {
                let name = daemon.name_of(uid);
                let why = &refusal.message;
                daemon.record(audit::refused_vote(&name, (&name, uid), "validate", why));
            }
            stream.refuse(&refusal).await;
        }
        Err(Stop::Gone) => {}
    }
}

async fn carry_out(
    daemon: &Daemon,
    uid: u32,
    order: FreshOrder,
    stream: &Stream,
) -> Result<(), Stop> {
    let proved = proof::prove(daemon, stream, uid).await?;
    let place = proved.login.place;
    let terminal = match order {
        FreshOrder::ForgetEverywhere => {
            daemon.freshness.forget(uid);
            return Ok(());
        }
        FreshOrder::Forget => {
            if let Some(place) = place {
                daemon.freshness.forget_at(uid, &place);
            }
            return Ok(());
        }
        FreshOrder::Validate(terminal) => terminal,
    };
    if !terminal {
        let message = "a code is asked for on a terminal, and there is none";
        return Err(Refusal::new(ErrorName::InteractionRequired, message).into());
    }
    let account = judge::account(daemon, uid).await?;
    let asked = Asked {
        account: &account,
        proved: &proved,
        purpose: "validate",
    };
    factor::ask(daemon, stream, asked).await?;
    if let Some(place) = place {
        daemon.freshness.note(uid, &place, Moment::now());
    }
    Ok(())
}
