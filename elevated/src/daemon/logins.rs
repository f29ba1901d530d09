//! Logins between the door and their end.

use std::path::Path;
use std::sync::Arc;

use elevate_protocol::login::Login;

use super::Daemon;
use super::core::Core;
use super::kept_logins::KeptLogins;
use crate::audit;
use crate::login::{Given, OpenLogin, Passed};
use crate::process::{self, ProcessId};

impl Daemon {
    /// Keep logins in this file from now on, and take up again those that are in it.
    pub fn keep_logins_in(self: &Arc<Self>, path: &Path) {
        let kept = KeptLogins::new(path, &self.host.boot_id);
        let mut core = self.core();
        (core.passed, core.open_logins) = kept.load();
        self.sweep(&mut core);
        drop(core);
        // The first one stays.
        let _ = self.kept_logins.set(kept);
        self.expect_shells();
        tokio::spawn(Arc::clone(self).keep_changed_logins());
    }

    /// Nobody at a door waits for the file: it follows in a moment.
    async fn keep_changed_logins(self: Arc<Self>) {
        loop {
            self.logins_changed.notified().await;
            self.keep_logins();
        }
    }

    /// Bring the file in step.
    pub fn keep_logins(&self) {
        if let Some(kept) = self.kept_logins.get() {
            let (passed, open) = {
                let core = self.core();
                (core.passed.clone(), core.open_logins.clone())
            };
            kept.save(&passed, &open);
        }
    }

    /// A login gave what it owed.
    pub fn passed(&self, passed: Passed) {
        let mut core = self.core();
        core.passed.note(passed);
        self.logins_changed.notify_one();
    }

    /// Nothing that `uid` gave counts for a login any more.
    pub(super) fn forget_passed(&self, uid: u32) {
        let mut core = self.core();
        core.passed.forget(uid);
        self.logins_changed.notify_one();
    }

    /// What the login that `process` goes on with has given.
    pub fn given(&self, login: &Login, uid: u32, process: ProcessId) -> Option<Given> {
        let now = self.now().boot;
        let core = self.core();
        let open = core.open_logins.of(process, &login.user);
        let passed = core.passed.find(login, uid, process, now);
        passed
            .map(|passed| passed.given)
            .or(open.map(|open| open.given))
    }

    /// The open login of `uid` that `login` is part of, as the module told of it. The recorded shell
    /// of a login is an audit session of its own; the client that began it is of the login's.
    pub fn door(&self, uid: u32, login: &process::Login) -> Option<Login> {
        let own = login.place.map(|place| place.audit_session);
        let session = login.session.and_then(|id| self.elevation(id));
        let recorded = session.filter(|session| session.asked.subject.is_login());
        let audit_session = match recorded {
            Some(shell) => process::audit_session(shell.asked.caller.pid)
                .ok()
                .flatten(),
            None => own,
        }?;
        let mut core = self.core();
        self.sweep(&mut core);
        let open = core.open_logins.in_audit_session(uid, audit_session)?;
        Some(open.login.clone())
    }

    /// A session opens: the code given for it counts for that login from now on.
    pub fn opened(&self, login: OpenLogin) {
        let now = self.now().boot;
        let mut core = self.core();
        self.sweep(&mut core);
        let passed = core
            .passed
            .take(&login.login, login.uid, login.process, now);
        if let (Some(passed), Some(audit_session)) = (passed, login.audit_session)
            && passed.given.is_factor()
        {
            self.freshness
                .note_login(login.uid, audit_session, passed.at);
        }
        core.open_logins.open(login);
        self.logins_changed.notify_one();
    }

    /// Those whose process is gone are over, though nobody could or did say so.
    fn sweep(&self, core: &mut Core) {
        for gone in core.open_logins.sweep(is_there) {
            forget_audit_session(self, &gone);
            let uid = Some(gone.uid);
            let entry = audit::login_session(&gone.login, uid, gone.audit_session, false);
            self.record(entry);
        }
    }

    /// How many sessions of `uid` are open.
    pub(super) fn open_logins(&self, uid: u32) -> usize {
        let mut core = self.core();
        self.sweep(&mut core);
        core.open_logins.count(uid)
    }

    /// A session closes.
    pub fn closed(&self, process: ProcessId, user: &str) -> Option<OpenLogin> {
        let mut core = self.core();
        let closed = core.open_logins.close(process, user)?;
        self.logins_changed.notify_one();
        forget_audit_session(self, &closed);
        Some(closed)
    }
}

fn forget_audit_session(daemon: &Daemon, login: &OpenLogin) {
    if let Some(audit_session) = login.audit_session {
        daemon.freshness.close(audit_session);
    }
}

fn is_there(process: ProcessId) -> bool {
    process::stat(process.pid).is_ok_and(|stat| stat.process == process)
}
