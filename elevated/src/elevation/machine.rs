//! The transitions.

use std::collections::BTreeMap;

use elevate_protocol::limits::{EXECS_PER_SESSION, REQUESTS_PER_USER, SESSIONS_PER_USER};
use elevate_protocol::stream::{EndReason, Status};
use elevate_protocol::{ErrorName, Id};

use super::record::Closing;
use super::vote::{Voter, admissible};
use super::{Digest, Elevation, End, Problem, Stage, Vote};
use crate::audit;
use crate::clock::Moment;

/// How long after its deadline a session that its leader has not ended is ended from here.
const LEADER_LATE_MS: u64 = 500;
/// How long things that are over stay listed.
const KEPT_MS: u64 = 60 * 60 * 1000;
/// How many things that are over stay listed; the journal has all of them.
const KEPT: usize = 200;

/// Every elevation that is waiting or live, and those that ended lately.
#[derive(Debug, Default)]
pub struct Elevations {
    records: BTreeMap<Id, Elevation>,
}

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// The policy allowed a request, with what it still owes written in it.
    Asked(Box<Elevation>),
    /// Somebody voted.
    Voted {
        /// On which request.
        id: Id,
        /// Who.
        voter: Voter,
        /// Yes or no.
        approve: bool,
        /// Why.
        comment: String,
        /// The digest of what they were shown.
        shown: Digest,
        /// What the rule says now, hashed; none where it is gone.
        rule_content: Option<Digest>,
        /// As which approvers those who agreed earlier may approve now, by uid; as none, where they
        /// left or lost the role.
        earlier: BTreeMap<u32, Vec<usize>>,
    },
    /// The requester took it back, or their client went away.
    Withdrawn(Id),
    /// The policy was loaded anew: what each waiting request's rule says now.
    PolicyChanged(BTreeMap<Id, Option<Digest>>),
    /// The command's process is there, and its leader.
    Started {
        /// Which session.
        id: Id,
        /// The leader's and the command's process id.
        processes: (i32, i32),
    },
    /// The command was executed.
    Running(Id),
    /// A process of the session executes something.
    Exec(Id),
    /// The session could not begin.
    Failed {
        /// Which session.
        id: Id,
        /// What kind of failure.
        error: ErrorName,
        /// What failed.
        message: String,
    },
    /// The session is over.
    Ended {
        /// Which session.
        id: Id,
        /// How the command ended.
        status: Option<Status>,
        /// Why.
        reason: EndReason,
        /// Execs reported in all, where the leader could say.
        execs: Option<u64>,
    },
    /// Somebody ends a grant.
    Revoked {
        /// Which grant.
        id: Id,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// Time went by.
    Tick,
}

/// What is to be done because of it, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Write the record; what follows waits for the disk.
    Save(Box<Elevation>),
    /// Forget the record.
    Forget(Id),
    /// Put it on record.
    Audit(audit::Entry),
    /// Tell the client that waits on this request.
    Tell(Id, News),
    /// Tell those who may approve it.
    AskApprovers(Id),
    /// Have the leader end the session.
    End(Id, EndReason),
    /// Have the leader let the session go on until this time of the boot clock.
    Extend(Id, u64),
    /// Tell watchers that it changed.
    Changed(Id),
}

/// What a waiting client hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It waits.
    Waiting,
    /// Somebody voted.
    Voted {
        /// Who.
        voter: String,
        /// Yes or no.
        approved: bool,
        /// Approvals so far.
        agreed: u32,
    },
    /// The grant stands.
    Granted,
    /// There will be none.
    Closed(Problem),
}

type Step = Result<Vec<Effect>, Problem>;

impl Elevations {
    /// What was on disk when the daemon started.
    pub fn restore(records: impl IntoIterator<Item = Elevation>) -> Self {
        let records = records
            .into_iter()
            .map(|elevation| (elevation.id, elevation))
            .collect();
        Elevations { records }
    }

