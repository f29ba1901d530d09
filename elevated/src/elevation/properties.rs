//! What must hold on every path: nothing runs without every requirement met, and nothing outlives
//! its deadline. Virtual time, random events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use elevate_policy::Membership;
use elevate_protocol::stdio::Kind;
use elevate_protocol::stream::{EndReason, Status};
use elevate_protocol::{ErrorName, Id};
use proptest::prelude::*;

use super::samples::{ALICE, TIMEOUT, request};
use super::*;
use crate::clock::Moment;

pub(super) fn voter(uid: u32) -> Voter {
    Voter {
        name: format!("user{uid}"),
        uid,
        login_uid: Some(uid),
        elevated: false,
        may_approve: Membership::Yes,
        covers: vec![0],
        factor: Given::None,
    }
}

pub(super) fn vote(elevation: &Elevation, voter: Voter, approve: bool) -> Event {
    let earlier = BTreeMap::from_iter((0..1010).map(|uid| (uid, covers(elevation, uid))));
    vote_after(elevation, voter, approve, earlier)
}

/// The same where those who agreed `earlier` may approve as these by now.
pub(super) fn vote_after(
    elevation: &Elevation,
    voter: Voter,
    approve: bool,
    earlier: BTreeMap<u32, Vec<usize>>,
) -> Event {
    Event::Voted {
        id: elevation.id,
        voter,
        approve,
        comment: String::new(),
        shown: elevation.digest,
        rule_content: Some(elevation.rule_content),
        earlier,
    }
}

/// Where each approver is owed one approval, everybody is one of them.
fn covers(elevation: &Elevation, uid: u32) -> Vec<usize> {
    match elevation.each {
        true => vec![(uid % elevation.needed.max(1)) as usize],
        false => vec![0],
    }
}

pub(super) fn at(boot: u64) -> Moment {
    Moment {
        boot,
        wall: 1_800_000_000_000 + boot,
    }
}

pub(super) fn granted(effects: &[Effect]) -> Option<Id> {
    effects.iter().find_map(|effect| match effect {
        Effect::Tell(id, News::Granted) => Some(*id),
        _ => None,
    })
}

/// A state with one request of alice waiting, and that request.
fn waiting(needed: u32) -> (Elevations, Elevation) {
    let mut elevations = Elevations::default();
    let elevation = request(1, needed, 10_000, at(0));
    elevations
        .step(Event::Asked(Box::new(elevation.clone())), at(0))
        .unwrap();
    (elevations, elevation)
}

#[test]
fn a_standing_grant_is_on_disk_before_anything_runs() {
    let mut elevations = Elevations::default();
    let event = Event::Asked(Box::new(request(1, 0, 1000, at(0))));
    let effects = elevations.step(event, at(0)).unwrap();
    assert!(matches!(&effects[0], Effect::Save(saved) if saved.stage == Stage::Granted));
    assert!(granted(&effects).is_some());
}

#[test]
fn two_of_two_must_agree() {
    let (mut elevations, elevation) = waiting(2);
    let first = elevations
        .step(vote(&elevation, voter(2), true), at(1))
        .unwrap();
    assert_eq!(granted(&first), None);
    let twice = elevations
        .step(vote(&elevation, voter(2), true), at(2))
        .unwrap_err();
    assert_eq!(twice.error, ErrorName::NotAuthorized);
    let second = elevations
        .step(vote(&elevation, voter(3), true), at(3))
        .unwrap();
    assert_eq!(granted(&second), Some(elevation.id));
}

#[test]
fn one_no_ends_it() {
    let (mut elevations, elevation) = waiting(2);
    let effects = elevations
        .step(vote(&elevation, voter(2), false), at(1))
        .unwrap();
    assert_eq!(granted(&effects), None);
    assert_eq!(
        elevations.get(elevation.id).unwrap().request_state(),
        "denied"
    );
    assert!(
        elevations
            .step(vote(&elevation, voter(3), true), at(2))
            .is_err()
    );
}

#[test]
fn votes_of_the_requester_in_any_guise_do_not_count() {
    let (mut elevations, elevation) = waiting(1);
    let through_su = Voter {
        login_uid: Some(ALICE),
        ..voter(2)
    };
    let as_alice = Voter {
        login_uid: Some(2),
        ..voter(ALICE)
    };
    let guises = [
        voter(ALICE),
        through_su,
        as_alice,
        Voter {
            elevated: true,
            ..voter(2)
        },
        Voter {
            login_uid: None,
            ..voter(2)
        },
        Voter {
            login_uid: Some(4),
            ..voter(2)
        },
        Voter {
            may_approve: Membership::No,
            ..voter(2)
        },
        Voter {
            may_approve: Membership::Unknown,
            ..voter(2)
        },
    ];
    for guise in guises {
        let event = vote(&elevation, guise.clone(), true);
        assert!(elevations.step(event, at(1)).is_err(), "{guise:?}");
    }
}

