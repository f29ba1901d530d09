//! Trees without a leader: nobody records them, nobody would end them.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use elevate_protocol::Id;

use super::children::{Children, unstore};
use crate::cgroup::{self, Tree};

/// How long a tree may take to die before that is worth a line in the journal.
const PATIENCE: Duration = Duration::from_secs(5);

struct Orphan {
    id: Id,
    since: Instant,
    complained: bool,
}

/// The trees that are being ended.
pub(super) struct Orphans(Vec<Orphan>);

impl Orphans {
    /// At the start: every session that has a scope and no leader in `children`.
    pub(super) fn without_leader(children: &Children) -> Orphans {
        let mut orphans = Orphans(Vec::new());
        for id in cgroup::sessions() {
            if !children.lead(id) {
                eprintln!("session {id} has no leader: ending it");
                orphans.add(id);
            }
        }
        orphans
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The leader of session `id` ended: end what is left of its tree, at once.
    pub(super) fn add(&mut self, id: Id) {
        if end(id) {
            unstore(id);
        } else {
            self.0.push(Orphan {
                id,
                since: Instant::now(),
                complained: false,
            });
        }
    }

    /// Look after those that were not gone yet.
    pub(super) fn look(&mut self) {
        self.0.retain_mut(|orphan| {
            if end(orphan.id) {
                unstore(orphan.id);
                return false;
            }
            if orphan.since.elapsed() > PATIENCE && !orphan.complained {
                orphan.complained = true;
                eprintln!(
                    "session {}: processes are left that cannot be killed",
                    orphan.id
                );
            }
            true
        });
    }
}

/// Kill the tree of session `id`, and remove its cgroup; whether nothing of it is left.
fn end(id: Id) -> bool {
    let gone = kill(id);
    if gone {
        cgroup::remove(id);
    }
    gone
}

fn kill(id: Id) -> bool {
    let tree = match Tree::open(id) {
        Ok(tree) => tree,
        Err(error) => return error.kind() == ErrorKind::NotFound,
    };
    if tree.is_empty() {
        return true;
    }
    if let Err(error) = tree.kill() {
        eprintln!("session {id}: cannot kill its tree: {error}");
    }
    tree.is_empty()
}
