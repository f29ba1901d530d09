//! Every way that a small world can go: alice's requests, edited once, which two of bob and carol and
//! alice herself are to agree to; a rule that changes and changes back; bob, who leaves and returns;
//! clocks that run and are set; and a daemon that dies between any two of the things it has to do, and
//! finds again what was on disk. In each of them:
//!
//! 1. What runs was agreed to by two people other than alice, each of whom was shown this very request,
//!    may approve when it is granted, and voted while the rule said what it says then.
//! 2. Nothing is granted once somebody said no, or it was taken back, or its time to wait was over.
//! 3. What is over stays so, and nothing is granted twice.
//! 4. A client hears of a grant, or of a vote, only when that is on disk.
//! 5. What runs past its deadline is ended at the next look.
//! 6. Setting the wall clock changes none of this.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use elevate_policy::Membership;
use elevate_protocol::Id;
use elevate_protocol::stream::{EndReason, Status};

use super::properties::{granted, voter};
use super::samples::{ALICE, TIMEOUT, request};
use super::*;
use crate::clock::Moment;

const BOB: u32 = 2;
const CAROL: u32 = 3;
/// How many things happen in one world.
const DEPTH: usize = 6;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Something that happens.
#[derive(Debug, Clone, Copy)]
enum Move {
    /// Alice asks, or asks for something else instead.
    Ask,
    /// Somebody votes on one request, having been shown one.
    Vote {
        uid: u32,
        on: usize,
        shown: usize,
        yes: bool,
    },
    Withdraw(usize),
    Run(usize),
    End(usize),
    /// Bob leaves the role, or comes back.
    Bob,
    /// The rule says something else, or what it said first.
    Rule,
    /// The daemon loads the policy.
    Load,
    /// Half of the time that a request waits goes by.
    Wait,
    /// Somebody sets the wall clock.
    Set(i64),
}

#[derive(Debug, Clone, Default)]
struct World {
    memory: BTreeMap<Id, Elevation>,
    disk: BTreeMap<Id, Elevation>,
    asked: Vec<Elevation>,
    boot: u64,
    set: i64,
    /// Whether bob is away, and whether the rule is another one.
    away: bool,
    other: bool,
    /// Who agreed to what, in truth: who was shown it, and what the rule said then.
    agreed: BTreeSet<(Id, u32, bool)>,
    refused: BTreeSet<Id>,
    granted: BTreeSet<Id>,
    over: BTreeSet<Id>,
}

impl World {
    fn moves(&self) -> Vec<Move> {
        let mut moves = vec![Move::Bob, Move::Rule, Move::Load, Move::Wait];
        moves.extend([Move::Set(-DAY), Move::Set(DAY)]);
        if self.asked.len() < 2 {
            moves.push(Move::Ask);
        }
        let requests = 0..self.asked.len();
        for on in requests.clone() {
            moves.extend([Move::Withdraw(on), Move::Run(on), Move::End(on)]);
            for uid in [ALICE, BOB, CAROL] {
                for shown in requests.clone() {
                    let vote = |yes| Move::Vote {
                        uid,
                        on,
                        shown,
                        yes,
                    };
                    moves.extend([vote(true), vote(false)]);
                }
            }
        }
        moves
    }

    fn now(&self) -> Moment {
        let wall = 1_800_000_000_000 + self.boot as i64 + self.set;
        Moment {
            boot: self.boot,
            wall: wall as u64,
        }
    }

    fn rule(&self) -> Digest {
        match self.other {
            true => Digest::of(b"another rule"),
            false => Digest::of(b"rule"),
        }
    }

    fn may_approve(&self, uid: u32) -> bool {
        uid != BOB || !self.away
    }