    /// All of them, in the order of their ids.
    pub fn all(&self) -> impl Iterator<Item = &Elevation> {
        self.records.values()
    }

    /// One of them.
    pub fn get(&self, id: Id) -> Option<&Elevation> {
        self.records.get(&id)
    }

    /// When something is next due, on the boot clock.
    pub fn next_due(&self) -> Option<u64> {
        let due = |elevation: &Elevation| match elevation.stage {
            Stage::Waiting => Some(elevation.expires),
            Stage::Granted | Stage::Running => elevation.deadline.map(|at| at + LEADER_LATE_MS),
            _ => None,
        };
        self.all().filter_map(due).min()
    }

    /// The next state and what is to be done.
    pub fn step(&mut self, event: Event, now: Moment) -> Step {
        match event {
            Event::Asked(elevation) => self.asked(*elevation, now),
            Event::Voted {
                id,
                voter,
                approve,
                comment,
                shown,
                rule_content,
                earlier,
            } => {
                let vote = Vote {
                    voter: voter.name.clone(),
                    uid: voter.uid,
                    approved: approve,
                    comment,
                    covers: voter.covers.clone(),
                    factor: voter.factor,
                    at: now,
                };
                self.voted(id, &voter, vote, shown, (rule_content, earlier), now)
            }
            Event::Withdrawn(id) => self.withdrawn(id),
            Event::PolicyChanged(contents) => Ok(self.policy_changed(&contents)),
            Event::Started { id, processes } => self.started(id, processes),
            Event::Running(id) => self.running(id),
            Event::Exec(id) => self.exec(id),
            Event::Failed { id, error, message } => self.failed(id, error, message),
            Event::Ended {
                id,
                status,
                reason,
                execs,
            } => self.ended(
                id,
                End {
                    status,
                    reason,
                    at: now,
                },
                execs,
            ),
            Event::Revoked { id, by, reason } => self.revoked(id, by, reason),
            Event::Tick => Ok(self.tick(now)),
        }
    }

    fn asked(&mut self, mut elevation: Elevation, now: Moment) -> Step {
        let id = elevation.id;
        let uid = elevation.asked.caller.account.uid;
        if self.records.contains_key(&id) {
            return Err(Problem::new(
                ErrorName::Failed,
                "this id is taken; ask again",
            ));
        }
        self.check_limits(uid)?;
        if elevation.terms.is_over(now) {
            return Err(Problem::out_of_time());
        }
        elevation.votes.clear();
        elevation.stage = Stage::Waiting;
        let entry = Effect::Audit(audit::request(&elevation));
        let waits = elevation.needed > 0;
        let saved = Effect::Save(Box::new(elevation.clone()));
        self.records.insert(id, elevation);
        let mut effects = match waits {
            false => self.grant(id, now),
            true => vec![
                saved,
                Effect::Tell(id, News::Waiting),
                Effect::AskApprovers(id),
                Effect::Changed(id),
            ],
        };
        effects.insert(1, entry);
        Ok(effects)
    }

    fn check_limits(&self, uid: u32) -> Result<(), Problem> {
        let of_user = || self.all().filter(|e| e.asked.caller.account.uid == uid);
        if of_user().filter(|e| e.stage == Stage::Waiting).count() >= REQUESTS_PER_USER {
            let message = format!(
                "you have {REQUESTS_PER_USER} requests waiting (REQUESTS_PER_USER); \
                 `elevatectl cancel ID` takes one back"
            );
            return Err(Problem::new(ErrorName::LimitExceeded, message));
        }
        if of_user().filter(|e| e.is_live()).count() >= SESSIONS_PER_USER {
            let message = format!("you have {SESSIONS_PER_USER} sessions (SESSIONS_PER_USER)");
            return Err(Problem::new(ErrorName::LimitExceeded, message));
        }
        Ok(())
    }

