//! Connections of `elevate-directory`.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use elevate_protocol::directory::{
    Applied, Begun, DESCRIPTION, INTERFACE, Method, OUT_OF_TURN, Order, Ordered,
};
use elevate_protocol::limits::{DIRECTORY_BYTES, DIRECTORY_CURSOR_BYTES, REASON_BYTES};
use elevate_protocol::paths::DIRECTORY_USER;
use elevate_protocol::varlink::{Call, Reply, invalid, method};
use tokio::net::UnixStream;

use crate::daemon::Daemon;
use crate::identity::Rejected;
use crate::identity::directory::Update;
use crate::varlink::{self, Connection};

/// One feeds and one waits for orders; the others are those of a daemon that was just restarted.
const CONNECTIONS: usize = 8;

/// Serve the listening socket that systemd passed, from now on.
pub fn serve(daemon: Arc<Daemon>, listener: OwnedFd) -> io::Result<()> {
    varlink::listen(listener, "directory", CONNECTIONS, move |socket| {
        let daemon = Arc::clone(&daemon);
        async move { converse(&daemon, socket).await }
    })
}

async fn converse(daemon: &Arc<Daemon>, socket: UnixStream) -> io::Result<()> {
    let connection = Connection::new(socket, (INTERFACE, DESCRIPTION), DIRECTORY_BYTES)?;
    let uid = connection.peer().uid;
    if daemon.directory_uid()? != Some(uid) {
        let why = format!("uid {uid} is not that of the local account {DIRECTORY_USER}");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let mut conversation = Conversation {
        daemon,
        connection,
        feeder: None,
    };
    let ended = conversation.hold().await;
    if let Some(feeder) = conversation.feeder {
        daemon.directory_hung_up(feeder);
    }
    ended
}

struct Conversation<'a> {
    daemon: &'a Arc<Daemon>,
    connection: Connection,
    /// Its number, if it began to feed.
    feeder: Option<u64>,
}

impl Conversation<'_> {
    async fn hold(&mut self) -> io::Result<()> {
        while let Some(mut call) = self.connection.next_call().await? {
            let reply = match method::<Method>(&mut call, INTERFACE) {
                Ok(Method::Orders {}) => match self.order(call.more).await? {
                    Some(reply) => reply,
                    None => return Ok(()),
                },
                Ok(method) => self.answer(method).await,
                Err(reply) => reply,
            };
            self.reply(&call, &reply).await?;
        }
        Ok(())
    }

    async fn reply(&mut self, call: &Call, reply: &Reply) -> io::Result<()> {
        match call.oneway {
            true => Ok(()),
            false => self.connection.reply(reply).await,
        }
    }

    async fn answer(&mut self, method: Method) -> Reply {
        let answered = match method {
            Method::Begin { source } => return self.begin(&source),
            Method::Apply {
                changes,
                unchanged,
                complete,
                cursor,
            } => {
                let update = Update {
                    changes,
                    unchanged,
                    complete,
                    cursor,
                };
                self.apply(update).await
            }
            Method::Contact { connected, problem } => self.contact(connected, problem),
            Method::Orders {} => Err(Rejected::OutOfTurn),
        };
        match answered {
            Ok(reply) => reply,
            Err(Rejected::OutOfTurn) => Reply::error(OUT_OF_TURN, &()),
            Err(Rejected::Invalid(what)) => invalid(&what),
            Err(Rejected::Unwritten(why)) => {
                eprintln!("directory socket: {why}");
                Reply::error(OUT_OF_TURN, &())
            }
        }
    }

    fn begin(&mut self, source: &str) -> Reply {
        if source.len() > DIRECTORY_CURSOR_BYTES {
            return invalid("source");
        }
        let (feeder, cursor) = self.daemon.identities.begin(source);
        self.feeder = Some(feeder);
        Reply::new(&Begun { cursor })
    }

    async fn apply(&mut self, update: Update) -> Result<Reply, Rejected> {
        let feeder = self.feeder.ok_or(Rejected::OutOfTurn)?;
        let identities = &self.daemon.identities;
        identities.apply(feeder, update).await?;
        // Whoever is refused is known after a look. Where the accounts can't be looked at now, the
        // records are looked at with the next decision.
        let _ = self.daemon.facts().await;
        let refused = identities.refused() as u64;
        Ok(Reply::new(&Applied { refused }))
    }

    fn contact(&mut self, connected: bool, problem: Option<String>) -> Result<Reply, Rejected> {
        let feeder = self.feeder.ok_or(Rejected::OutOfTurn)?;
        let problem = problem.map(|text| text.chars().take(REASON_BYTES).collect());
        self.daemon.directory_contact(feeder, connected, problem)?;
        Ok(Reply::new(&()))
    }

    /// Send orders as they come, one reply to each; `None` once the peer is gone. A peer that takes
    /// one reply gets one.
    async fn order(&mut self, more: bool) -> io::Result<Option<Reply>> {
        let mut orders = self.daemon.identities.orders();
        loop {
            tokio::select! {
                call = self.connection.next_call() => {
                    // Until the last reply there is nothing to call.
                    return match call? {
                        None => Ok(None),
                        Some(_) => Ok(Some(Reply::error(OUT_OF_TURN, &()))),
                    };
                }
                changed = orders.changed() => {
                    if changed.is_err() {
                        return Ok(None);
                    }
                    let reply = Reply::new(&Ordered { order: Order::Resync });
                    if !more {
                        return Ok(Some(reply));
                    }
                    self.connection.reply(&reply.to_be_continued()).await?;
                }
            }
        }
    }
}
