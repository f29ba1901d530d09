//! One session, as its leader tells of it.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use elevate_protocol::launch::{FromLeader, ToLeader};
use elevate_protocol::stream::EndReason;
use elevate_protocol::{ErrorName, Id};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::edits::Pending;
use super::{Daemon, held};
use crate::audit;
use crate::elevation::{Event, Stage};
use crate::fd_store::{self, Kept};
use crate::launch::{Bounds, Link};
use crate::process;

/// How long a leader whose scope could not be made has to say that its session is over.
const LAST_WORD: Duration = Duration::from_secs(1);
/// How soon to look again whether it has.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long a command may run before systemd makes its scope.
const HEAD_START: Duration = Duration::from_millis(20);
/// A session that lasted longer was there when its scope was made.
const SHORT: Duration = Duration::from_secs(5);

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
    let known = daemon
        .elevation(id)
        .and_then(|elevation| elevation.processes);
    if let (false, Some((_, pid))) = (new, known) {
        tokio::spawn(bound_again(Arc::clone(daemon), id, pid));
    }
    Ok(())
}

async fn follow(daemon: Arc<Daemon>, id: Id, link: Link, mut orders: UnboundedReceiver<ToLeader>) {
    let begun = Instant::now();
    let mut edit = Pending::default();
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
            Ok(Some(message)) => {
                edit.hear(&message);
                if let Some(last) = heard(&daemon, id, message).await {
                    break last;
                }
                continue;
            }
            Ok(None) => break gone(id),
            Err(error) => {
                eprintln!("the leader of session {id} is not understood: {error}");
                break gone(id);
            }
        }
    };
    {
        let mut core = daemon.core();
        core.leaders.remove(&id);
        core.audience.dismiss(id);
    }
    if let (Some(edited), Some(elevation)) = (edit.left(), daemon.elevation(id)) {
        daemon.record(audit::edit_interrupted(&elevation, &edited));
    }
    // A session that failed to begin is over already.
    let _ = daemon.apply(last).await;
    if daemon.scopes.forget(id) && begun.elapsed() < SHORT {
        drop_scope(&daemon, id).await;
    }
    fd_store::release(Kept::Session(id));
}

/// Have systemd drop the scope of a session that was over before its scope was made: systemd hears
/// of the end of a scope's last process, but not of a scope that never had one.
async fn drop_scope(daemon: &Daemon, id: Id) {
    if let Ok(bus) = daemon.bus() {
        daemon.scopes.drop_empty(bus, id).await;
    }
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
async fn heard(daemon: &Arc<Daemon>, id: Id, message: FromLeader) -> Option<Event> {
    let event = match message {
        FromLeader::Started { leader, pid, waits } => {
            tokio::spawn(bound_in_time(Arc::clone(daemon), id, pid, waits));
            Event::Started {
                id,
                processes: (leader, pid),
            }
        }
        FromLeader::Running => {
            daemon.bring_code_along(id);
            Event::Running(id)
        }
        FromLeader::Exec(exec) => {
            if let Some(elevation) = daemon.elevation(id) {
                daemon.record(audit::exec(&elevation, &exec));
                if elevation.asked.subject.is_login() {
                    for transfer in audit::scp(&exec) {
                        daemon.record(audit::transfer(&elevation, &transfer));
                    }
                }
            }
            Event::Exec(id)
        }
        FromLeader::ExecFailed { number } => {
            if let Some(elevation) = daemon.elevation(id) {
                daemon.record(audit::exec_failed(&elevation, number));
            }
            return None;
        }
        FromLeader::Transfer(transfer) => {
            if let Some(elevation) = daemon.elevation(id) {
                daemon.record(audit::transfer(&elevation, &transfer));
            }
            return None;
        }
        FromLeader::Edited(edited) => {
            if let Some(elevation) = daemon.elevation(id) {
                daemon.record(audit::edit(&elevation, &edited));
            }
            return None;
        }
        FromLeader::Editing(_) | FromLeader::NotEdited => return None,
        FromLeader::Held => {
            held::ask(daemon, id);
            return None;
        }
        FromLeader::Code { text } => {
            held::check(daemon, id, text).await;
            return None;
        }
        FromLeader::Failed { error, message } => return Some(Event::Failed { id, error, message }),
        FromLeader::Ended {
            status,
            reason,
            execs,
            ..
        } => {
            return Some(Event::Ended {
                id,
                status: Some(status),
                reason,
                execs: Some(execs),
            });
        }
    };
    // What comes after the end of a session changes nothing.
    let _ = daemon.apply(event).await;
    None
}

/// A scope costs PID 1 as much as a short command costs altogether, and it would do that work beside
/// it. Where the command waits for nothing of it, it may be over first; leader and launcher end its
/// tree meanwhile.
async fn bound_in_time(daemon: Arc<Daemon>, id: Id, pid: i32, waits: bool) {
    if !waits {
        tokio::time::sleep(HEAD_START).await;
    }
    // By now the pid could be another process's, and what is in the scope ends with the session.
    if daemon.leader(id).is_some() && (waits || process::session_of(pid) == Some(id)) {
        bound(daemon, id, pid).await;
    }
}

/// After a restart: whether systemd was told of the scope before it, nobody remembers.
async fn bound_again(daemon: Arc<Daemon>, id: Id, pid: i32) {
    if process::session_of(pid) != Some(id) {
        return;
    }
    match (scope(&daemon, id, pid).await, daemon.leader(id)) {
        (Ok(()), Some(leader)) => drop(leader.send(ToLeader::ScopeReady)),
        (Ok(()), None) => {}
        // A leader that heard of no scope ends its session.
        (Err(message), _) => eprintln!("session {id}: {message}"),
    }
}

/// Have systemd make the scope around the command's process, and tell the leader. A session that
/// systemd does not bound is ended.
async fn bound(daemon: Arc<Daemon>, id: Id, pid: i32) {
    let made = scope(&daemon, id, pid).await;
    if let Err(message) = made {
        // No scope is made of a process that is gone, and how it ended the leader says.
        let over = tokio::time::timeout(LAST_WORD, until_over(&daemon, id)).await;
        if over.is_err() {
            eprintln!("session {id}: {message}");
            if daemon
                .elevation(id)
                .is_some_and(|e| e.stage == Stage::Granted)
            {
                let error = ErrorName::Failed;
                // Over in the meantime: then it is on record already.
                let _ = daemon.apply(Event::Failed { id, error, message }).await;
            }
            let by = "elevate (systemd made no scope)".into();
            daemon.end(id, EndReason::Revoked { by });
        }
    } else if let Some(leader) = daemon.leader(id) {
        // A leader that is gone needs no answer.
        let _ = leader.send(ToLeader::ScopeReady);
    } else {
        daemon.scopes.forget(id);
        drop_scope(&daemon, id).await;
    }
}

async fn until_over(daemon: &Daemon, id: Id) {
    while daemon.leader(id).is_some() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
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
        longest: elevation.longest(),
        tasks: elevation.terms.tasks,
        memory: elevation.terms.memory,
        cpu: elevation.terms.cpu,
    };
    daemon
        .scopes
        .start(bus, id, pid, &description, bounds)
        .await
}
