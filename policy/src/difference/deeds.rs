//! What somebody may run and edit, before and after.

use std::collections::{BTreeMap, BTreeSet};

use super::details::{self, Terms};
use super::offers::{self, Answer, Atom, Standing, What};
use super::{Change, Deed, Demands, Detail, Kind, Who};

/// The conditions under which something is spoken of, as they are written.
type Under = BTreeMap<String, String>;

/// What differs between two standings, for `who`.
pub(super) fn changes(who: &Who, was: &Standing<'_>, now: &Standing<'_>) -> Vec<Change> {
    if was.is_same(now) {
        return Vec::new();
    }
    let mut all: BTreeMap<Deed, BTreeMap<Under, Atom>> = BTreeMap::new();
    for rule in was.rules().chain(now.rules()) {
        for atom in offers::atoms(rule) {
            let under = offers::told(&atom.when);
            all.entry(deed(&atom))
                .or_default()
                .entry(under)
                .or_insert(atom);
        }
    }
    let changes = all.into_iter().filter_map(|(deed, atoms)| {
        let answer = |(under, atom): (Under, Atom)| Sides {
            was: was.answer(&atom),
            now: now.answer(&atom),
            under,
        };
        let sides: Vec<_> = atoms.into_iter().map(answer).collect();
        let (kind, details) = compare(&sides)?;
        Some(Change {
            who: who.clone(),
            deed,
            kind,
            details,
        })
    });
    changes.collect()
}

fn deed(atom: &Atom) -> Deed {
    let run_as = atom.run_as.to_string();
    match &atom.what {
        What::Command(command) => Deed::Run {
            command: command.text().to_owned(),
            run_as,
        },
        What::Edit(path) => Deed::Edit {
            path: path.text().to_owned(),
            run_as,
        },
    }
}

/// What both policies say to one thing under the same conditions.
struct Sides {
    under: Under,
    was: Answer,
    now: Answer,
}

/// The answer of one of the two.
type Side = fn(&Sides) -> &Answer;

fn compare(sides: &[Sides]) -> Option<(Kind, Vec<Detail>)> {
    if sides.iter().all(|one| one.was == one.now) {
        return None;
    }
    let some = |pick: Side, wanted: fn(&Answer) -> bool| sides.iter().any(|one| wanted(pick(one)));
    let allowed = |answer: &Answer| matches!(answer, Answer::Allowed(_));
    let forbidden = |answer: &Answer| matches!(answer, Answer::Forbidden);
    let (was, now): (Side, Side) = (|one| &one.was, |one| &one.now);
    match (some(was, allowed), some(now, allowed)) {
        (true, true) => Some((Kind::Changed, changed(sides))),
        (false, true) => Some((Kind::Gained, gained(sides))),
        (true, false) => Some((Kind::Lost, Vec::new())),
        (false, false) => Some(match some(now, forbidden) {
            true => (Kind::Forbidden, conditions(sides, was, now)),
            false => (Kind::NoLongerForbidden, Vec::new()),
        }),
    }
}

fn gained(sides: &[Sides]) -> Vec<Detail> {
    let mut details = Vec::new();
    for one in sides {
        if let Answer::Allowed(offers) = &one.now {
            let under = shown(&one.under);
            details.extend(
                offers
                    .iter()
                    .flat_map(|terms| details::of(terms, under.as_deref())),
            );
        }
    }
    details
}

fn changed(sides: &[Sides]) -> Vec<Detail> {
    let mut details = conditions(sides, |one| &one.was, |one| &one.now);
    let (mut lost, mut won): (Vec<&Terms>, Vec<&Terms>) = (Vec::new(), Vec::new());
    for one in sides {
        if let (Answer::Allowed(was), Answer::Allowed(now)) = (&one.was, &one.now) {
            let under = shown(&one.under);
            details.extend(terms(was, now, under.as_deref()));
        } else {
            lost.extend(offered(&one.was));
            won.extend(offered(&one.now));
        }
    }
    // It moved from some conditions to others: what became of the terms on the way?
    if let ([was], [now]) = (&lost[..], &won[..]) {
        details.extend(details::between(was, now, None));
    }
    details
}

fn offered(answer: &Answer) -> &[Terms] {
    match answer {
        Answer::Allowed(offers) => offers,
        Answer::Nothing | Answer::Forbidden => &[],
    }
}

/// One way against one way, or the ways that are new and those that are gone.
fn terms(was: &[Terms], now: &[Terms], under: Option<&str>) -> Vec<Detail> {
    let gone: Vec<_> = was.iter().filter(|one| !now.contains(one)).collect();
    let new: Vec<_> = now.iter().filter(|one| !was.contains(one)).collect();
    if let ([was], [now]) = (&gone[..], &new[..]) {
        return details::between(was, now, under);
    }
    let way = |terms: &Terms| {
        let words = details::of(terms, None).into_iter();
        let words = words.map(|one| format!("{} {}", one.key, one.now.unwrap_or_default()));
        words.collect::<Vec<_>>().join(", ")
    };
    let detail = |was, now, demands| Detail {
        key: "require".to_owned(),
        under: under.map(str::to_owned),
        was,
        now,
        demands,
    };
    let gone = gone
        .into_iter()
        .map(|one| detail(Some(way(one)), None, Demands::More));
    let new = new
        .into_iter()
        .map(|one| detail(None, Some(way(one)), Demands::Less));
    gone.chain(new).collect()
}

/// Under which conditions it holds, where these differ.
fn conditions(sides: &[Sides], was: Side, now: Side) -> Vec<Detail> {
    let holds = |pick: Side| -> BTreeSet<&Under> {
        let holding = sides.iter().filter(|one| *pick(one) != Answer::Nothing);
        holding.map(|one| &one.under).collect()
    };
    let (before, after) = (holds(was), holds(now));
    if before == after {
        return Vec::new();
    }
    let told = |all: &BTreeSet<&Under>| {
        let anywhere = || "always".to_owned();
        let words: Vec<_> = all
            .iter()
            .map(|one| shown(one).unwrap_or_else(anywhere))
            .collect();
        (!words.is_empty()).then(|| match words.contains(&anywhere()) {
            true => anywhere(),
            false => words.join(" or "),
        })
    };
    vec![Detail {
        key: "when".to_owned(),
        under: None,
        was: told(&before),
        now: told(&after),
        demands: match (before.is_subset(&after), after.is_subset(&before)) {
            (true, _) => Demands::Less,
            (_, true) => Demands::More,
            _ => Demands::Other,
        },
    }]
}

fn shown(under: &Under) -> Option<String> {
    let words: Vec<_> = under
        .iter()
        .map(|(key, words)| format!("{key} {words}"))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}
