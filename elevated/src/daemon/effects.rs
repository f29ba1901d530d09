//! From an event to what is done about it.

use elevate_policy::RuleName;
use elevate_protocol::launch::ToLeader;
use elevate_protocol::stream::EndReason;
use elevate_protocol::{ErrorName, Id, escape};

use super::Daemon;
use crate::elevation::{Effect, Elevation, Event, News, Problem};
use crate::notices;

impl Daemon {
    /// Let `event` happen, and carry out what follows. What must be on disk is, before anything
    /// that rests on it is done.
    pub async fn apply(&self, event: Event) -> Result<(), Problem> {
        let (effects, writes) = {
            let mut core = self.core();
            let effects = core.elevations.step(event, self.now())?;
            // The orders are given under the lock, so that records reach the disk in the order of
            // their states.
            let writes: Vec<_> = effects
                .iter()
                .filter_map(|effect| self.write(effect))
                .collect();
            (effects, writes)
        };
        for (id, write) in writes {
            if let Err(error) = write.await {
                return Err(self.unsaved(id, &error));
            }
        }
        if effects.is_empty() {
            // One more exec, of which there may be thousands a second: nothing is due otherwise.
            return Ok(());
        }
        for effect in effects {
            self.carry_out(effect);
        }
        self.due.notify_one();
        Ok(())
    }

    fn write(
        &self,
        effect: &Effect,
    ) -> Option<(
        Id,
        impl Future<Output = Result<(), crate::store::Error>> + use<>,
    )> {
        match effect {
            Effect::Save(elevation) => Some((elevation.id, self.store.save(elevation.clone()))),
            _ => None,
        }
    }

    /// The record is not on disk: nothing that rests on it may happen.
    fn unsaved(&self, id: Id, error: &crate::store::Error) -> Problem {
        eprintln!("elevation {id}: {error}");
        let problem = Problem::new(ErrorName::Failed, format!("nothing was run: {error}"));
        let message = problem.message.clone();
        let failed = Event::Failed {
            id,
            error: ErrorName::Failed,
            message,
        };
        let effects = self
            .core()
            .elevations
            .step(failed, self.now())
            .unwrap_or_default();
        // Its own record can't be written either; the journal has it.
        effects
            .into_iter()
            .for_each(|effect| self.carry_out(effect));
        self.tell(id, News::Closed(problem.clone()));
        problem
    }

    fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::Save(_) => {}
            Effect::Forget(id) => {
                self.store.forget(id);
                self.changed(id, None);
            }
            Effect::Audit(entry) => self.record(entry),
            Effect::Tell(id, news) => self.tell(id, news),
            Effect::AskApprovers(id) => self.ask_approvers(id),
            Effect::End(id, reason) => self.end(id, reason),
            Effect::Extend(id, deadline) => self.order(id, ToLeader::Extend { deadline }),
            Effect::Changed(id) => self.changed(id, self.elevation(id)),
        }
    }

    fn tell(&self, id: Id, news: News) {
        if let Some((sender, _)) = self.core().news.get(&id) {
            // Whoever waited may have gone.
            let _ = sender.send(news);
        }
    }

    pub(super) fn end(&self, id: Id, reason: EndReason) {
        let told = self
            .leader(id)
            .is_some_and(|leader| leader.send(ToLeader::End { reason }).is_ok());
        if !told {
            eprintln!("session {id} has no leader to end it; the launcher ends its tree");
        }
    }

    /// Tell the leader of a session. One that is gone has no session either.
    pub(super) fn order(&self, id: Id, order: ToLeader) {
        if let Some(leader) = self.leader(id) {
            let _ = leader.send(order);
        }
    }

    /// Tell those who may approve a request, on their terminals.
    fn ask_approvers(&self, id: Id) {
        let Some(elevation) = self.elevation(id) else {
            return;
        };
        let line = notice(&elevation);
        for uid in self.approvers(&elevation) {
            notices::show(uid, &line);
        }
    }

    /// Everybody who may approve `elevation`, but the requester.
    fn approvers(&self, elevation: &Elevation) -> Vec<u32> {
        let policy = self.core().policies.policy();
        let Ok(accounts) = self.identities.accounts(&policy) else {
            return Vec::new();
        };
        let Ok(rule) = RuleName::new(&elevation.rule) else {
            return Vec::new();
        };
        let everybody = accounts.everybody().map(|(name, _)| name);
        let candidates = policy.candidates(&rule, everybody, &*accounts);
        let uids = candidates
            .into_iter()
            .filter_map(|name| accounts.by_name(name).ok());
        uids.map(|account| account.uid)
            .filter(|uid| *uid != elevation.asked.caller.account.uid)
            .collect()
    }
}

fn notice(elevation: &Elevation) -> String {
    let asked = &elevation.asked;
    let user = escape::line(asked.caller.account.name.as_bytes());
    let target = escape::line(asked.target.name.as_bytes());
    let reason = asked.reason.as_deref().map_or(String::new(), |reason| {
        format!(" ({})", escape::line(reason.as_bytes()))
    });
    let id = elevation.id;
    format!(
        "elevate: {user} asks to run as {target}: {}{reason}\r\n\
         elevate: look with `elevatectl show {id}`, then `elevatectl approve {id}` or `deny {id}`",
        elevation.command(),
    )
}
