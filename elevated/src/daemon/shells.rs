//! Logins that must be recorded: their shell begins as a session of ours, or they end.

use std::sync::Arc;

use elevate_protocol::Id;
use elevate_protocol::limits::SHELL_TIME;

use super::Daemon;
use crate::audit;
use crate::clock::Moment;
use crate::launch;
use crate::process::{self, Login, ProcessId};

impl Daemon {
    /// A shell begins in a login of `uid`: the role that wants it recorded, if one does. A shell
    /// within a recorded one is recorded with it.
    pub fn recorded_shell(&self, uid: u32, login: &Login) -> Option<String> {
        let own = login.uid == Some(uid) && login.session.is_none();
        let place = login.place.filter(|_| own)?;
        let mut core = self.core();
        let role = core.open_logins.shell(uid, place.audit_session)?;
        self.logins_changed.notify_one();
        Some(role)
    }

    /// `login`, as one that nobody elevated where it runs in the recorded session of a login.
    pub fn seen_from_outside(&self, login: Login) -> Login {
        let session = login.session.and_then(|id| self.elevation(id));
        let own = session.is_some_and(|session| session.asked.subject.is_login());
        Login {
            elevated: login.elevated && !own,
            ..login
        }
    }

    /// The recorded shell of a login is an audit session of its own: the code that was given at the
    /// door counts in it, too.
    pub(super) fn bring_code_along(&self, id: Id) {
        let found = self.elevation(id).filter(|e| e.asked.subject.is_login());
        let Some((elevation, (_, pid))) = found.and_then(|e| e.processes.map(|pids| (e, pids)))
        else {
            return;
        };
        let audit_session = process::audit_session(pid).ok().flatten();
        if let (Some(age), Some(audit_session)) = (elevation.factor.age(), audit_session) {
            let at = Moment {
                boot: elevation.requested.boot.saturating_sub(age),
                ..elevation.requested
            };
            let uid = elevation.asked.caller.account.uid;
            self.freshness.note_login(uid, audit_session, at);
        }
    }

    /// End the login that `process` opened, unless its recorded shell begins soon.
    pub fn expect_shell(self: &Arc<Self>, process: ProcessId) {
        let daemon = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(SHELL_TIME).await;
            daemon.end_unrecorded(process).await;
        });
    }

    /// The same for every login, after a restart.
    pub(super) fn expect_shells(self: &Arc<Self>) {
        let processes = self.core().open_logins.processes();
        for process in processes {
            self.expect_shell(process);
        }
    }

    async fn end_unrecorded(&self, process: ProcessId) {
        let lacking = self.core().open_logins.lacks_shell(process).cloned();
        let Some(open) = lacking else {
            return;
        };
        let why = "it must be recorded, and no recorded shell began in it";
        self.record(audit::login_refused(&open.login, Some(open.uid), why));
        if let Ok(bus) = self.bus() {
            launch::end_login(bus, process.pid, open.uid).await;
        }
    }
}
