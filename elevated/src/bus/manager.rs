//! `org.elevate.Elevated1.Manager`.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use elevate_protocol::limits::{NAME_BYTES, REASON_BYTES};
use elevate_protocol::{ErrorName, Id, bus as names, seqpacket};
use zbus::fdo::RequestNameFlags;
use zbus::message::Header;
use zbus::{Connection, OwnedObjectPath, interface};

use super::ask::{self, Fields};
use super::caller;
use super::error::BusError;
use super::{extend, publish, recordings, rules, status, why};
use crate::audit;
use crate::conversation::{self, Ballot, FreshOrder, MfaOrder, Refusal, Stream};
use crate::daemon::Daemon;
use crate::elevation::{Elevation, Event, Problem};

/// The daemon's own object.
#[derive(Debug)]
pub struct Manager(Arc<Daemon>);

/// Answer calls on `bus` from now on.
pub async fn serve(daemon: Arc<Daemon>, bus: &Connection) -> zbus::Result<()> {
    for elevation in daemon.elevations() {
        publish::appear(&daemon, bus, &elevation).await?;
    }
    bus.object_server().at(names::PATH, Manager(daemon)).await?;
    // The one that has the name keeps it.
    let flags = RequestNameFlags::DO_NOT_QUEUE;
    bus.request_name_with_flags(names::NAME, flags).await?;
    Ok(())
}

