//! Requests that need one approval of each approver.

use std::collections::BTreeMap;

use super::properties::{at, granted, vote_after, voter};
use super::samples::request;
use super::*;

/// Votes for the places of `each` in this order, with what each voter covers at the time of every
/// vote.
fn each(elevations: &mut Elevations, elevation: &Elevation, votes: &[(u32, &[usize])]) -> bool {
    let mut before = BTreeMap::new();
    let mut last = Vec::new();
    for (uid, covers) in votes {
        let covers = covers.to_vec();
        let voter = Voter {
            covers: covers.clone(),
            ..voter(*uid)
        };
        let event = vote_after(elevation, voter, true, before.clone());
        last = elevations.step(event, at(1)).unwrap();
        before.insert(*uid, covers);
    }
    granted(&last).is_some()
}

#[test]
fn one_of_each_is_one_of_each_and_nobody_twice() {
    for (votes, agreed, grants) in [
        (&[(2, &[0][..]), (3, &[0])][..], 1, false),
        (&[(2, &[0, 1])], 1, false),
        (&[(2, &[0, 1]), (3, &[0])], 2, true),
        (&[(2, &[0]), (3, &[0]), (4, &[1])], 2, true),
    ] {
        let mut elevations = Elevations::default();
        let mut elevation = request(1, 2, 10_000, at(0));
        elevation.each = true;
        let asked = Event::Asked(Box::new(elevation.clone()));
        elevations.step(asked, at(0)).unwrap();
        assert_eq!(
            each(&mut elevations, &elevation, votes),
            grants,
            "{votes:?}"
        );
        assert_eq!(
            elevations.get(elevation.id).unwrap().agreed(),
            agreed,
            "{votes:?}"
        );
    }
}

#[test]
fn whoever_lost_one_of_two_roles_counts_for_the_other_alone() {
    let mut elevations = Elevations::default();
    let mut elevation = request(1, 2, 10_000, at(0));
    elevation.each = true;
    elevations
        .step(Event::Asked(Box::new(elevation.clone())), at(0))
        .unwrap();
    assert!(!each(&mut elevations, &elevation, &[(2, &[0, 1])]));
    let other = Voter {
        covers: vec![0],
        ..voter(3)
    };
    let event = vote_after(&elevation, other, true, BTreeMap::from([(2, vec![0])]));
    assert_eq!(granted(&elevations.step(event, at(2)).unwrap()), None);
}
