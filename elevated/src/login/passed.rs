//! Logins that gave what they owed, from the moment they did until their session opens.
//!
//! sshd authenticates in a child and opens the session in the process that forked it, so a login is
//! known by either: by nothing that it says of itself.

use elevate_protocol::login::Login;
use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::process::ProcessId;

/// How long what was given counts for the rest of the same login, in milliseconds. sshd's own bound,
/// `LoginGraceTime`, is two minutes.
const KEPT: u64 = 10 * 60 * 1000;

/// What was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// Nothing was owed.
    Nothing,
    /// A code of the authenticator.
    Totp,
    /// A recovery code.
    Recovery,
}

impl Given {
    /// One word, for the record.
    pub fn word(self) -> &'static str {
        match self {
            Given::Nothing => "none",
            Given::Totp => "totp",
            Given::Recovery => "recovery",
        }
    }

    /// Whether it was a second factor.
    pub fn is_factor(self) -> bool {
        self != Given::Nothing
    }
}

/// A login that gave what it owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Who, through which door, from where.
    pub login: Login,
    /// Their uid.
    pub uid: u32,
    /// The process that asked.
    pub process: ProcessId,
    /// The process that forked it.
    pub parent: Option<ProcessId>,
    /// What was given.
    pub given: Given,
    /// When.
    pub at: Moment,
}

/// All of them.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedLogins(Vec<Passed>);

impl PassedLogins {
    /// Another one, in place of what the same process gave before.
    pub fn note(&mut self, passed: Passed) {
        self.forget_old(passed.at.boot);
        self.0.retain(|known| known.process != passed.process);
        self.0.push(passed);
    }

    /// What `login`, as `process` now goes on with it, has given.
    pub fn find(&self, login: &Login, uid: u32, process: ProcessId, now: u64) -> Option<&Passed> {
        self.0.iter().rev().find(|passed| {
            let same_process = passed.process == process || passed.parent == Some(process);
            same_process
                && passed.uid == uid
                && same_door(&passed.login, login)
                && now.saturating_sub(passed.at.boot) <= KEPT
        })
    }

    /// It has opened its session: what was given is used up.
    pub fn take(
        &mut self,
        login: &Login,
        uid: u32,
        process: ProcessId,
        now: u64,
    ) -> Option<Passed> {
        let found = self.find(login, uid, process, now)?.clone();
        self.0.retain(|passed| *passed != found);
        self.forget_old(now);
        Some(found)
    }

    /// Nothing that `uid` gave counts any more.
    pub fn forget(&mut self, uid: u32) {
        self.0.retain(|passed| passed.uid != uid);
    }

    fn forget_old(&mut self, now: u64) {
        self.0
            .retain(|passed| now.saturating_sub(passed.at.boot) <= KEPT);
    }
}

/// The terminal is not known yet when sshd authenticates.
fn same_door(a: &Login, b: &Login) -> bool {
    a.service == b.service && a.user == b.user && a.source == b.source
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHILD: ProcessId = ProcessId { pid: 10, start: 1 };
    const MONITOR: ProcessId = ProcessId { pid: 9, start: 1 };

    fn login() -> Login {
        Login {
            service: "sshd".into(),
            user: "alice".into(),
            source: Some("192.0.2.1".into()),
            terminal: None,
        }
    }

    fn passed() -> PassedLogins {
        let mut passed = PassedLogins::default();
        passed.note(Passed {
            login: login(),
            uid: 5000,
            process: CHILD,
            parent: Some(MONITOR),
            given: Given::Totp,
            at: Moment {
                boot: 1000,
                wall: 0,
            },
        });
        passed
    }

    #[test]
    fn the_process_and_the_one_that_forked_it_go_on_with_the_login() {
        let with_terminal = Login {
            terminal: Some("ssh".into()),
            ..login()
        };
        assert!(passed().find(&login(), 5000, CHILD, 1000).is_some());
        assert!(passed().find(&with_terminal, 5000, MONITOR, 1000).is_some());
    }

    #[test]
    fn what_was_given_counts_for_no_other_login() {
        let passed = passed();
        let stranger = ProcessId { pid: 11, start: 1 };
        let reused = ProcessId { pid: 9, start: 2 };
        assert_eq!(passed.find(&login(), 5000, stranger, 1000), None);
        assert_eq!(passed.find(&login(), 5000, reused, 1000), None);
        assert_eq!(passed.find(&login(), 5001, MONITOR, 1000), None);
        let other = |change: fn(&mut Login)| {
            let mut login = login();
            change(&mut login);
            login
        };
        for login in [
            other(|login| login.user = "bob".into()),
            other(|login| login.service = "su".into()),
            other(|login| login.source = None),
        ] {
            assert_eq!(passed.find(&login, 5000, MONITOR, 1000), None);
        }
    }

    #[test]
    fn it_counts_for_one_session_and_for_a_while() {
        let mut passed = passed();
        assert_eq!(passed.find(&login(), 5000, MONITOR, 1001 + KEPT), None);
        assert!(passed.take(&login(), 5000, MONITOR, 2000).is_some());
        assert_eq!(passed.find(&login(), 5000, MONITOR, 2000), None);
    }
}
