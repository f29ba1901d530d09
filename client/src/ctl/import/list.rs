//! Lists of which the last member that matches counts, as all of sudoers(5) are.

/// One member of such a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member<T> {
    pub(super) what: T,
    pub(super) negated: bool,
}

/// What a member of a list can be. Both answers are yes only where that is sure.
pub(super) trait Atom: Clone + PartialEq {
    /// Whether this takes in all that `other` does.
    fn covers(&self, other: &Self) -> bool;
    /// Whether nothing is taken in by both.
    fn is_apart_from(&self, other: &Self) -> bool;
}

/// What a list takes in: each of these, without what later members take away again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part<T> {
    pub(super) what: T,
    pub(super) without: Vec<T>,
}

impl<T: Atom> Part<T> {
    pub(super) fn whole(what: T) -> Self {
        let without = Vec::new();
        Self { what, without }
    }

    fn covers(&self, other: &Self) -> bool {
        let spared = |out: &T| out.is_apart_from(&other.what);
        self.what.covers(&other.what) && self.without.iter().all(spared)
    }

    /// Whether surely nothing is in both.
    pub(super) fn is_apart_from(&self, other: &Self) -> bool {
        let takes_away = |part: &Self, what: &T| part.without.iter().any(|out| out.covers(what));
        self.what.is_apart_from(&other.what)
            || takes_away(self, &other.what)
            || takes_away(other, &self.what)
    }
}

/// What `members` take in.
pub(super) fn parts<T: Atom>(members: &[Member<T>]) -> Vec<Part<T>> {
    let mut parts: Vec<Part<T>> = Vec::new();
    for (at, member) in members.iter().enumerate().filter(|(_, one)| !one.negated) {
        let mut later = members[at + 1..].iter().filter(|other| !other.negated);
        // A later positive member that takes in all of this one makes it idle.
        let idle = later.any(|other| other.what.covers(&member.what));
        if !idle {
            let given_back = |at: usize, out: &T| {
                let mut later = members[at + 1..].iter().filter(|one| !one.negated);
                later.any(|one| one.what.covers(out))
            };
            let outs = members.iter().enumerate().skip(at + 1);
            let outs = outs.filter(|(at, out)| out.negated && !given_back(*at, &out.what));
            let outs = outs.filter(|(_, out)| !out.what.is_apart_from(&member.what));
            let without: Vec<_> = outs.map(|(_, out)| out.what.clone()).collect();
            // Of some nothing remains.
            if !without.iter().any(|out| out.covers(&member.what)) {
                let what = member.what.clone();
                parts.push(Part { what, without });
            }
        }
    }
    parts
}

/// Whether `some` take in all that `others` do.
pub(super) fn cover<T: Atom>(some: &[Part<T>], others: &[Part<T>]) -> bool {
    let covered = |other: &Part<T>| some.iter().any(|one| one.covers(other));
    others.iter().all(covered)
}

/// Whether nothing is taken in by both.
pub(super) fn are_apart<T: Atom>(some: &[Part<T>], others: &[Part<T>]) -> bool {
    let apart = |one: &Part<T>| others.iter().all(|other| one.is_apart_from(other));
    some.iter().all(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from 0 to 7 as sets of bits.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Bits(u8);

    impl Atom for Bits {
        fn covers(&self, other: &Self) -> bool {
            other.0 & !self.0 == 0
        }

        fn is_apart_from(&self, other: &Self) -> bool {
            self.0 & other.0 == 0
        }
    }

    fn last_match(members: &[Member<Bits>], bit: u8) -> bool {
        let hits = |member: &&Member<Bits>| member.what.0 & (1 << bit) != 0;
        members
            .iter()
            .rev()
            .find(hits)
            .is_some_and(|one| !one.negated)
    }

    fn taken_in(parts: &[Part<Bits>], bit: u8) -> bool {
        let has = |bits: &Bits| bits.0 & (1 << bit) != 0;
        parts
            .iter()
            .any(|part| has(&part.what) && !part.without.iter().any(has))
    }

    fn members() -> impl proptest::strategy::Strategy<Value = Vec<Member<Bits>>> {
        use proptest::prelude::*;
        let member = (any::<u8>(), any::<bool>()).prop_map(|(bits, negated)| Member {
            what: Bits(bits),
            negated,
        });
        prop::collection::vec(member, 0..6)
    }

    proptest::proptest! {
        #[test]
        fn the_parts_of_a_list_take_in_what_its_last_matching_member_says(list in members()) {
            for bit in 0..8 {
                proptest::prop_assert_eq!(taken_in(&parts(&list), bit), last_match(&list, bit));
            }
        }

        #[test]
        fn what_is_said_of_two_lists_is_sure(one in members(), other in members()) {
            let (one, other) = (parts(&one), parts(&other));
            for bit in 0..8 {
                let (a, b) = (taken_in(&one, bit), taken_in(&other, bit));
                proptest::prop_assert!(!cover(&one, &other) || !b || a);
                proptest::prop_assert!(!(a && b && are_apart(&one, &other)));
            }
        }
    }
}
