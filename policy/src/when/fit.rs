//! Conditions against what is known of somebody.

use jiff::Timestamp;

use super::{Door, HostPattern, Network, Origin, When};
use crate::judge::Condition;
use crate::shown::shown;

/// What is known of where, when and how somebody comes.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The names of this host: its nodename, and that without its domain.
    pub host: &'a [&'a str],
    /// How they logged in, as that login was recorded; `None` where it is not known.
    pub door: Option<Door<'a>>,
    /// Whether they are at a terminal, by the kernel's word.
    pub terminal: bool,
    /// When.
    pub at: Timestamp,
}

/// Whether conditions are met, with the first that isn't and why, in words for administrators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    No(Condition, String),
    /// None of them certainly fails, and this one cannot be told.
    Unknown(Condition, String),
}

impl When {
    /// Whether all of it is met.
    pub(crate) fn fit(&self, scene: &Scene<'_>) -> Fit {
        let mut unknown = None;
        let checks = [
            Self::host,
            Self::service,
            Self::network,
            Self::hour,
            Self::validity,
            Self::tty,
        ];
        for check in checks {
            match check(self, scene) {
                Fit::Yes => {}
                no @ Fit::No(..) => return no,
                doubt @ Fit::Unknown(..) => unknown = unknown.or(Some(doubt)),
            }
        }
        unknown.unwrap_or(Fit::Yes)
    }

    /// The first condition that isn't certainly met; `None` where all are.
    #[must_use]
    pub fn unmet(&self, scene: &Scene<'_>) -> Option<Condition> {
        match self.fit(scene) {
            Fit::Yes => None,
            Fit::No(condition, _) | Fit::Unknown(condition, _) => Some(condition),
        }
    }

    /// Whether it speaks of hosts of these names.
    pub(crate) fn is_on(&self, host: &[&str]) -> bool {
        let fits = |hosts: &Vec<HostPattern>| hosts.iter().any(|pattern| pattern.matches(host));
        self.hosts.as_ref().is_none_or(fits)
    }

    fn host(&self, scene: &Scene<'_>) -> Fit {
        fit(self.is_on(scene.host), Condition::Hosts, || {
            format!("not on this host ({})", shown(&scene.host.join(", ")))
        })
    }

    fn service(&self, scene: &Scene<'_>) -> Fit {
        let Some(services) = &self.services else {
            return Fit::Yes;
        };
        let Some(door) = scene.door else {
            return no_door(Condition::Services);
        };
        let named = services.iter().any(|service| service == door.service);
        fit(named, Condition::Services, || {
            format!("not by `{}`", shown(door.service))
        })
    }

    fn network(&self, scene: &Scene<'_>) -> Fit {
        let Some(networks) = &self.from else {
            return Fit::Yes;
        };
        let Some(door) = scene.door else {
            return no_door(Condition::From);
        };
        let inside = |from| {
            networks
                .iter()
                .any(|network: &Network| network.contains(from))
        };
        match door.from {
            Origin::Address(from) => {
                fit(inside(from), Condition::From, || format!("not from {from}"))
            }
            Origin::Here => Fit::No(Condition::From, "not from no address".into()),
            Origin::Unknown => {
                let why = "the login came from what is no address";
                Fit::Unknown(Condition::From, why.into())
            }
        }
    }

    fn hour(&self, scene: &Scene<'_>) -> Fit {
        let covered = match &self.hours {
            Some(hours) => hours.iter().any(|hours| hours.contains(scene.at)),
            None => true,
        };
        fit(covered, Condition::Hours, || format!("not at {}", scene.at))
    }

    fn validity(&self, scene: &Scene<'_>) -> Fit {
        let covered = self
            .valid
            .as_ref()
            .is_none_or(|valid| valid.contains(scene.at));
        fit(covered, Condition::Valid, || format!("not at {}", scene.at))
    }

    fn tty(&self, scene: &Scene<'_>) -> Fit {
        let wanted = self.terminal.is_none_or(|wanted| wanted == scene.terminal);
        fit(wanted, Condition::Terminal, || match scene.terminal {
            true => "not at a terminal".into(),
            false => "not without a terminal".into(),
        })
    }
}

fn fit(met: bool, condition: Condition, why: impl FnOnce() -> String) -> Fit {
    match met {
        true => Fit::Yes,
        false => Fit::No(condition, why()),
    }
}

fn no_door(condition: Condition) -> Fit {
    let why = "how they logged in is not on record (`elevatectl login enable SERVICE`)";
    Fit::Unknown(condition, why.into())
}