    /// The worlds that this move leads to: one where all is done, and one for each place where the
    /// daemon dies on the way.
    fn after(&self, this: Move) -> Vec<World> {
        let mut world = self.clone();
        let Some(event) = world.happens(this) else {
            return vec![world];
        };
        let voted = match &event {
            Event::Voted { id, voter, .. } => Some((*id, voter.uid)),
            _ => None,
        };
        let ticks = matches!(event, Event::Tick);
        let mut machine = Elevations::restore(world.memory.values().cloned());
        let Ok(effects) = machine.step(event, world.now()) else {
            // Refused, and nothing is another.
            return Vec::new();
        };
        if ticks {
            world.check_ends(&machine, &effects);
        }
        let memory: BTreeMap<Id, Elevation> =
            machine.all().map(|one| (one.id, one.clone())).collect();
        if let Some((id, uid)) = voted {
            world.count(&memory, id, uid);
        }
        (0..=effects.len())
            .map(|done| world.done(&memory, &effects[..done], done == effects.len()))
            .collect()
    }

    /// What it is for the daemon.
    fn happens(&mut self, this: Move) -> Option<Event> {
        match this {
            Move::Ask => {
                let mut new = request(self.asked.len() as u64 + 1, 2, 10_000, self.now());
                new.asked
                    .argv
                    .push(format!("{}", self.asked.len()).as_str().into());
                new.rule_content = self.rule();
                let rule = ("rule", new.rule_content);
                new.digest = Shown::new("machine", &new.asked, rule, None).digest();
                self.asked.push(new.clone());
                Some(Event::Asked(Box::new(new)))
            }
            Move::Vote {
                uid,
                on,
                shown,
                yes,
            } => {
                let may = match self.may_approve(uid) {
                    true => Membership::Yes,
                    false => Membership::No,
                };
                let still = [BOB, CAROL]
                    .into_iter()
                    .filter(|uid| self.may_approve(*uid));
                Some(Event::Voted {
                    id: self.asked[on].id,
                    voter: Voter {
                        may_approve: may,
                        ..voter(uid)
                    },
                    approve: yes,
                    comment: String::new(),
                    shown: self.asked[shown].digest,
                    rule_content: Some(self.rule()),
                    earlier: still.map(|uid| (uid, vec![0])).collect(),
                })
            }
            Move::Withdraw(which) => Some(Event::Withdrawn(self.asked[which].id)),
            Move::Run(which) => Some(Event::Running(self.asked[which].id)),
            Move::End(which) => Some(Event::Ended {
                id: self.asked[which].id,
                status: Some(Status::Exited(0)),
                reason: EndReason::Finished,
                execs: None,
            }),
            Move::Bob => {
                self.away = !self.away;
                None
            }
            Move::Rule => {
                self.other = !self.other;
                None
            }
            Move::Load => {
                let rule = self.rule();
                let says = self.asked.iter().map(|one| (one.id, Some(rule)));
                Some(Event::PolicyChanged(says.collect()))
            }
            Move::Wait => {
                self.boot += TIMEOUT / 2;
                Some(Event::Tick)
            }
            Move::Set(by) => {
                self.set = by;
                Some(Event::Tick)
            }
        }
    }

    /// Remember the vote, if it was taken.
    fn count(&mut self, memory: &BTreeMap<Id, Elevation>, id: Id, uid: u32) {
        let votes = memory
            .get(&id)
            .map(|one| one.votes.as_slice())
            .unwrap_or_default();
        match votes.iter().find(|vote| vote.uid == uid) {
            Some(vote) if vote.approved => drop(self.agreed.insert((id, uid, self.other))),
            Some(_) => drop(self.refused.insert(id)),
            None => {}
        }
    }