#[test]
fn a_vote_covers_what_was_shown_and_nothing_else() {
    let (mut elevations, elevation) = waiting(1);
    let event = Event::Voted {
        id: elevation.id,
        voter: voter(2),
        approve: true,
        comment: String::new(),
        shown: Digest::of(b"something else"),
        rule_content: Some(elevation.rule_content),
        earlier: BTreeMap::new(),
    };
    assert_eq!(
        elevations.step(event, at(1)).unwrap_err().error,
        ErrorName::Changed
    );
}

#[test]
fn an_approval_counts_no_more_once_its_voter_may_approve_no_more() {
    let (mut elevations, elevation) = waiting(2);
    elevations
        .step(vote(&elevation, voter(2), true), at(1))
        .unwrap();
    let after = |uid: u32, before: &[u32]| {
        let earlier = before.iter().map(|uid| (*uid, vec![0])).collect();
        vote_after(&elevation, voter(uid), true, earlier)
    };
    let effects = elevations.step(after(3, &[]), at(2)).unwrap();
    assert_eq!(granted(&effects), None);
    assert_eq!(elevations.get(elevation.id).unwrap().agreed(), 1);
    let effects = elevations.step(after(4, &[3]), at(3)).unwrap();
    assert_eq!(granted(&effects), Some(elevation.id));
}

#[test]
fn every_part_of_what_is_shown_is_in_the_digest() {
    let plain = request(1, 1, 1000, at(0)).asked;
    let digest = |asked: &Asked| Shown::new("m", asked, ("r", Digest::of(b"")), None).digest();
    let changes: [fn(&mut Asked); 9] = [
        |a| a.argv.push("x".into()),
        |a| a.cwd = "/tmp".into(),
        |a| a.environment.push("A=b".into()),
        |a| a.target.uid = 1,
        |a| a.target.gid = 1,
        |a| a.stdio[0] = Kind::Pipe,
        |a| a.subject = Subject::Edit(Vec::new()),
        |a| a.duration = Duration::from_secs(2),
        |a| a.reason = Some("why".into()),
    ];
    let digests: BTreeSet<String> = changes
        .iter()
        .map(|change| {
            let mut asked = plain.clone();
            change(&mut asked);
            digest(&asked).to_string()
        })
        .chain([digest(&plain).to_string()])
        .collect();
    assert_eq!(digests.len(), changes.len() + 1);
    let rule = ("r", Digest::of(b""));
    let elsewhere = Shown::new("another machine", &plain, rule, None).digest();
    assert_ne!(elsewhere, digest(&plain));
    let longer = Shown::new("m", &plain, rule, Some(Id::from_random(1))).digest();
    assert_ne!(longer, digest(&plain));
}

#[test]
fn a_changed_rule_voids_what_waits_under_it() {
    let (mut elevations, elevation) = waiting(1);
    let contents = BTreeMap::from([(elevation.id, Some(Digest::of(b"other")))]);
    elevations
        .step(Event::PolicyChanged(contents), at(1))
        .unwrap();
    assert_eq!(
        elevations.get(elevation.id).unwrap().request_state(),
        "changed"
    );
}

#[test]
fn a_request_lapses_and_a_late_vote_grants_nothing() {
    let (mut elevations, elevation) = waiting(1);
    let effects = elevations
        .step(vote(&elevation, voter(2), true), at(TIMEOUT))
        .unwrap();
    assert_eq!(granted(&effects), None);
    assert_eq!(
        elevations.get(elevation.id).unwrap().request_state(),
        "timed-out"
    );
}

#[test]
fn what_is_over_is_forgotten_after_an_hour() {
    let (mut elevations, elevation) = waiting(1);
    elevations
        .step(Event::Withdrawn(elevation.id), at(1))
        .unwrap();
    elevations.step(Event::Tick, at(2)).unwrap();
    assert!(elevations.get(elevation.id).is_some());
    elevations.step(Event::Tick, at(61 * 60 * 1000)).unwrap();
    assert!(elevations.get(elevation.id).is_none());
}

/// What may happen, in few bytes.
#[derive(Debug, Clone)]
enum Move {
    Ask {
        needed: u32,
        each: bool,
        duration: u64,
    },
    Vote {
        which: usize,
        uid: u32,
        login: Option<u32>,
        may: bool,
        elevated: bool,
        yes: bool,
    },
    Withdraw(usize),
    Wait(u64),
    Run(usize),
    End(usize),
    Revoke(usize),
    Restart,
}

