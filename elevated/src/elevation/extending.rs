//! Sessions that last longer, under virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use elevate_protocol::Id;
use elevate_protocol::stream::EndReason;

use super::properties::{at, vote_after, voter};
use super::samples::request;
use super::*;

/// A session of alice that began at 0, lasts 10 s, and may last 25 s.
fn running() -> (Elevations, Elevation) {
    let mut elevations = Elevations::default();
    let mut session = request(1, 0, 10_000, at(0));
    session.terms.longest = Duration::from_secs(25);
    let id = session.id;
    let asked = Event::Asked(Box::new(session));
    elevations.step(asked, at(0)).unwrap();
    elevations.step(Event::Running(id), at(1)).unwrap();
    let session = elevations.get(id).unwrap().clone();
    (elevations, session)
}

/// Alice asks for so many milliseconds more.
fn more(session: &Elevation, id: u64, needed: u32, duration: u64) -> Elevation {
    Elevation {
        extends: Some(session.id),
        ..request(id, needed, duration, at(5000))
    }
}

fn ask(elevations: &mut Elevations, extension: &Elevation) -> Vec<Effect> {
    let asked = Event::Asked(Box::new(extension.clone()));
    elevations.step(asked, at(5000)).unwrap()
}

fn extended(effects: &[Effect]) -> Option<(Id, u64)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Extend(id, deadline) => Some((*id, *deadline)),
        _ => None,
    })
}

#[test]
fn a_session_lasts_longer_by_what_was_asked_and_never_beyond_its_rule() {
    let (mut elevations, session) = running();
    let effects = ask(&mut elevations, &more(&session, 2, 0, 10_000));
    assert_eq!(extended(&effects), Some((session.id, 20_000)));
    let effects = ask(&mut elevations, &more(&session, 3, 0, 10_000));
    assert_eq!(extended(&effects), Some((session.id, 25_000)));
    let effects = ask(&mut elevations, &more(&session, 4, 0, 10_000));
    assert_eq!(extended(&effects), None);
    let deadline = elevations.get(session.id).unwrap().deadline;
    assert_eq!(deadline, Some(25_000));
}

#[test]
fn the_longer_time_is_on_disk_before_the_leader_hears_of_it() {
    let (mut elevations, session) = running();
    let effects = ask(&mut elevations, &more(&session, 2, 0, 1000));
    let saved = |effect: &Effect| {
        matches!(effect, Effect::Save(saved)
            if saved.id == session.id && saved.deadline == Some(11_000))
    };
    let told = |effect: &Effect| matches!(effect, Effect::Extend(..));
    let place = |found: &dyn Fn(&Effect) -> bool| effects.iter().position(found);
    assert!(place(&saved).unwrap() < place(&told).unwrap());
}

#[test]
fn an_extension_that_owes_approvals_waits_for_them() {
    let (mut elevations, session) = running();
    let extension = more(&session, 2, 1, 1000);
    assert_eq!(extended(&ask(&mut elevations, &extension)), None);
    let vote = vote_after(&extension, voter(2), true, BTreeMap::new());
    let effects = elevations.step(vote, at(6000)).unwrap();
    assert_eq!(extended(&effects), Some((session.id, 11_000)));
    let extension = elevations.get(extension.id).unwrap();
    assert_eq!(extension.request_state(), "granted");
    assert!(extension.is_over() && extension.session_state().is_none());
}

#[test]
fn a_session_that_is_over_lasts_no_longer() {
    let (mut elevations, session) = running();
    let ended = Event::Ended {
        id: session.id,
        status: None,
        reason: EndReason::Deadline,
        execs: None,
    };
    elevations.step(ended, at(4000)).unwrap();
    let extension = more(&session, 2, 0, 1000);
    assert_eq!(extended(&ask(&mut elevations, &extension)), None);
    let closed = elevations.get(extension.id).unwrap();
    assert_eq!(closed.request_state(), "changed");
    assert!(elevations.get(session.id).unwrap().is_over());
}

#[test]
fn nothing_lasts_longer_than_the_time_of_its_rule() {
    let mut elevations = Elevations::default();
    let mut session = request(1, 0, 10_000, at(0));
    session.terms.longest = Duration::from_secs(25);
    session.terms.until = Some(12_000);
    let asked = Event::Asked(Box::new(session.clone()));
    elevations.step(asked, at(3000)).unwrap();
    let granted = elevations.get(session.id).unwrap();
    assert_eq!(granted.deadline, Some(12_000));
    assert_eq!(granted.longest(), Duration::from_secs(9));
    elevations
        .step(Event::Running(session.id), at(3001))
        .unwrap();
    let effects = ask(&mut elevations, &more(&session, 2, 0, 1000));
    assert_eq!(extended(&effects), None);
}

#[test]
fn nothing_begins_when_the_time_of_its_rule_is_over() {
    let mut elevations = Elevations::default();
    let mut session = request(1, 0, 10_000, at(0));
    session.terms.until = Some(3000);
    let asked = Event::Asked(Box::new(session.clone()));
    let problem = elevations.step(asked, at(3000)).unwrap_err();
    assert_eq!(problem.error, elevate_protocol::ErrorName::TimedOut);
    assert!(elevations.get(session.id).is_none());
}

#[test]
fn a_request_lapses_with_the_time_of_its_rule() {
    let mut terms = request(1, 0, 10_000, at(0)).terms;
    let minute = Duration::from_secs(60);
    assert_eq!(terms.lapse(at(1000), minute), 61_000);
    terms.until = Some(5000);
    assert_eq!(terms.lapse(at(1000), minute), 5000);
}