    fn voted(
        &mut self,
        id: Id,
        voter: &Voter,
        vote: Vote,
        shown: Digest,
        (rule_content, earlier): (Option<Digest>, BTreeMap<u32, Vec<usize>>),
        now: Moment,
    ) -> Step {
        let elevation = self.records.get_mut(&id).ok_or_else(Problem::not_found)?;
        admissible(elevation, voter, shown)?;
        if rule_content != Some(elevation.rule_content) {
            return Ok(close(elevation, Closing::Changed));
        }
        if now.boot >= elevation.expires {
            return Ok(close(elevation, Closing::TimedOut));
        }
        elevation.reconsider(earlier);
        elevation.votes.push(vote.clone());
        let news = News::Voted {
            voter: vote.voter.clone(),
            approved: vote.approved,
            agreed: elevation.agreed(),
        };
        let entry = audit::vote(elevation, &vote);
        let mut effects = if !vote.approved {
            close(elevation, Closing::Denied)
        } else if elevation.agreed() >= elevation.needed {
            self.grant(id, now)
        } else {
            vec![
                Effect::Save(Box::new(elevation.clone())),
                Effect::Changed(id),
            ]
        };
        effects.splice(1..1, [Effect::Audit(entry), Effect::Tell(id, news)]);
        Ok(effects)
    }

    fn withdrawn(&mut self, id: Id) -> Step {
        let elevation = self.records.get_mut(&id).ok_or_else(Problem::not_found)?;
        if elevation.stage != Stage::Waiting {
            return Err(Problem::decided(elevation));
        }
        Ok(close(elevation, Closing::Withdrawn))
    }

    fn policy_changed(&mut self, contents: &BTreeMap<Id, Option<Digest>>) -> Vec<Effect> {
        let waiting = self
            .records
            .values_mut()
            .filter(|e| e.stage == Stage::Waiting);
        let changed = waiting.filter(|elevation| match contents.get(&elevation.id) {
            Some(content) => *content != Some(elevation.rule_content),
            None => true,
        });
        changed
            .flat_map(|elevation| close(elevation, Closing::Changed))
            .collect()
    }

    fn started(&mut self, id: Id, processes: (i32, i32)) -> Step {
        let elevation = self.live(id)?;
        elevation.processes = Some(processes);
        Ok(Vec::new())
    }

    fn running(&mut self, id: Id) -> Step {
        let elevation = self.live(id)?;
        elevation.stage = Stage::Running;
        Ok(vec![
            Effect::Save(Box::new(elevation.clone())),
            Effect::Audit(audit::start(elevation)),
            Effect::Changed(id),
        ])
    }

    fn exec(&mut self, id: Id) -> Step {
        let elevation = self.live(id)?;
        elevation.execs += 1;
        if elevation.execs == EXECS_PER_SESSION {
            return Ok(vec![Effect::End(id, EndReason::RecordingFailed)]);
        }
        Ok(Vec::new())
    }

    fn failed(&mut self, id: Id, error: ErrorName, message: String) -> Step {
        let elevation = self.live(id)?;
        elevation.stage = Stage::Failed { error, message };
        Ok(over(elevation))
    }

    fn ended(&mut self, id: Id, end: End, execs: Option<u64>) -> Step {
        let elevation = self.live(id)?;
        elevation.execs = execs.unwrap_or(elevation.execs);
        elevation.stage = Stage::Over(end);
        Ok(over(elevation))
    }

    fn revoked(&mut self, id: Id, by: String, reason: String) -> Step {
        let elevation = self.live(id).map_err(|_| Problem::not_found())?;
        let entry = audit::revoke(elevation, &by, &reason);
        Ok(vec![
            Effect::Audit(entry),
            Effect::End(id, EndReason::Revoked { by }),
        ])
    }

    fn tick(&mut self, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        for elevation in self.records.values_mut() {
            if elevation.stage == Stage::Waiting && now.boot >= elevation.expires {
                effects.extend(close(elevation, Closing::TimedOut));
            }
            let late = elevation
                .deadline
                .is_some_and(|at| now.boot >= at + LEADER_LATE_MS);
            if elevation.is_live() && late {
                effects.push(Effect::End(elevation.id, EndReason::Deadline));
            }
        }
        effects.extend(self.forget(now));
        effects
    }