fn a_move() -> impl Strategy<Value = Move> {
    let uid = 998..1004u32;
    prop_oneof![
        (0..3u32, any::<bool>(), 1..20_000u64).prop_map(|(needed, each, duration)| Move::Ask {
            needed,
            each,
            duration
        }),
        (
            0..4usize,
            uid.clone(),
            proptest::option::of(uid),
            any::<[bool; 3]>()
        )
            .prop_map(|(which, uid, login, [may, elevated, yes])| Move::Vote {
                which,
                uid,
                login: login.or(Some(uid)),
                may,
                elevated: elevated && may,
                yes
            }),
        (0..4usize).prop_map(Move::Withdraw),
        (1..40_000u64).prop_map(Move::Wait),
        (0..4usize).prop_map(Move::Run),
        (0..4usize).prop_map(Move::End),
        (0..4usize).prop_map(Move::Revoke),
        Just(Move::Restart),
    ]
}

proptest! {
    #[test]
    fn no_path_leads_past_a_requirement_or_a_deadline(moves in proptest::collection::vec(a_move(), 1..60)) {
        let mut elevations = Elevations::default();
        let mut now = 0;
        let mut asked: Vec<Elevation> = Vec::new();
        let mut agreed: BTreeMap<Id, BTreeSet<u32>> = BTreeMap::new();
        let mut closed: BTreeSet<Id> = BTreeSet::new();
        for (step, this) in moves.into_iter().enumerate() {
            let pick = |which: usize| asked.get(which % asked.len().max(1)).cloned();
            let event = match this {
                Move::Ask { needed, each, duration } => {
                    let mut new = request(step as u64 + 1, needed, duration, at(now));
                    new.each = each;
                    asked.push(new.clone());
                    Some(Event::Asked(Box::new(new)))
                }
                Move::Vote { which, uid, login, may, elevated, yes } => pick(which).map(|e| {
                    let may_approve = if may { Membership::Yes } else { Membership::No };
                    let proper = may && !elevated && login == Some(uid) && uid != ALICE;
                    if proper && yes {
                        agreed.entry(e.id).or_default().insert(uid);
                    }
                    let covers = covers(&e, uid);
                    let voter =
                        Voter { login_uid: login, elevated, may_approve, covers, ..voter(uid) };
                    vote(&e, voter, yes)
                }),
                Move::Withdraw(which) => pick(which).map(|e| Event::Withdrawn(e.id)),
                Move::Wait(millis) => {
                    now += millis;
                    Some(Event::Tick)
                }
                Move::Run(which) => pick(which).map(|e| Event::Running(e.id)),
                Move::End(which) => pick(which).map(|e| Event::Ended {
                    id: e.id,
                    status: Some(Status::Exited(0)),
                    reason: EndReason::Finished,
                    execs: None,
                }),
                Move::Revoke(which) => pick(which).map(|e| Event::Revoked {
                    id: e.id,
                    by: "root".into(),
                    reason: String::new(),
                }),
                Move::Restart => {
                    let saved: Vec<Elevation> = elevations.all().cloned().collect();
                    elevations = Elevations::restore(saved);
                    None
                }
            };
            let Some(event) = event else { continue };
            let ticked = matches!(event, Event::Tick);
            let effects = elevations.step(event, at(now)).unwrap_or_default();
            if let Some(id) = granted(&effects) {
                let e = elevations.get(id).unwrap();
                prop_assert!(!closed.contains(&id), "granted after it was closed");
                prop_assert!(e.agreed() >= e.needed);
                let proper = agreed.get(&id).cloned().unwrap_or_default();
                prop_assert!(proper.len() as u32 >= e.needed, "{proper:?} of {}", e.needed);
                if e.each {
                    let covered: BTreeSet<_> = proper.iter().flat_map(|uid| covers(e, *uid)).collect();
                    prop_assert!(covered.len() as u32 >= e.needed, "{proper:?} of each");
                }
                prop_assert!(e.requested.boot + TIMEOUT > now, "granted after it lapsed");
                let saved = matches!(&effects[0], Effect::Save(s) if s.id == id && s.is_live());
                prop_assert!(saved, "granted before it was on disk");
            }
            for e in elevations.all() {
                if e.is_over() {
                    closed.insert(e.id);
                }
                prop_assert!(!(e.is_live() && closed.contains(&e.id)), "it lives again");
                prop_assert!(!e.is_live() || e.agreed() >= e.needed);
                let overdue = e.is_live() && e.deadline.unwrap() + 1000 <= now;
                let ended = effects.iter().any(|f| matches!(f, Effect::End(id, _) if *id == e.id));
                prop_assert!(!ticked || !overdue || ended, "past its deadline and not ended");
            }
        }
    }
}
