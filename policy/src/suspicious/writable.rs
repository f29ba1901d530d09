//! Commands that others than those whom they run as could put something else in the place of.

use std::collections::BTreeSet;

use super::{Found, Suspicion};
use crate::policy::Policy;
use crate::rule::{Effect, Rule};
use crate::run_as::TargetUser;
use crate::shown::shown_bytes;

/// What is known of one part of a path: the file, or a folder on the way there. Links are followed
/// before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFacts {
    /// The path down to this part.
    pub path: Vec<u8>,
    /// Whose it is.
    pub uid: u32,
    /// Of which group.
    pub gid: u32,
    /// Its mode, with the type of the file (inode(7)).
    pub mode: u32,
}

const FOLDER: u32 = 0o040_000;
const TYPE: u32 = 0o170_000;
const STICKY: u32 = 0o1000;
const GROUP_WRITE: u32 = 0o020;
const OTHER_WRITE: u32 = 0o002;

pub(super) fn look(
    policy: &Policy,
    mut facts: impl FnMut(&[u8]) -> Option<Vec<PathFacts>>,
    mut uid: impl FnMut(&str) -> Option<u32>,
    found: &mut Found,
) {
    let allowing = policy
        .rules()
        .iter()
        .filter(|rule| rule.effect() == Effect::Allow);
    for rule in allowing {
        let trusted = trusted(rule, &mut uid);
        // What is named by its hash runs as it was, whoever changes it.
        let changeable = rule.commands.iter().filter(|one| !one.is_pinned());
        for command in changeable {
            for path in command.literal_paths() {
                let objection = facts(path).and_then(|parts| objection(&parts, &trusted));
                if let Some(objection) = objection {
                    let message = format!("what runs here can be changed: {objection}");
                    found.add(
                        Suspicion::Writable,
                        command.text(),
                        command.place(),
                        message,
                    );
                }
            }
        }
    }
}

/// Root, and the one whom the rule runs as where it is the same for everybody: who can do what the
/// command could do gains nothing by changing it.
fn trusted(rule: &Rule, uid: &mut impl FnMut(&str) -> Option<u32>) -> BTreeSet<u32> {
    let mut trusted = BTreeSet::from([0]);
    if let [one] = &rule.run_as[..] {
        trusted.extend(match &one.user {
            TargetUser::Name(name) => uid(name),
            TargetUser::Uid(number) => Some(*number),
            TargetUser::Any | TargetUser::Caller => None,
        });
    }
    trusted
}

fn objection(parts: &[PathFacts], trusted: &BTreeSet<u32>) -> Option<String> {
    let mut after = parts.iter().skip(1);
    parts.iter().find_map(|part| {
        let next = after.next();
        let path = shown_bytes(&part.path);
        if !trusted.contains(&part.uid) {
            return Some(format!(
                "{path} is owned by uid {}; have root own it",
                part.uid
            ));
        }
        // In a sticky folder nobody takes away what is another's (unlink(2), EPERM).
        let kept = part.mode & TYPE == FOLDER
            && part.mode & STICKY != 0
            && next.is_some_and(|next| trusted.contains(&next.uid));
        let group = part.mode & GROUP_WRITE != 0 && part.gid != 0;
        if kept || !(group || part.mode & OTHER_WRITE != 0) {
            return None;
        }
        let (who, flag) = match part.mode & OTHER_WRITE {
            0 => (format!("group {}", part.gid), "g-w"),
            _ => ("everybody".to_owned(), "o-w"),
        };
        Some(format!(
            "{path} is writable by {who}; run `chmod {flag} {path}`"
        ))
    })
}
