//! What roles say, before and after.

use std::collections::BTreeSet;

use super::offers::Standing;
use super::{Change, Deed, Demands, Detail, Kind, Who, deeds, details};
use crate::names::RoleName;
use crate::people::{May, Role};
use crate::policy::Policy;

/// What differs for those who have a role, whoever they are.
pub(super) fn changes(was: &Policy, now: &Policy) -> Vec<Change> {
    let names: BTreeSet<_> = was
        .roles()
        .chain(now.roles())
        .map(|role| &role.name)
        .collect();
    names
        .into_iter()
        .flat_map(|name| of_role(name, was, now))
        .collect()
}

fn of_role(name: &RoleName, was: &Policy, now: &Policy) -> Vec<Change> {
    let who = Who::Role(name.to_string());
    let (before, after) = (was.roles.get(name), now.roles.get(name));
    let mut changes = deeds::changes(
        &who,
        &Standing::new(was, |role| role == name),
        &Standing::new(now, |role| role == name),
    );
    changes.extend(privileges(&who, before, after));
    changes.extend(logins(&who, before, after));
    changes.extend(other_roles(&who, before, after));
    changes
}

fn privileges(who: &Who, was: Option<&Role>, now: Option<&Role>) -> Vec<Change> {
    let all = |role: Option<&Role>| -> BTreeSet<May> {
        role.into_iter()
            .flat_map(|role| &role.may)
            .copied()
            .collect()
    };
    let (was, now) = (all(was), all(now));
    let change = |kind| {
        move |may: &May| Change {
            who: who.clone(),
            deed: Deed::May(word(*may)),
            kind,
            details: Vec::new(),
        }
    };
    let gained = now.difference(&was).map(change(Kind::Gained));
    let lost = was.difference(&now).map(change(Kind::Lost));
    gained.chain(lost).collect()
}

fn word(may: May) -> String {
    let json = serde_json::to_value(may).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

fn logins(who: &Who, was: Option<&Role>, now: Option<&Role>) -> Option<Change> {
    let (kind, details) = match (was, now) {
        (Some(was), Some(now)) => {
            let (was, now) = (details::login(&was.login), details::login(&now.login));
            let details = details::between(&was, &now, None);
            (!details.is_empty()).then_some((Kind::Changed, details))?
        }
        (None, Some(_)) => (Kind::Gained, Vec::new()),
        (Some(_), None) => (Kind::Lost, Vec::new()),
        (None, None) => return None,
    };
    Some(Change {
        who: who.clone(),
        deed: Deed::LogIn,
        kind,
        details,
    })
}

/// What members have or lack beside this role.
fn other_roles(who: &Who, was: Option<&Role>, now: Option<&Role>) -> Option<Change> {
    let lists = |role: Option<&Role>| {
        let text = |names: &Vec<RoleName>| {
            let names: Vec<_> = names.iter().map(RoleName::as_str).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        match role {
            Some(role) => [text(&role.includes), text(&role.conflicts)],
            None => [None, None],
        }
    };
    let pairs = lists(was).into_iter().zip(lists(now));
    let differing = ["includes", "conflicts"].into_iter().zip(pairs);
    let details: Vec<_> = differing
        .filter(|(_, (was, now))| was != now)
        .map(|(key, (was, now))| Detail {
            key: key.to_owned(),
            under: None,
            was,
            now,
            demands: Demands::Other,
        })
        .collect();
    (!details.is_empty()).then(|| Change {
        who: who.clone(),
        deed: Deed::Roles,
        kind: Kind::Changed,
        details,
    })
}
