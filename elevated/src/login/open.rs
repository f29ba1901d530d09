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
        }
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
