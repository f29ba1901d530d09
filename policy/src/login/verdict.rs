//! A login against the roles.

use std::cmp::Reverse;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::membership::Standing;
use crate::mfa::Mfa;
use crate::names::RoleName;
use crate::people::{Membership, People, Role};
use crate::policy::Policy;
use crate::shown::shown;
use crate::when::{Door, Fit, Origin, Scene, When};

/// Somebody wants to log in.
#[derive(Clone, Copy, Debug)]
pub struct LoginQuestion<'a> {
    /// The name they log in by.
    pub user: &'a str,
    /// The names of this host: its nodename, and that without its domain.
    pub host: &'a [&'a str],
    /// The PAM service, as in pam_start(3).
    pub service: &'a str,
    /// Where they come from; `None` at a console, and where only a name is known.
    pub from: Option<IpAddr>,
    /// When.
    pub at: Timestamp,
}

/// The answer to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginVerdict {
    /// A role lets them in, once what is owed is there.
    Admitted {
        /// The role; of several the one that owes least, and of those the one that lasts longest.
        role: RoleName,
        /// What second factor is owed.
        mfa: Option<Mfa>,
        /// Whether the login is recorded: where any role says so that lets them in, or may.
        record: bool,
        /// When the hours of the role are over; `None` when they are never. Whoever is in by
        /// then stays.
        until: Option<Timestamp>,
    },
    /// No role lets them in.
    Refused {
        /// Why, for the record and for administrators: it tells of roles.
        why: String,
    },
}

/// Roles that a refusal tells of, each with its reason.
const TOLD: usize = 8;

impl Policy {
    /// Answers a login. The default is no; a role lets in whom it certainly includes, where all
    /// that its `login.when` says fits.
    pub fn login(&self, q: &LoginQuestion<'_>, people: &dyn People) -> LoginVerdict {
        let (mut admitting, mut reasons) = (Vec::new(), Vec::new());
        let mut record = false;
        let standing = Standing::new(self, q.user, people);
        for role in self.roles.values() {
            let membership = standing.has(&role.name);
            if membership == Membership::No {
                continue;
            }
            let fits = q.fits(&role.login.when);
            // Nobody comes in unrecorded by another role, and none the less where their groups
            // cannot be looked up.
            record |= role.login.record && fits.is_ok();
            let objection = match (membership, fits) {
                (Membership::Yes, Ok(until)) => {
                    admitting.push((role, until));
                    continue;
                }
                (Membership::Yes, Err(objection)) => objection,
                _ => "a membership could not be found out".to_owned(),
            };
            reasons.push(format!("role `{}`: {objection}", role.name));
        }
        // Of equal ones the first, by name.
        let least = admitting.into_iter().min_by_key(|(role, until)| {
            let end = until.unwrap_or(Timestamp::MAX);
            (role.login.mfa, Reverse(end))
        });
        match least {
            Some((role, until)) => LoginVerdict::Admitted {
                role: role.name.clone(),
                mfa: role.login.mfa,
                record,
                until,
            },
            None => LoginVerdict::Refused {
                why: refusal(q, &reasons),
            },
        }
    }

    /// Whether some role takes `user` in on a host of these names: whether they belong there at
    /// all. By which service, when and from where is left aside.
    pub fn admits(&self, user: &str, host: &[&str], people: &dyn People) -> Membership {
        let standing = Standing::new(self, user, people);
        let here = |role: &&Role| role.login.when.is_on(host);
        let roles = self.roles.values().filter(here);
        Membership::any(roles.map(|role| standing.has(&role.name)))
    }
}

impl LoginQuestion<'_> {
    /// Until when all that a role's `login.when` says fits, or the first thing that doesn't.
    fn fits(&self, when: &When) -> Result<Option<Timestamp>, String> {
        let scene = Scene {
            host: self.host,
            door: Some(Door {
                service: self.service,
                from: self.from.map_or(Origin::Here, Origin::Address),
            }),
            terminal: false,
            at: self.at,
        };
        match when.fit(&scene) {
            Fit::Yes => Ok(when.until(self.at)),
            Fit::No(condition, why) | Fit::Unknown(condition, why) => {
                Err(format!("{why}, by `login.{}`", condition.key()))
            }
        }
    }
}

fn refusal(q: &LoginQuestion<'_>, reasons: &[String]) -> String {
    let user = shown(q.user);
    if reasons.is_empty() {
        return format!("no role includes {user}");
    }
    let told = reasons.iter().take(TOLD).map(String::as_str);
    let more = match reasons.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let told: Vec<_> = told.collect();
    format!("no role lets {user} in: {}{more}", told.join("; "))
}
