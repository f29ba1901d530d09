//! How somebody came here, for the conditions of rules: what the kernel and the record of logins say,
//! and nothing that they say themselves.

use std::net::IpAddr;

use elevate_policy::{Door, Origin, Scene};
use jiff::Timestamp;

use crate::daemon::Daemon;
use crate::host::names_of;
use crate::login::origin;
use crate::process;

/// How somebody came here.
#[derive(Debug, Clone, Default)]
pub struct Arrival {
    /// The PAM service of their login, and where that came from.
    door: Option<(String, Origin)>,
    terminal: bool,
    host: Vec<String>,
    /// When it is, where that isn't now.
    at: Option<Timestamp>,
}

/// What is supposed of how somebody came, for whoever asks what the policy would say then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supposed {
    /// On the host of this name.
    pub host: Option<String>,
    /// Then.
    pub at: Option<Timestamp>,
    /// From this address, or from a console.
    pub from: Option<Option<IpAddr>>,
    /// By this PAM service.
    pub service: Option<String>,
}

impl Arrival {
    /// That of `uid`, by the login behind their process; without one nothing is known but the host.
    pub fn of(daemon: &Daemon, uid: u32, login: Option<&process::Login>) -> Self {
        let login_of = |login| daemon.door(uid, login);
        let door = login.and_then(login_of);
        Arrival {
            door: door.map(|login| (login.service.clone(), origin(&login))),
            terminal: login.is_some_and(|login| login.terminal),
            host: daemon.host.names(),
            at: None,
        }
    }

    /// The same, where something is supposed. Who came from somewhere came by something: by sshd, or
    /// by login at a console.
    pub fn supposing(self, supposed: Supposed) -> Self {
        let origin = supposed
            .from
            .map(|from| from.map_or(Origin::Here, Origin::Address));
        let usual = match origin {
            Some(Origin::Here) => "login",
            _ => "sshd",
        };
        let (service, from) = match (self.door, origin) {
            (Some((service, from)), None) => (Some(service), from),
            (_, Some(origin)) => (Some(usual.to_owned()), origin),
            (None, None) => (None, Origin::Unknown),
        };
        let service = supposed.service.or(service);
        Arrival {
            door: service.map(|service| (service, from)),
            terminal: self.terminal,
            host: supposed.host.map_or(self.host, |name| names_of(&name)),
            at: supposed.at.or(self.at),
        }
    }

    /// The same as `judge` is told it, at this moment.
    pub(super) fn in_scene<T>(&self, judge: impl FnOnce(Scene<'_>) -> T) -> T {
        let host: Vec<&str> = self.host.iter().map(String::as_str).collect();
        let door = self.door.as_ref().map(|(service, from)| Door {
            service,
            from: *from,
        });
        judge(Scene {
            host: &host,
            door,
            terminal: self.terminal,
            at: self.at.unwrap_or_else(Timestamp::now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the host, the door, and whether it is now.
    fn seen(arrival: &Arrival) -> (Vec<String>, Option<(String, Origin)>, bool) {
        let before = Timestamp::now();
        arrival.in_scene(|scene| {
            let host = scene.host.iter().map(|name| (*name).to_owned()).collect();
            let door = scene.door.map(|door| (door.service.to_owned(), door.from));
            (host, door, scene.at >= before)
        })
    }

    fn here() -> Arrival {
        Arrival {
            door: Some(("su".into(), Origin::Unknown)),
            host: vec!["here".into()],
            ..Arrival::default()
        }
    }

    #[test]
    fn where_nothing_is_supposed_all_is_as_it_is() {
        let arrival = here().supposing(Supposed::default());
        let door = Some(("su".to_owned(), Origin::Unknown));
        assert_eq!(seen(&arrival), (vec!["here".to_owned()], door, true));
    }

    #[test]
    fn another_host_has_its_short_name_too_and_another_time_is_not_now() {
        let arrival = here().supposing(Supposed {
            host: Some("db1.example.org".into()),
            at: Some(Timestamp::UNIX_EPOCH),
            ..Supposed::default()
        });
        let (host, _, now) = seen(&arrival);
        assert_eq!(
            (host, now),
            (vec!["db1.example.org".to_owned(), "db1".to_owned()], false)
        );
    }

    #[test]
    fn who_is_supposed_to_come_from_somewhere_comes_by_what_leads_from_there() {
        let door = |from, service: Option<&str>| {
            let supposed = Supposed {
                from,
                service: service.map(str::to_owned),
                ..Supposed::default()
            };
            seen(&Arrival::default().supposing(supposed)).1
        };
        let address: IpAddr = "10.0.0.7".parse().unwrap();
        let from = Origin::Address(address);
        assert_eq!(door(Some(Some(address)), None), Some(("sshd".into(), from)));
        assert_eq!(door(Some(None), None), Some(("login".into(), Origin::Here)));
        assert_eq!(
            door(Some(Some(address)), Some("x")),
            Some(("x".into(), from))
        );
        assert_eq!(door(None, Some("x")), Some(("x".into(), Origin::Unknown)));
        assert_eq!(door(None, None), None);
    }
}
