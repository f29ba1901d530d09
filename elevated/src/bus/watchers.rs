//! Connections that asked to be told of changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use elevate_protocol::ErrorName;
use elevate_protocol::limits::SUBSCRIPTIONS_PER_USER;

use crate::conversation::Refusal;

/// Unique names on the bus, and who they are.
#[derive(Debug, Default)]
pub struct Watchers(Mutex<BTreeMap<String, u32>>);

impl Watchers {
    /// Tell `name` of changes from now on.
    pub fn add(&self, name: &str, uid: u32) -> Result<(), Refusal> {
        let mut watchers = self.lock();
        let of_user = watchers
            .iter()
            .filter(|(other, of)| **of == uid && *other != name)
            .count();
        if of_user >= SUBSCRIPTIONS_PER_USER {
            let message = format!(
                "you watch {SUBSCRIPTIONS_PER_USER} times already (SUBSCRIPTIONS_PER_USER)"
            );
            return Err(Refusal::new(ErrorName::LimitExceeded, message));
        }
        watchers.insert(name.to_owned(), uid);
        Ok(())
    }

    /// It went away.
    pub fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Whether nobody watches.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// All of them.
    pub fn all(&self) -> Vec<(String, u32)> {
        self.lock()
            .iter()
            .map(|(name, uid)| (name.clone(), *uid))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
