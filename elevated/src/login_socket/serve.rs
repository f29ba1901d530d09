//! Connections, one to a call of the module.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use elevate_protocol::limits::{LOGIN_BYTES, LOGIN_TIME, LOGINS, NAME_BYTES};
use elevate_protocol::login::{
    Admitted, DESCRIPTION, INTERFACE, Login, Method, OUT_OF_TURN, REFUSED, Refused, Step, Stepped,
};
use elevate_protocol::varlink::{Reply, invalid, method};
use tokio::net::UnixStream;

use super::peer::{self, Caller};
use super::steps::{self, Authentication};
use crate::daemon::{Daemon, Ticket};
use crate::varlink::{self, Connection};

/// Serve the listening socket that systemd passed, from now on.
pub fn serve(daemon: Arc<Daemon>, listener: OwnedFd) -> io::Result<()> {
    daemon.serves_logins.store(true, Ordering::Relaxed);
    varlink::listen(listener, "login", LOGINS, move |socket| {
        let daemon = Arc::clone(&daemon);
        async move { converse(&daemon, socket).await }
    })
}

/// Hold one conversation to its end. Whatever ends it early, nobody has been let in.
async fn converse(daemon: &Arc<Daemon>, socket: UnixStream) -> io::Result<()> {
    let mut connection = Connection::new(socket, (INTERFACE, DESCRIPTION), LOGIN_BYTES)?;
    let caller = peer::look(connection.peer())?;
    let mut conversation = Conversation {
        daemon,
        caller,
        waiting: None,
        ticket: ticket(daemon, &caller),
    };
    // Nobody holds a place for longer than a person may take to type.
    while let Ok(call) = tokio::time::timeout(LOGIN_TIME, connection.next_call()).await {
        let Some(mut call) = call? else { break };
        let reply = match method::<Method>(&mut call, INTERFACE) {
            Ok(method) => conversation.answer(method).await,
            Err(reply) => reply,
        };
        if !call.oneway {
            connection.reply(&reply).await?;
        }
    }
    Ok(())
}

struct Conversation<'a> {
    daemon: &'a Arc<Daemon>,
    caller: Caller,
    /// The authentication that waits for an answer.
    waiting: Option<Authentication>,
    /// Their place among the conversations of the one who runs su, or why they have none.
    ticket: Result<Option<Ticket>, String>,
}

/// What anybody may start counts for them, so that nobody takes all the places of others' logins.
fn ticket(daemon: &Arc<Daemon>, caller: &Caller) -> Result<Option<Ticket>, String> {
    match caller.real_uid {
        0 => Ok(None),
        uid => match daemon.admit(uid) {
            Ok(ticket) => Ok(Some(ticket)),
            Err(refusal) => Err(format!("uid {uid}: {}", refusal.message)),
        },
    }
}

impl Conversation<'_> {
    async fn answer(&mut self, method: Method) -> Reply {
        let waiting = self.waiting.take();
        let (Method::Authenticate { login }
        | Method::Admit { login }
        | Method::Open { login }
        | Method::Close { login }) = &method
        else {
            return self.answered(waiting, method).await;
        };
        if let Err(reply) = within_limits(login) {
            return reply;
        }
        let (daemon, caller) = (self.daemon, &self.caller);
        if let (Err(why), Method::Authenticate { login }) = (&self.ticket, &method) {
            return refused(steps::crowded(daemon, login, why));
        }
        match method {
            Method::Authenticate { login } => {
                let (step, waiting) = steps::begin(daemon, login).await;
                self.waiting = waiting;
                stepped(step)
            }
            Method::Admit { login } => match steps::admit(daemon, caller, &login).await {
                Ok(notice) => Reply::new(&Admitted { notice }),
                Err(message) => refused(message),
            },
            Method::Open { login } => empty(steps::open(daemon, caller, login).await),
            Method::Close { login } => {
                steps::close(daemon, caller, &login);
                empty(Ok(()))
            }
            Method::Answer { .. } => Reply::error(OUT_OF_TURN, &()),
        }
    }

    async fn answered(&mut self, waiting: Option<Authentication>, method: Method) -> Reply {
        match (waiting, method) {
            (Some(authentication), Method::Answer { text }) => {
                stepped(steps::answer(self.daemon, &self.caller, authentication, text).await)
            }
            _ => Reply::error(OUT_OF_TURN, &()),
        }
    }
}

fn within_limits(login: &Login) -> Result<(), Reply> {
    let fits = |text: &str| text.len() <= NAME_BYTES && !text.contains('\0');
    let optional = |text: &Option<String>| text.as_deref().is_none_or(fits);
    match () {
        () if !fits(&login.user) => Err(invalid("user")),
        () if !fits(&login.service) => Err(invalid("service")),
        () if !optional(&login.source) => Err(invalid("source")),
        () if !optional(&login.terminal) => Err(invalid("terminal")),
        () => Ok(()),
    }
}

fn stepped(step: Result<Step, String>) -> Reply {
    match step {
        Ok(step) => Reply::new(&Stepped { step }),
        Err(message) => refused(message),
    }
}

fn empty(result: Result<(), String>) -> Reply {
    match result {
        Ok(()) => Reply::new(&serde_json::Map::new()),
        Err(message) => refused(message),
    }
}

fn refused(message: String) -> Reply {
    Reply::error(REFUSED, &Refused { message })
}
