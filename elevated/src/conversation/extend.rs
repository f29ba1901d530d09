//! The conversation behind `elevatectl extend`: more time for a session, through what its rule
//! demands.

use std::sync::Arc;
use std::time::Duration;

use elevate_policy::{Rule, RuleName, Terms};
use elevate_protocol::{ErrorName, Id};

use super::arrival::Arrival;
use super::elevate::stand;
use super::factor::{self, Asked as AskedFactor};
use super::forbidden::forbidden;
use super::proof::{self, Proved};
use super::reason::{interaction, reason};
use super::stream::{Refusal, Stop, Stream};
use super::wait;
use crate::audit;
use crate::clock::Moment;
use crate::daemon::Daemon;
use crate::elevation::{Asked, Caller, Digest, Elevation, Given, Problem, Shown, Stage};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Which session is to last longer.
    pub session: Id,
    /// By how long; by the rule's default time if none is named.
    pub duration: Option<Duration>,
    /// Why.
    pub reason: Option<String>,
    /// Whether the person may be asked, and waits.
    pub interactive: bool,
    /// Whether there is a terminal to ask on.
    pub terminal: bool,
}

/// Hold the conversation of the request `id` for more time.
pub async fn extend(daemon: Arc<Daemon>, uid: u32, id: Id, extension: Extension, stream: Stream) {
    match file(&daemon, uid, id, &extension, &stream).await {
        Ok(()) => wait::until_granted(daemon, id, stream, false, None).await,
        Err(Stop::Refused(refusal)) => {
            let session = extension.session;
            let why = &refusal.message;
            let who = (daemon.name_of(uid), uid);
            daemon.record(audit::refused_vote(
                session.as_str(),
                (&who.0, who.1),
                "extend",
                why,
            ));
            stream.refuse(&refusal).await;
        }
        Err(Stop::Gone) => {}
    }
}

async fn file(
    daemon: &Arc<Daemon>,
    uid: u32,
    id: Id,
    extension: &Extension,
    stream: &Stream,
) -> Result<(), Stop> {
    let proved = proof::prove(daemon, stream, uid).await?;
    let session = own_session(daemon, uid, extension.session)?;
    let arrival = Arrival::of(daemon, uid, Some(&proved.login));
    let terms = terms_now(daemon, &session, &arrival).await?;
    room(&session)?;
    let needed = terms.owed.approvals;
    if needed > 0 && !extension.interactive {
        return Err(interaction("this needs an approval, and -n waits for nobody").into());
    }
    let may_ask = extension.interactive && extension.terminal;
    let factor = factor(daemon, stream, may_ask, &proved, &session, &terms).await?;
    let given = extension.reason.as_deref();
    let reason = reason(given, terms.owed, may_ask, stream).await?;
    // A person can take their time to answer: what was owed must be so still.
    terms_now(daemon, &session, &arrival).await?;
    let asked = Asked {
        caller: Caller {
            account: session.asked.caller.account.clone(),
            login_uid: proved.login.uid,
            pid: proved.pid,
        },
        reason,
        duration: extension.duration.unwrap_or(session.terms.default),
        ..session.asked.clone()
    };
    stand(
        daemon,
        standing(daemon, id, &session, asked, needed, factor),
    )
    .await
}

/// The session, if it is the caller's and runs. To others it is as if it were not there.
fn own_session(daemon: &Daemon, uid: u32, id: Id) -> Result<Elevation, Refusal> {
    let found = daemon.elevation(id);
    let own = found.filter(|session| session.is_live() && session.asked.caller.account.uid == uid);
    own.ok_or_else(|| Problem::not_found().into())
}

/// What the session's rule demands, if it still says what it said, and still of this person, who came
/// so; and if no deny forbids by now what the session does.
async fn terms_now(
    daemon: &Daemon,
    session: &Elevation,
    arrival: &Arrival,
) -> Result<Terms, Refusal> {
    let (policy, accounts) = daemon.facts().await?;
    let name = RuleName::new(&session.rule).ok();
    let content = name.and_then(|name| policy.content_digest(&name));
    let user = &session.asked.caller.account.name;
    let rules = policy.rules_for(user, &*accounts);
    let same = |rule: &&&Rule| rule.name.as_str() == session.rule;
    let rule = rules.iter().find(same);
    let (Some(rule), Some(terms)) = (rule, rule.and_then(|rule| rule.terms.clone())) else {
        return Err(changed());
    };
    if content.map(Digest::from) != Some(session.rule_content) {
        return Err(changed());
    }
    let (unmet, forbidden) = arrival.in_scene(|scene| {
        let forbidden = forbidden(&policy, &*accounts, session, scene);
        (rule.when.unmet(&scene), forbidden)
    });
    if let Some(refusal) = forbidden {
        return Err(refusal);
    }
    match unmet {
        None => Ok(terms),
        Some(unmet) => {
            let key = unmet.key();
            let message = format!("the session's rule does not hold here and now (`{key}`)");
            let hint = "`elevate -l` shows where and when your rules hold";
            Err(Refusal::new(ErrorName::Denied, message).hint(hint))
        }
    }
}

fn changed() -> Refusal {
    Refusal::new(
        ErrorName::Changed,
        "the session's rule, or who it is for, changed since it began",
    )
    .hint("finish in time, and ask anew")
}

/// Whether the rule leaves the session any more time.
fn room(session: &Elevation) -> Result<(), Refusal> {
    match (session.deadline, session.latest_end()) {
        (Some(deadline), Some(latest)) if deadline < latest => Ok(()),
        _ => Err(Refusal::new(
            ErrorName::LimitExceeded,
            match session.terms.until {
                Some(until) if session.deadline >= Some(until) => {
                    "the session lasts until its rule's time is over already (when.hours, when.valid)"
                }
                _ => "the session lasts as long as its rule allows already (limit.max)",
            },
        )
        .hint("finish in time, and ask anew")),
    }
}

async fn factor(
    daemon: &Daemon,
    stream: &Stream,
    may_ask: bool,
    proved: &Proved,
    session: &Elevation,
    terms: &Terms,
) -> Result<Given, Stop> {
    let asked = AskedFactor {
        account: &session.asked.caller.account,
        proved,
        purpose: &format!("extend {}", session.id),
    };
    factor::owe(daemon, stream, asked, terms.owed.mfa, may_ask).await
}

fn standing(
    daemon: &Daemon,
    id: Id,
    session: &Elevation,
    asked: Asked,
    needed: u32,
    factor: Given,
) -> Elevation {
    let now = Moment::now();
    let rule = (session.rule.as_str(), session.rule_content);
    let machine = &daemon.host.machine_id;
    let digest = Shown::new(machine, &asked, rule, Some(session.id)).digest();
    Elevation {
        id,
        digest,
        factor,
        needed,
        requested: now,
        expires: session.terms.lapse(now, daemon.settings.request_timeout),
        votes: Vec::new(),
        stage: Stage::Waiting,
        begun: None,
        deadline: None,
        processes: None,
        execs: 0,
        extends: Some(session.id),
        asked,
        ..session.clone()
    }
}