    /// What was asked for begins: a session, or more time for one.
    fn grant(&mut self, id: Id, now: Moment) -> Vec<Effect> {
        let Some(elevation) = self.records.get_mut(&id) else {
            return Vec::new();
        };
        match elevation.extends {
            None => grant(elevation, now),
            Some(session) => self.extend(id, session),
        }
    }

    /// The session lasts longer, and never beyond the longest time of its rule.
    fn extend(&mut self, id: Id, session: Id) -> Vec<Effect> {
        let Some(mut extension) = self.records.remove(&id) else {
            return Vec::new();
        };
        let by = extension.asked.duration.as_millis() as u64;
        let longer = self.live(session).ok().and_then(|session| {
            let deadline = session.deadline?;
            let later = (deadline + by).min(session.latest_end()?);
            (later > deadline).then(|| {
                session.deadline = Some(later);
                (session.clone(), later)
            })
        });
        let effects = match longer {
            None => close(&mut extension, Closing::Changed),
            Some((session, deadline)) => {
                extension.stage = Stage::Extended;
                vec![
                    Effect::Save(Box::new(extension.clone())),
                    Effect::Audit(audit::extend(&session, &extension)),
                    Effect::Save(Box::new(session.clone())),
                    Effect::Extend(session.id, deadline),
                    Effect::Tell(id, News::Granted),
                    Effect::Changed(id),
                    Effect::Changed(session.id),
                ]
            }
        };
        self.records.insert(id, extension);
        effects
    }

    /// Drop what has been over for long, and the oldest beyond what is kept.
    fn forget(&mut self, now: Moment) -> Vec<Effect> {
        let mut over: Vec<(u64, Id)> = self
            .all()
            .filter(|elevation| elevation.is_over())
            .map(|elevation| (elevation.requested.wall, elevation.id))
            .collect();
        over.sort_unstable();
        let surplus = over.len().saturating_sub(KEPT);
        let old = |(place, (at, _)): &(usize, (u64, Id))| {
            *place < surplus || now.wall.saturating_sub(*at) > KEPT_MS
        };
        let gone = over
            .into_iter()
            .enumerate()
            .filter(old)
            .map(|(_, (_, id))| id);
        gone.map(|id| {
            self.records.remove(&id);
            Effect::Forget(id)
        })
        .collect()
    }

    fn live(&mut self, id: Id) -> Result<&mut Elevation, Problem> {
        let elevation = self
            .records
            .get_mut(&id)
            .filter(|elevation| elevation.is_live());
        elevation.ok_or_else(Problem::not_found)
    }
}

/// The grant begins. Nothing but this makes a session possible.
fn grant(elevation: &mut Elevation, now: Moment) -> Vec<Effect> {
    elevation.begin(now);
    vec![
        Effect::Save(Box::new(elevation.clone())),
        Effect::Audit(audit::grant(elevation)),
        Effect::Tell(elevation.id, News::Granted),
        Effect::Changed(elevation.id),
    ]
}

/// The request ends without a grant.
fn close(elevation: &mut Elevation, outcome: Closing) -> Vec<Effect> {
    elevation.stage = Stage::Closed { outcome };
    let mut effects = vec![Effect::Save(Box::new(elevation.clone()))];
    effects.extend(audit::closing(elevation, outcome).map(Effect::Audit));
    effects.push(Effect::Tell(
        elevation.id,
        News::Closed(Problem::closed(elevation, outcome)),
    ));
    effects.push(Effect::Changed(elevation.id));
    effects
}

/// The session is over, or never began.
fn over(elevation: &Elevation) -> Vec<Effect> {
    vec![
        Effect::Save(Box::new(elevation.clone())),
        Effect::Audit(audit::end(elevation)),
        Effect::Changed(elevation.id),
    ]
}
