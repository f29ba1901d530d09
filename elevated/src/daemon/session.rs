//! One session, as its leader tells of it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::launch::{FromLeader, ToLeader};
use elevate_protocol::stream::EndReason;
use elevate_protocol::{ErrorName, Id};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::Daemon;
use crate::audit;
use crate::elevation::{Event, Stage};
use crate::fd_store::{self, Kept};
use crate::launch::{Bounds, Link};

/// How long a leader whose scope could not be made has to say why.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Listen to the leader at the other end of `control`. `new` says that systemd does not keep the
/// socket yet.
pub(super) fn begin(
    daemon: &Arc<Daemon>,
    id: Id,
    control: OwnedFd,
    new: bool,
) -> std::io::Result<()> {
    let link = Link::new(control)?;
    if new {
        fd_store::keep(Kept::Session(id), &link)?;
    }
    let (sender, orders) = unbounded_channel();
    daemon.core().leaders.insert(id, sender);
    tokio::spawn(follow(Arc::clone(daemon), id, link, orders));
    Ok(())
}

async fn follow(daemon: Arc<Daemon>, id: Id, link: Link, mut orders: UnboundedReceiver<ToLeader>) {
    let last = loop {
        let said = tokio::select! {
            order = orders.recv() => {
                if let Some(order) = order
                    && let Err(error) = link.send(&order).await
                {
                    eprintln!("the leader of session {id} took no order: {error}");
                }
                continue;
            }
            said = link.receive() => said,
        };
        match said {
            Ok(Some(message)) => match heard(&daemon, id, &link, message).await {
                Some(last) => break last,
                None => continue,
            },
            Ok(None) => break gone(id),
            Err(error) => {
                eprintln!("the leader of session {id} is not understood: {error}");
                break gone(id);
            }
        }
    };
    daemon.core().leaders.remove(&id);
    let ran = daemon
        .elevation(id)
        .is_some_and(|e| e.stage == Stage::Running);
    // A session that failed to begin is over already.
    let _ = daemon.apply(last).await;
    if let (false, Ok(bus)) = (ran, daemon.bus()) {
        daemon.scopes.drop_empty(bus, id).await;
    }
    fd_store::release(Kept::Session(id));
}

fn gone(id: Id) -> Event {
    Event::Ended {
        id,
        status: None,
        reason: EndReason::LeaderGone,
        execs: None,
    }
}

/// Act on what a leader says; some event if it was its last word.
async fn heard(daemon: &Arc<Daemon>, id: Id, link: &Link, message: FromLeader) -> Option<Event> {
    let event = match message {
        FromLeader::Started { leader, pid } => {
            if let Some(last) = started(daemon, id, link, pid).await {
                return Some(last);
            }
            Event::Started {
                id,
                processes: (leader, pid),
            }
        }
        FromLeader::Running => Event::Running(id),
        FromLeader::Exec(exec) => {
            if let Some(elevation) = daemon.elevation(id) {
                daemon.record(audit::exec(&elevation, &exec));
            }
            Event::Exec(id)
        }
        last @ (FromLeader::Failed { .. } | FromLeader::Ended { .. }) => {
            return last_word(id, last);
        }
    };
    // What comes after the end of a session changes nothing.
    let _ = daemon.apply(event).await;
    None
}

/// What a message that ends a session says; none for every other.
fn last_word(id: Id, message: FromLeader) -> Option<Event> {
    match message {
        FromLeader::Failed { error, message } => Some(Event::Failed { id, error, message }),
        FromLeader::Ended {
            status,
            reason,
            execs,
            ..
        } => Some(Event::Ended {
            id,
            status: Some(status),
            reason,
            execs: Some(execs),
        }),
        _ => None,
    }
}

/// Put the command's process into its scope, and tell the leader that it is there. Some event if
/// the leader gave up meanwhile.
async fn started(daemon: &Arc<Daemon>, id: Id, link: &Link, pid: i32) -> Option<Event> {
    let answer = match scope(daemon, id, pid).await {
        Ok(()) => ToLeader::ScopeReady,
        Err(message) => {
            eprintln!("session {id}: {message}");
            // No scope is made of a process that is gone, and why it is gone the leader knows.
            let said = tokio::time::timeout(LAST_WORD, link.receive()).await;
            if let Ok(Ok(Some(said))) = said
                && let Some(last) = last_word(id, said)
            {
                return Some(last);
            }
            let failed = Event::Failed {
                id,
                error: ErrorName::Failed,
                message,
            };
            let _ = daemon.apply(failed).await;
            ToLeader::End {
                reason: EndReason::Revoked {
                    by: "elevated".into(),
                },
            }
        }
    };
    if let Err(error) = link.send(&answer).await {
        eprintln!("the leader of session {id} is gone: {error}");
    }
    None
}

async fn scope(daemon: &Daemon, id: Id, pid: i32) -> Result<(), String> {
    let elevation = daemon
        .elevation(id)
        .filter(|e| e.is_live())
        .ok_or("its grant is over")?;
    let bus = daemon.bus().map_err(|refusal| refusal.message)?;
    let asked = &elevation.asked;
    let description = format!("{} as {}", asked.caller.account.name, asked.target.name);
    let bounds = Bounds {
        longest: elevation.longest,
        tasks: elevation.tasks,
    };
    daemon
        .scopes
        .start(bus, id, pid, &description, bounds)
        .await
}