#[interface(name = "org.elevate.Elevated1.Manager", introspection_docs = false)]
impl Manager {
    /// Ask for a command. What follows is said on the stream.
    #[zbus(out_args("request", "stream"))]
    async fn elevate(
        &self,
        ask: Fields,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<(OwnedObjectPath, zbus::OwnedFd), BusError> {
        let uid = caller::uid(bus, &header).await?;
        let refuse = |refusal| self.refuse(uid, "", "elevate", refusal);
        let ask = ask::read(ask).map_err(refuse)?;
        let id = self.0.new_id();
        let hold = |daemon, stream| conversation::elevate(daemon, uid, id, ask, stream);
        let stream = self.converse(uid, hold).map_err(refuse)?;
        Ok((OwnedObjectPath::try_from(names::request_path(id))?, stream))
    }

    /// Vote on a request. What follows is said on the stream.
    #[zbus(out_args("stream"))]
    async fn vote(
        &self,
        id: &str,
        approve: bool,
        digest: &str,
        comment: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<zbus::OwnedFd, BusError> {
        let uid = caller::uid(bus, &header).await?;
        within("a comment", &comment)?;
        let invalid = |why: &str| Refusal::new(ErrorName::InvalidArgument, why);
        let ballot = Ballot {
            id: parse(id)?,
            approve,
            shown: digest.parse().map_err(invalid)?,
            comment,
        };
        let refuse = |refusal| self.refuse(uid, id, "vote on", refusal);
        let hold = |daemon, stream| conversation::vote(daemon, uid, ballot, stream);
        Ok(self.converse(uid, hold).map_err(refuse)?)
    }

    /// Take one's own request back.
    async fn cancel(
        &self,
        id: &str,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<(), BusError> {
        let uid = caller::uid(bus, &header).await?;
        let elevation = self.see(uid, id, "cancel").await?;
        if uid != 0 && uid != elevation.asked.caller.account.uid {
            return Err(self.refuse(uid, id, "cancel", not_yours()).into());
        }
        let applied = self.0.apply(Event::Withdrawn(elevation.id)).await;
        Ok(applied.map_err(Refusal::from)?)
    }

    /// End a grant, and with it its session.
    async fn revoke(
        &self,
        id: &str,
        reason: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<(), BusError> {
        let uid = caller::uid(bus, &header).await?;
        within("a reason", &reason)?;
        // Whoever may see a grant may end it: its owner, root, and those who may approve it.
        let elevation = self.see(uid, id, "revoke").await?;
        let event = Event::Revoked {
            id: elevation.id,
            by: self.0.name_of(uid),
            reason,
        };
        Ok(self.0.apply(event).await.map_err(Refusal::from)?)
    }

    /// The requests that the caller may see.
    async fn list_requests(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<Vec<OwnedObjectPath>, BusError> {
        self.list(bus, &header, |_| true, names::request_path).await
    }

    /// The grants that the caller may see.
    async fn list_grants(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<Vec<OwnedObjectPath>, BusError> {
        self.list(
            bus,
            &header,
            |elevation| elevation.begun.is_some(),
            names::grant_path,
        )
        .await
    }

    /// The sessions that the caller may see.
    async fn list_sessions(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<Vec<OwnedObjectPath>, BusError> {
        self.list(
            bus,
            &header,
            |elevation| elevation.begun.is_some(),
            names::session_path,
        )
        .await
    }

    /// Ask for more time for one's own session. What follows is said on the stream.
    #[zbus(out_args("request", "stream"))]
    async fn extend(
        &self,
        ask: Fields,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<(OwnedObjectPath, zbus::OwnedFd), BusError> {
        let uid = caller::uid(bus, &header).await?;
        let refuse = |refusal| self.refuse(uid, "", "extend", refusal);
        let extension = extend::read(ask).map_err(refuse)?;
        let id = self.0.new_id();
        let hold = |daemon, stream| conversation::extend(daemon, uid, id, extension, stream);
        let stream = self.converse(uid, hold).map_err(refuse)?;
        Ok((OwnedObjectPath::try_from(names::request_path(id))?, stream))
    }

    /// Give a code that counts at this terminal from now on. What follows is said on the stream.
    #[zbus(out_args("stream"))]
    async fn validate(
        &self,
        mut ask: Fields,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<zbus::OwnedFd, BusError> {
        let terminal = ask::take(&mut ask, "terminal")?.unwrap_or_default();
        self.fresh(bus, &header, FreshOrder::Validate(terminal))
            .await
    }

    /// Have codes that were given at this terminal, or everywhere, count no more. What follows is
    /// said on the stream.
    #[zbus(out_args("stream"))]
    async fn forget(
        &self,
        everywhere: bool,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<zbus::OwnedFd, BusError> {
        let order = match everywhere {
            true => FreshOrder::ForgetEverywhere,
            false => FreshOrder::Forget,
        };
        self.fresh(bus, &header, order).await
    }

    /// Begin the shell of a login, recorded where a role wants it. What follows is said on the
    /// stream; the first reply is the shell itself, for where nothing is recorded.
    #[zbus(out_args("shell", "stream"))]
    async fn login_shell(
        &self,
        ask: Fields,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<(String, zbus::OwnedFd), BusError> {
        let uid = caller::uid(bus, &header).await?;
        let refuse = |refusal| self.refuse(uid, "", "log in", refusal);
        let ask = ask::read(ask).map_err(refuse)?;
        let account = conversation::account(&self.0, uid).await?;
        let shell = conversation::real_shell(&self.0, &account);
        let id = self.0.new_id();
        let hold = |daemon, stream| conversation::shell(daemon, uid, id, ask, stream);
        let stream = self.converse(uid, hold).map_err(refuse)?;
        Ok((shell, stream))
    }

    /// The rules of a user as JSON: one's own, or anybody's for root and auditors.
    async fn list_rules(
        &self,
        user: &str,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<String, BusError> {
        let uid = caller::uid(bus, &header).await?;
        rules::list(&self.0, uid, user).await
    }

    /// Watch a session live until what is returned is closed; for root and auditors. It closes by
    /// itself when the session is over.
    async fn follow(
        &self,
        id: &str,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<zbus::OwnedFd, BusError> {
        let uid = caller::uid(bus, &header).await?;
        self.audit(uid, id, "watch").await?;
        let found = self.0.elevation(parse(id)?).filter(Elevation::is_live);
        let elevation = found.ok_or_else(|| Refusal::from(Problem::not_found()))?;
        // Root is nobody in particular, and whoever is watched is no watcher.
        let requester = elevation.asked.caller.account.uid;
        let counts = uid != 0
            && uid != requester
            && caller::login(bus, &header)
                .await
                .map(|login| self.0.seen_from_outside(login))
                .is_some_and(|login| login.uid == Some(uid) && !login.elevated);
        Ok(self.0.watch(elevation.id, uid, counts)?.into())
    }

    /// Every recording on this host; for root and auditors.
    async fn list_recordings(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<Vec<status::Fields>, BusError> {
        let uid = caller::uid(bus, &header).await?;
        self.audit(uid, "", "list recordings").await?;
        Ok(recordings::list(&self.0)?)
    }

    /// A recording, to read; for root and auditors.
    async fn read_recording(
        &self,
        id: &str,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<zbus::OwnedFd, BusError> {
        let uid = caller::uid(bus, &header).await?;
        self.audit(uid, id, "play").await?;
        let id = parse(id)?;
        // A session that is no longer listed still has its recording.
        let file = recordings::open(id)?;
        self.0
            .record(audit::recording_read(id, (&self.0.name_of(uid), uid)));
        Ok(OwnedFd::from(file).into())
    }

    /// What the policy says of a command, and why, as JSON. Root may ask about others, other hosts and
    /// other times, with the keys of [`bus::why`](elevate_protocol::bus::why).
    async fn why(
        &self,
        mut ask: Fields,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<String, BusError> {
        let caller = caller::uid(bus, &header).await?;
        let user: Option<String> = ask::take(&mut ask, names::why::USER)?;
        let uid = why::subject(&self.0, caller, user).await?;
        let supposed = why::supposed(&mut ask, caller)?;
        let ask = ask::read(ask)?;
        let login = caller::login(bus, &header).await;
        Ok(why::why(&self.0, (uid, login), supposed, &ask, caller == 0).await?)
    }

    /// How the daemon is.
    async fn status(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<status::Fields, BusError> {
        let uid = caller::uid(bus, &header).await?;
        status::daemon(&self.0, uid).await
    }

    /// Enrol a second factor: one's own, or anybody's for root. What follows is said on the stream.
    #[zbus(out_args("stream"))]
    async fn enrol(
        &self,
        user: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<zbus::OwnedFd, BusError> {
        self.mfa(bus, &header, MfaOrder::Enrol, user).await
    }

    /// Remove a second factor. What follows is said on the stream.
    #[zbus(out_args("stream"))]
    async fn remove_factor(
        &self,
        user: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<zbus::OwnedFd, BusError> {
        self.mfa(bus, &header, MfaOrder::Remove, user).await
    }

    /// Replace recovery codes. What follows is said on the stream.
    #[zbus(out_args("stream"))]
    async fn new_recovery_codes(
        &self,
        user: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<zbus::OwnedFd, BusError> {
        self.mfa(bus, &header, MfaOrder::Renew, user).await
    }

    /// How a second factor is: one's own, or anybody's for root.
    async fn factor_status(
        &self,
        user: &str,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<status::Fields, BusError> {
        let uid = caller::uid(bus, &header).await?;
        status::factor(&self.0, uid, user).await
    }

    /// How the directory stands.
    async fn directory_status(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<status::Fields, BusError> {
        let uid = caller::uid(bus, &header).await?;
        status::directory(&self.0, uid)
    }

    /// Have every record of the directory fetched anew; for root alone.
    async fn sync_directory(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<(), BusError> {
        let uid = caller::uid(bus, &header).await?;
        if uid != 0 {
            let message = "only root may have the directory synchronised";
            let refusal = Refusal::new(ErrorName::NotAuthorized, message);
            return Err(self
                .refuse(uid, "", "synchronise the directory", refusal)
                .into());
        }
        let ordered = self.0.identities.sync();
        Ok(ordered.map_err(|why| {
            Refusal::new(ErrorName::Unavailable, why)
                .hint("an administrator finds out why with: systemctl status elevate-directory")
        })?)
    }

    /// Tell the caller of changes to what it may see, from now on.
    async fn subscribe(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] bus: &Connection,
    ) -> Result<(), BusError> {
        let uid = caller::uid(bus, &header).await?;
        let name = header.sender().map(ToString::to_string).unwrap_or_default();
        Ok(self.0.watchers.add(&name, uid)?)
    }
}

impl Manager {
    /// Whether `uid` may read and watch what others do; a refusal is on record.
    async fn audit(&self, uid: u32, id: &str, action: &str) -> Result<(), BusError> {
        if self.0.audits(uid).await? {
            return Ok(());
        }
        let message = "only auditors read or watch sessions";
        let refusal = Refusal::new(ErrorName::NotAuthorized, message)
            .hint("a role makes auditors of its members with: may = [\"audit\"]");
        Err(self.refuse(uid, id, action, refusal).into())
    }

    /// Begin a conversation with `uid`, and give out the client's end of its stream.
    fn converse<F>(
        &self,
        uid: u32,
        hold: impl FnOnce(Arc<Daemon>, Stream) -> F,
    ) -> Result<zbus::OwnedFd, Refusal>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let ticket = self.0.admit(uid)?;
        let (ours, theirs) = stream()?;
        let conversation = hold(Arc::clone(&self.0), ours);
        tokio::spawn(async move {
            conversation.await;
            drop(ticket);
        });
        Ok(theirs.into())
    }

    async fn fresh(
        &self,
        bus: &Connection,
        header: &Header<'_>,
        order: FreshOrder,
    ) -> Result<zbus::OwnedFd, BusError> {
        let uid = caller::uid(bus, header).await?;
        let refuse = |refusal| self.refuse(uid, "", "validate", refusal);
        let hold = |daemon, stream| conversation::fresh(daemon, uid, order, stream);
        Ok(self.converse(uid, hold).map_err(refuse)?)
    }

    async fn mfa(
        &self,
        bus: &Connection,
        header: &Header<'_>,
        order: MfaOrder,
        user: String,
    ) -> Result<zbus::OwnedFd, BusError> {
        let uid = caller::uid(bus, header).await?;
        if user.len() > NAME_BYTES {
            let message = format!("a name has at most {NAME_BYTES} bytes (NAME_BYTES)");
            return Err(Refusal::new(ErrorName::LimitExceeded, message).into());
        }
        let whose = user.clone();
        let hold = |daemon, stream| conversation::mfa(daemon, uid, order, user, stream);
        let held = self.converse(uid, hold);
        Ok(held.map_err(|refusal| self.refuse(uid, &whose, order.action(), refusal))?)
    }

    async fn see(&self, uid: u32, id: &str, action: &str) -> Result<Elevation, Refusal> {
        let seen = self.0.visible_one(uid, parse(id)?).await;
        seen.map_err(|refusal| self.refuse(uid, id, action, refusal))
    }

    /// Put a refusal on record.
    fn refuse(&self, uid: u32, id: &str, action: &str, refusal: Refusal) -> Refusal {
        let name = self.0.name_of(uid);
        self.0.record(audit::refused_vote(
            id,
            (&name, uid),
            action,
            &refusal.message,
        ));
        refusal
    }

    async fn list(
        &self,
        bus: &Connection,
        header: &Header<'_>,
        filter: fn(&Elevation) -> bool,
        path: fn(Id) -> String,
    ) -> Result<Vec<OwnedObjectPath>, BusError> {
        let uid = caller::uid(bus, header).await?;
        let mut visible = self.0.visible(uid).await?;
        visible.retain(filter);
        visible.sort_by_key(|elevation| (elevation.requested.wall, elevation.id));
        let paths = visible
            .into_iter()
            .map(|elevation| OwnedObjectPath::try_from(path(elevation.id)));
        Ok(paths.collect::<Result<_, _>>()?)
    }
}

fn stream() -> Result<(Stream, OwnedFd), Refusal> {
    let failed = |error: std::io::Error| Refusal::new(ErrorName::Failed, error.to_string());
    let (ours, theirs) = seqpacket::pair().map_err(failed)?;
    // Before the client has its end: what it says first must come with who it is.
    seqpacket::want_credentials(&ours).map_err(failed)?;
    Ok((Stream::new(ours).map_err(failed)?, theirs))
}

pub(super) fn parse(id: &str) -> Result<Id, Refusal> {
    id.parse().map_err(|_| Problem::not_found().into())
}

fn within(what: &str, text: &str) -> Result<(), Refusal> {
    if text.len() <= REASON_BYTES {
        return Ok(());
    }
    let message = format!("{what} has at most {REASON_BYTES} bytes (REASON_BYTES)");
    Err(Refusal::new(ErrorName::LimitExceeded, message))
}

fn not_yours() -> Refusal {
    Refusal::new(
        ErrorName::NotAuthorized,
        "only the requester takes a request back",
    )
    .hint("an approver can say no with: elevatectl deny ID")
}
