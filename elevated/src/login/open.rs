//! Login sessions that are open, as the PAM module told of them.

use elevate_protocol::login::Login;
use serde::{Deserialize, Serialize};

use super::Given;
use crate::process::ProcessId;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLogin {
    /// Who, through which door, from where.
    pub login: Login,
    /// Their uid.
    pub uid: u32,
    /// The process that opened it and will close it.
    pub process: ProcessId,
    /// Its audit session, where the kernel gave it one.
    pub audit_session: Option<u32>,
    /// What was given for it.
    pub given: Given,
    /// The role that wants it recorded.
    #[serde(default)]
    pub recorded: Option<String>,
    /// Whether a recorded shell has begun in it.
    #[serde(default)]
    pub shell_began: bool,
}

/// All of them.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenLogins(Vec<OpenLogin>);

impl OpenLogins {
    /// One opens.
    pub fn open(&mut self, login: OpenLogin) {
        self.0.push(login);
    }

    /// The one that `process` opened for `user`, still open.
    pub fn of(&self, process: ProcessId, user: &str) -> Option<&OpenLogin> {
        self.0
            .iter()
            .find(|open| open.process == process && open.login.user == user)
    }

    /// The one of `uid` that became this audit session.
    pub fn in_audit_session(&self, uid: u32, audit_session: u32) -> Option<&OpenLogin> {
        self.0
            .iter()
            .find(|open| open.uid == uid && open.audit_session == Some(audit_session))
    }

    /// The one that `process` opened for `user` is over.
    pub fn close(&mut self, process: ProcessId, user: &str) -> Option<OpenLogin> {
        let place = self
            .0
            .iter()
            .rposition(|open| open.process == process && open.login.user == user)?;
        Some(self.0.remove(place))
    }

    /// Drop those whose process is gone without having closed them.
    pub fn sweep(&mut self, is_there: impl Fn(ProcessId) -> bool) -> Vec<OpenLogin> {
        let (open, gone) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|open| is_there(open.process));
        self.0 = open;
        gone
    }

    /// A shell begins in the login of `uid` that became this audit session: the role that wants it
    /// recorded, if one does.
    pub fn shell(&mut self, uid: u32, audit_session: u32) -> Option<String> {
        let of_it = |open: &&mut OpenLogin| {
            open.uid == uid && open.audit_session == Some(audit_session) && open.recorded.is_some()
        };
        let open = self.0.iter_mut().find(of_it)?;
        open.shell_began = true;
        open.recorded.clone()
    }

    /// The processes that opened them.
    pub fn processes(&self) -> Vec<ProcessId> {
        self.0.iter().map(|open| open.process).collect()
    }

    /// Whether the login that `process` opened must be recorded, and is not.
    pub fn lacks_shell(&self, process: ProcessId) -> Option<&OpenLogin> {
        let open = self.0.iter().find(|open| open.process == process)?;
        (open.recorded.is_some() && !open.shell_began).then_some(open)
    }

    /// How many of `uid` there are.
    pub fn count(&self, uid: u32) -> usize {
        self.0.iter().filter(|open| open.uid == uid).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(pid: i32) -> OpenLogin {
        OpenLogin {
            login: Login {
                service: "sshd".into(),
                user: "alice".into(),
                source: None,
                terminal: None,
            },
            uid: 5000,
            process: ProcessId { pid, start: 1 },
            audit_session: Some(7),
            given: Given::Totp,
            recorded: None,
            shell_began: false,
        }
    }

    #[test]
    fn a_recorded_login_lacks_its_shell_until_it_begins() {
        let mut logins = OpenLogins::default();
        let recorded = OpenLogin {
            recorded: Some("vendor".into()),
            ..open(1)
        };
        logins.open(open(2));
        logins.open(recorded.clone());
        assert_eq!(logins.lacks_shell(open(2).process), None);
        assert_eq!(logins.lacks_shell(open(1).process), Some(&recorded));
        assert_eq!(logins.shell(5001, 7), None);
        assert_eq!(logins.shell(5000, 8), None);
        assert_eq!(logins.shell(5000, 7), Some("vendor".into()));
        assert_eq!(logins.lacks_shell(open(1).process), None);
    }

    #[test]
    fn a_login_is_known_by_its_own_audit_session_and_uid_while_it_is_open() {
        let mut logins = OpenLogins::default();
        logins.open(open(1));
        assert_eq!(logins.in_audit_session(5000, 7), Some(&open(1)));
        assert_eq!(logins.in_audit_session(5001, 7), None);
        assert_eq!(logins.in_audit_session(5000, 8), None);
        logins.close(open(1).process, "alice");
        assert_eq!(logins.in_audit_session(5000, 7), None);
    }

    #[test]
    fn a_session_is_closed_by_the_process_that_opened_it() {
        let mut logins = OpenLogins::default();
        logins.open(open(1));
        logins.open(open(2));
        assert_eq!(logins.close(ProcessId { pid: 3, start: 1 }, "alice"), None);
        assert_eq!(logins.close(ProcessId { pid: 1, start: 1 }, "bob"), None);
        assert_eq!(logins.close(open(1).process, "alice"), Some(open(1)));
        assert_eq!(logins.count(5000), 1);
        assert_eq!(logins.sweep(|_| false), [open(2)]);
        assert_eq!(logins.count(5000), 0);
    }
}
