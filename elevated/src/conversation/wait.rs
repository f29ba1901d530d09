//! A request waits: for votes, for its time to run out, or for its client to go away.

use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{ErrorName, Id};
use tokio::sync::mpsc::UnboundedReceiver;

use super::account::AccountCheck;
use super::elevate;
use super::stream::{Refusal, Stream};
use crate::clock::Moment;
use crate::daemon::Daemon;
use crate::elevation::{Elevation, Event, News};
use crate::fd_store::{self, Kept};

/// Tell the client where its request stands until there is a grant, and start its session; or
/// until there will be none. `kept` says that systemd keeps the stream already.
///
/// `account` is PAM's word on the caller, where it was asked for early.
pub(super) async fn until_granted(
    daemon: Arc<Daemon>,
    id: Id,
    stream: Stream,
    mut kept: bool,
    account: Option<AccountCheck>,
) {
    let Some(mut news) = daemon.take_news(id) else {
        return;
    };
    let granted = loop {
        tokio::select! {
            biased;
            told = news.recv() => match told {
                Some(News::Granted) => break true,
                Some(News::Waiting) => {
                    kept = true;
                    keep(&stream, id);
                    tell_waiting(&daemon, id, &stream).await;
                }
                Some(News::Voted { voter, approved, agreed }) => {
                    tell_vote(&daemon, id, &stream, voter, approved, agreed).await;
                }
                Some(News::Closed(problem)) => {
                    stream.refuse(&Refusal::from(problem)).await;
                    break false;
                }
                None => break false,
            },
            said = stream.receive() => {
                // While it waits a client has nothing to say; going away takes the request back.
                if !matches!(said, Ok((ToServer::Resize { .. }, _))) {
                    withdraw(&daemon, id, &mut news).await;
                    break false;
                }
            }
        }
    };
    daemon.forget_news(id);
    if kept {
        fd_store::release(Kept::Request(id));
    }
    if granted {
        begin(&daemon, id, stream, account).await;
    }
}

/// What was granted begins.
async fn begin(daemon: &Arc<Daemon>, id: Id, stream: Stream, account: Option<AccountCheck>) {
    let Some(elevation) = daemon.elevation(id) else {
        return;
    };
    if elevation.extends.is_some() {
        // A client that is gone has its answer in the record.
        let _ = stream.send(&ToClient::Done).await;
        return;
    }
    if !elevation.terms.watched || until_watched(daemon, &elevation, &stream).await {
        elevate::start(daemon, id, stream, account).await;
    }
}

/// Wait for somebody to watch; the grant's time runs. Whether somebody does.
async fn until_watched(daemon: &Arc<Daemon>, elevation: &Elevation, stream: &Stream) -> bool {
    let id = elevation.id;
    let text = format!(
        "this runs only while an auditor watches; waiting for: elevatectl sessions follow {id}"
    );
    // A client that is gone is noticed by the next receive.
    let _ = stream.send(&ToClient::Notice { text }).await;
    let left = elevation.deadline.unwrap_or_default();
    let left = Duration::from_millis(left.saturating_sub(Moment::now().boot));
    let over = tokio::time::sleep(left);
    let mut over = std::pin::pin!(over);
    loop {
        tokio::select! {
            () = daemon.until_watched(id) => return true,
            () = &mut over => {
                let message = "nobody watched in time";
                stream.refuse(&Refusal::new(ErrorName::TimedOut, message)).await;
                take_back(daemon, id, message).await;
                return false;
            }
            said = stream.receive() => {
                if !matches!(said, Ok((ToServer::Resize { .. }, _))) {
                    take_back(daemon, id, "the client went away before the session began").await;
                    return false;
                }
            }
        }
    }
}

fn keep(stream: &Stream, id: Id) {
    if let Err(error) = fd_store::keep(Kept::Request(id), stream) {
        eprintln!("request {id} would not outlive a restart: {error}");
    }
}

async fn withdraw(daemon: &Arc<Daemon>, id: Id, news: &mut UnboundedReceiver<News>) {
    // If it was granted in the same moment: a grant that nobody waits for runs nothing.
    take_back(daemon, id, "the client went away before the session began").await;
    news.close();
}

/// End what was asked for before a session began, be it granted or not.
pub(super) async fn take_back(daemon: &Daemon, id: Id, why: &str) {
    if daemon.apply(Event::Withdrawn(id)).await.is_err() {
        let failed = Event::Failed {
            id,
            error: ErrorName::Withdrawn,
            message: why.to_owned(),
        };
        // Where it ended in any other way there is nothing left to end.
        let _ = daemon.apply(failed).await;
    }
}

async fn tell_waiting(daemon: &Daemon, id: Id, stream: &Stream) {
    let Some(elevation) = daemon.elevation(id) else {
        return;
    };
    let message = ToClient::Waiting {
        request: id,
        needed: elevation.needed,
        approvers: elevation.approvers,
        expires_in: elevation.expires.saturating_sub(Moment::now().boot),
    };
    // A client that is gone is noticed by the next receive.
    let _ = stream.send(&message).await;
}

async fn tell_vote(
    daemon: &Daemon,
    id: Id,
    stream: &Stream,
    voter: String,
    approved: bool,
    agreed: u32,
) {
    let needed = daemon.elevation(id).map_or(0, |elevation| elevation.needed);
    let message = ToClient::Voted {
        voter,
        approved,
        agreed,
        needed,
    };
    let _ = stream.send(&message).await;
}