    /// What there is after these effects; a daemon that dies then finds what is on disk.
    fn done(&self, memory: &BTreeMap<Id, Elevation>, effects: &[Effect], lives: bool) -> World {
        let mut world = self.clone();
        for effect in effects {
            match effect {
                Effect::Save(saved) => drop(world.disk.insert(saved.id, (**saved).clone())),
                Effect::Forget(id) => drop(world.disk.remove(id)),
                Effect::Tell(id, News::Granted) => {
                    assert!(world.disk[id].is_live(), "told before it is on disk");
                    assert!(world.granted.insert(*id), "granted twice");
                }
                Effect::Tell(id, News::Voted { .. }) => {
                    assert!(
                        !world.disk[id].votes.is_empty(),
                        "told before it is on disk"
                    );
                }
                _ => {}
            }
        }
        world.memory = match lives {
            true => memory.clone(),
            false => world.disk.clone(),
        };
        if granted(effects).is_some() || world.memory.values().any(|one| one.is_live()) {
            world.check_grants(self);
        }
        for one in world.disk.values() {
            assert!(
                one.is_over() || !world.over.contains(&one.id),
                "it lives again"
            );
            if one.is_over() {
                world.over.insert(one.id);
            }
        }
        world
    }

    /// Properties 1 and 2, of what lives now and did not before.
    fn check_grants(&self, before: &World) {
        let lives = |world: &World, id| world.memory.get(&id).is_some_and(Elevation::is_live);
        for one in self.memory.values().filter(|one| one.is_live()) {
            if lives(before, one.id) {
                continue;
            }
            let people = [BOB, CAROL].into_iter().filter(|uid| {
                self.may_approve(*uid) && self.agreed.contains(&(one.id, *uid, self.other))
            });
            assert_eq!(people.count(), 2, "{one:?}");
            assert_eq!(one.rule_content, self.rule());
            assert!(!self.refused.contains(&one.id), "somebody said no");
            assert!(self.boot < one.expires, "its time to wait was over");
        }
    }

    /// Property 5.
    fn check_ends(&self, machine: &Elevations, effects: &[Effect]) {
        let late = |one: &&Elevation| {
            let over = one.deadline.is_some_and(|at| at + 500 <= self.boot);
            one.is_live() && over
        };
        let ended = |id| {
            let mut effects = effects.iter();
            effects.any(|effect| matches!(effect, Effect::End(of, _) if *of == id))
        };
        for one in machine.all().filter(late) {
            assert!(ended(one.id), "{one:?}");
        }
    }

    /// What the world is, as far as worlds differ: when somebody voted is all the same.
    fn key(&self) -> String {
        let plain = |one: &Elevation| {
            let votes: Vec<_> = one
                .votes
                .iter()
                .map(|vote| (vote.uid, vote.approved))
                .collect();
            let (asked, rule) = (one.requested.boot, one.rule_content == Digest::of(b"rule"));
            let stage = match &one.stage {
                Stage::Over(_) => "over".to_owned(),
                other => format!("{other:?}"),
            };
            format!(
                "{} {asked} {rule} {stage} {:?} {votes:?}",
                one.id, one.deadline
            )
        };
        let all = |records: &BTreeMap<Id, Elevation>| -> Vec<String> {
            records.values().map(plain).collect()
        };
        let facts = (self.asked.len(), self.boot, self.set, self.away, self.other);
        let truth = (&self.agreed, &self.granted);
        format!(
            "{:?} {:?} {facts:?} {truth:?}",
            all(&self.memory),
            all(&self.disk)
        )
    }
}

#[test]
fn no_order_of_events_runs_what_was_not_agreed_to() {
    let first = World::default();
    let mut seen = HashSet::from([first.key()]);
    let mut open = VecDeque::from([(first, 0)]);
    let (mut worlds, mut grants) = (0, 0);
    while let Some((world, depth)) = open.pop_front() {
        worlds += 1;
        grants += usize::from(!world.granted.is_empty());
        if depth == DEPTH {
            continue;
        }
        for this in world.moves() {
            for next in world.after(this) {
                if seen.insert(next.key()) {
                    open.push_back((next, depth + 1));
                }
            }
        }
    }
    // A world in which nothing is ever granted would prove nothing.
    assert!(
        worlds > 10_000 && grants > 100,
        "{worlds} worlds, {grants} with a grant"
    );
    println!("{worlds} worlds, {grants} with a grant");
}
