//! An LDAP server as a source.

pub mod probe;
pub mod progress;
pub mod search;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use elevate_protocol::Secret;
use tokio_rustls::rustls::ClientConfig;

use crate::cursor::Cursor;
use crate::ldap::Error;
use crate::ldap::connection::Connection;
use crate::ldap::reply::Reply;
use crate::ldap::request::Request;
use crate::ldap::uri::Uri;
use crate::members::Members;
use crate::settings::Settings;
use crate::source::{Event, Problem, Reached, Source};
use probe::{Due, Probe};
use search::{Mode, Searches};

/// `unavailableCriticalExtension`: the server doesn't know a control.
const UNKNOWN_CONTROL: i64 = 12;

/// The servers of the settings, of which one is followed.
pub struct Server {
    settings: Rc<Settings>,
    tls: Arc<ClientConfig>,
    password: Option<Secret>,
    members: Option<Members>,
    /// Servers that can't tell changes.
    silent: Vec<Uri>,
    following: Option<Following>,
}

struct Following {
    uri: Uri,
    connection: Connection,
    searches: Searches,
    mode: Mode,
    probe: Probe,
    /// When everything is to be read again, once it has been.
    again: Option<Instant>,
}

impl Server {
    /// With the password of `bind_dn`.
    pub fn new(settings: Rc<Settings>, tls: Arc<ClientConfig>, password: Option<Secret>) -> Self {
        Server {
            settings,
            tls,
            password,
            members: None,
            silent: Vec::new(),
            following: None,
        }
    }

    async fn connect(&self, uri: &Uri) -> Result<Connection, Error> {
        let timeout = self.settings.timeout;
        let mut connection = Connection::open(uri, &self.tls, timeout).await?;
        if let (Some(dn), Some(password)) = (&self.settings.bind_dn, &self.password) {
            let request = Request::bind(dn, password.reveal().as_bytes());
            connection.bind(&request, timeout).await?;
        }
        Ok(connection)
    }

    /// Whether the searches go on from the cursor.
    fn start(
        &mut self,
        uri: &Uri,
        connection: Connection,
        cursor: Option<&str>,
    ) -> Result<bool, Problem> {
        let mode = match self.silent.contains(uri) {
            true => Mode::Read,
            false => Mode::Told,
        };
        let cursor = cursor
            .and_then(Cursor::read)
            .filter(|cursor| mode == Mode::Told && cursor.serves(uri, self.members.is_some()));
        match (&cursor, &mut self.members) {
            (None, members) => *members = Some(Members::default()),
            (Some(_), Some(members)) => members.begin(),
            (Some(_), None) => {}
        }
        let from_cursor = cursor.is_some();
        self.following = Some(Following {
            uri: uri.clone(),
            connection,
            searches: Searches::new(&self.settings, mode, uri.to_string(), cursor)?,
            mode,
            probe: Probe::new(Instant::now(), self.settings.timeout),
            again: None,
        });
        Ok(from_cursor)
    }
}

impl Source for Server {
    fn origin(&self) -> String {
        self.settings.source()
    }

    async fn follow(&mut self, cursor: Option<&str>) -> Result<Reached, Problem> {
        let settings = Rc::clone(&self.settings);
        let mut problems = Vec::new();
        for uri in &settings.servers {
            match self.connect(uri).await {
                Ok(connection) => {
                    let from_cursor = self.start(uri, connection, cursor)?;
                    return Ok(Reached {
                        name: uri.to_string(),
                        from_cursor,
                    });
                }
                Err(error) => problems.push(format!("{uri}: {error}")),
            }
        }
        Err(Problem::Unreachable(problems.join("; ")))
    }

    async fn next(&mut self) -> Result<Event, Problem> {
        let Some(following) = &mut self.following else {
            return Err(Problem::Unreachable("no server is followed".to_owned()));
        };
        let outcome = following.next(&self.settings, &mut self.members).await;
        if let Err(NextError::UnknownControl(why)) = &outcome
            && following.mode == Mode::Told
        {
            self.silent.push(following.uri.clone());
            return Err(Problem::Anew(format!(
                "{}: {why}; everything is read every {} s instead",
                following.uri,
                self.settings.poll.as_secs()
            )));
        }
        let uri = &following.uri;
        outcome.map_err(|error| match error {
            NextError::UnknownControl(why) => Problem::Unreachable(format!("{uri}: {why}")),
            NextError::Ldap(error) => Problem::Unreachable(format!("{uri}: {error}")),
            NextError::Problem(Problem::Unreachable(why)) => {
                Problem::Unreachable(format!("{uri}: {why}"))
            }
            NextError::Problem(Problem::Anew(why)) => Problem::Anew(format!("{uri}: {why}")),
        })
    }

    fn forget(&mut self) {
        self.members = None;
    }

    async fn close(&mut self) {
        if let Some(following) = self.following.take() {
            following.connection.close().await;
        }
    }
}

enum NextError {
    UnknownControl(String),
    Ldap(Error),
    Problem(Problem),
}

impl From<Error> for NextError {
    fn from(error: Error) -> Self {
        NextError::Ldap(error)
    }
}

impl From<Problem> for NextError {
    fn from(problem: Problem) -> Self {
        NextError::Problem(problem)
    }
}

impl Following {
    async fn next(
        &mut self,
        settings: &Settings,
        members: &mut Option<Members>,
    ) -> Result<Event, NextError> {
        loop {
            if let Some(event) = self.searches.events.pop_front() {
                if matches!(event, Event::Refreshed { .. }) && self.mode == Mode::Read {
                    self.again = Some(Instant::now() + settings.poll);
                }
                return Ok(event);
            }
            if let Some((kind, request, control)) = self.searches.wanted.take() {
                let id = self.connection.queue(&request, Some(&control));
                self.searches.sent(kind, id);
            }
            match self.connection.message()? {
                Some(message) => {
                    if let Reply::Done(outcome) = &message.reply
                        && outcome.code == UNKNOWN_CONTROL
                    {
                        return Err(NextError::UnknownControl(outcome.to_string()));
                    }
                    self.searches.take(&message, settings, members)?;
                }
                None => {
                    if let Some(event) = self.wait().await? {
                        return Ok(event);
                    }
                }
            }
        }
    }

    /// Until there is more to read, or something to tell without it.
    async fn wait(&mut self) -> Result<Option<Event>, NextError> {
        let due = self
            .again
            .map_or(self.probe.due(), |again| again.min(self.probe.due()));
        let connection = &mut self.connection;
        let heard = async {
            connection.flush().await?;
            connection.ready().await
        };
        tokio::select! {
            biased;
            outcome = heard => {
                outcome?;
                Ok(self.probe.heard(Instant::now()).then_some(Event::Alive))
            }
            () = tokio::time::sleep_until(due.into()) => self.look(),
        }
    }

    fn look(&mut self) -> Result<Option<Event>, NextError> {
        let now = Instant::now();
        if self.again.is_some_and(|again| now >= again) {
            return Ok(Some(Event::Over));
        }
        match self.probe.look(now) {
            Due::Wait => Ok(None),
            Due::Ask => {
                self.connection.queue(&Request::who_am_i(), None);
                Ok(None)
            }
            Due::Silent => Err(NextError::Ldap(Error::Timeout(
                "a sign of life",
                self.probe.timeout(),
            ))),
        }
    }
}
