//! Whether one of each approver agreed, when nobody counts for two.

/// How many different places can be taken, if each voter takes at most one of those that are theirs:
/// the size of a maximum matching, by augmenting paths (Kuhn 1955).
pub(super) fn taken<'a>(voters: impl IntoIterator<Item = &'a [usize]>) -> usize {
    let voters: Vec<&[usize]> = voters.into_iter().collect();
    let places = voters
        .iter()
        .copied()
        .flatten()
        .max()
        .map_or(0, |last| last + 1);
    let mut by = vec![None; places];
    for voter in 0..voters.len() {
        seat(voter, &voters, &mut by, &mut vec![false; places]);
    }
    by.iter().flatten().count()
}

/// Gives the voter a place, if need be by giving others another one of theirs.
fn seat(voter: usize, voters: &[&[usize]], by: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for place in voters[voter] {
        if std::mem::replace(&mut tried[*place], true) {
            continue;
        }
        let free = match by[*place] {
            None => true,
            Some(other) => seat(other, voters, by, tried),
        };
        if free {
            by[*place] = Some(voter);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(voters: &[&[usize]]) -> usize {
        taken(voters.iter().copied())
    }

    #[test]
    fn nobody_counts_for_two() {
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&[&[0, 1]]), 1);
        assert_eq!(of(&[&[0], &[0]]), 1);
        assert_eq!(of(&[&[0, 1], &[0, 1]]), 2);
    }

    #[test]
    fn whoever_could_be_either_makes_room_for_whoever_could_not() {
        assert_eq!(of(&[&[0, 1], &[0]]), 2);
        assert_eq!(of(&[&[0, 1], &[1, 2], &[0]]), 3);
        assert_eq!(of(&[&[], &[2]]), 1);
    }

    /// The most that any choice of a place for each voter, or none, comes to.
    fn plainly(voters: &[Vec<usize>], free: &mut Vec<usize>) -> usize {
        let Some((first, rest)) = voters.split_first() else {
            return 0;
        };
        let mut most = plainly(rest, free);
        for place in first {
            if let Some(at) = free.iter().position(|one| one == place) {
                free.remove(at);
                most = most.max(1 + plainly(rest, free));
                free.push(*place);
            }
        }
        most
    }

    fn some_voters() -> impl Strategy<Value = Vec<Vec<usize>>> {
        prop::collection::vec(prop::collection::vec(0usize..5, 0..4), 0..6)
    }

    proptest! {
        #[test]
        fn it_is_the_most_that_any_choice_comes_to(voters in some_voters()) {
            let found = taken(voters.iter().map(Vec::as_slice));
            prop_assert_eq!(found, plainly(&voters, &mut (0..5).collect()));
        }

        #[test]
        fn one_more_voter_is_worth_one_at_most_and_never_harms(
            voters in some_voters(),
            more in prop::collection::vec(0usize..5, 0..4),
        ) {
            let before = taken(voters.iter().map(Vec::as_slice));
            let after = taken(voters.iter().chain([&more]).map(Vec::as_slice));
            prop_assert!(before <= after && after <= before + 1);
        }
    }
}
