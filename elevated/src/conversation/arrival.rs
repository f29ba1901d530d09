//! How somebody came here, for the conditions of rules: what the kernel and the record of logins say,
//! and nothing that they say themselves.

use elevate_policy::{Door, Scene};
use elevate_protocol::login;
use jiff::Timestamp;

use crate::daemon::Daemon;
use crate::login::origin;
use crate::process;

/// How somebody came here.
#[derive(Debug, Clone, Default)]
pub struct Arrival {
    login: Option<login::Login>,
    terminal: bool,
    host: Vec<String>,
}

impl Arrival {
    /// That of `uid`, by the login behind their process; without one nothing is known but the host.
    pub fn of(daemon: &Daemon, uid: u32, login: Option<&process::Login>) -> Self {
        Arrival {
            login: login.and_then(|login| daemon.door(uid, login)),
            terminal: login.is_some_and(|login| login.terminal),
            host: daemon.host.names(),
        }
    }

    /// The same as `judge` is told it, at this moment.
    pub(super) fn in_scene<T>(&self, judge: impl FnOnce(Scene<'_>) -> T) -> T {
        let host: Vec<&str> = self.host.iter().map(String::as_str).collect();
        let door = self.login.as_ref().map(|login| Door {
            service: &login.service,
            from: origin(login),
        });
        judge(Scene {
            host: &host,
            door,
            terminal: self.terminal,
            at: Timestamp::now(),
        })
    }
}
