//! What changed, for those who watch on the bus.

use elevate_protocol::Id;

use super::{Daemon, sees};
use crate::bus;
use crate::elevation::Elevation;

impl Daemon {
    /// Keep the objects on the bus in step, and tell watchers; `None` where it is forgotten.
    pub(super) fn changed(&self, id: Id, elevation: Option<Elevation>) {
        let Ok(bus) = self.bus() else { return };
        let watchers = elevation
            .as_ref()
            .map(|e| self.watchers_of(e))
            .unwrap_or_default();
        let Some(daemon) = self.this.upgrade() else {
            return;
        };
        tokio::spawn(bus::publish(daemon, bus.clone(), id, elevation, watchers));
    }

    fn watchers_of(&self, elevation: &Elevation) -> Vec<String> {
        let watching = self.watchers.all();
        if watching.is_empty() {
            return Vec::new();
        }
        let policy = self.core().policies.policy();
        let Ok(accounts) = self.identities.accounts(&policy) else {
            return Vec::new();
        };
        let may = watching
            .into_iter()
            .filter(|(_, uid)| sees(elevation, *uid, &policy, &accounts));
        may.map(|(name, _)| name).collect()
    }
}
