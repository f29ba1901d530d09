//! What several tests ask of an Elevate that runs in a machine.

use std::time::Duration;

use crate::{Entry, Machine};

/// How long an entry may take to show up. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

impl Machine {
    /// Puts a policy in force.
    ///
    /// # Panics
    /// If it cannot be written, or Elevate refuses it.
    #[track_caller]
    pub fn policy(&self, name: &str, text: &str) {
        let path = format!("/etc/elevate/policy.d/{name}.toml");
        let new = format!("{path}.new");
        self.write(&new, text, 0o644);
        // Renamed, so that nobody ever reads half of it.
        self.run(&["mv", &new, &path]).success();
        let status = self.run(&["elevatectl", "status"]).success().text();
        assert!(!status.contains("problem"), "{status}");
    }

    /// What Elevate put on record with these values in these fields, oldest first.
    ///
    /// # Panics
    /// If journalctl fails.
    #[track_caller]
    pub fn events(&self, fields: &[(&str, &str)]) -> Vec<Entry> {
        let ours = [("SYSLOG_IDENTIFIER", "elevate")];
        self.journal(&[&ours, fields].concat())
    }

    /// The first event of this kind with these values in these fields, as soon as it is there.
    ///
    /// # Panics
    /// If it does not come within 20 seconds.
    #[track_caller]
    pub fn event(&self, kind: &str, fields: &[(&str, &str)]) -> Entry {
        let fields = [&[("ELEVATE_EVENT", kind)], fields].concat();
        self.poll(&format!("the event {fields:?}"), PATIENCE, || {
            self.events(&fields).into_iter().next()
        })
    }

    /// Waits until a file is there.
    ///
    /// # Panics
    /// If it is not there within 20 seconds.
    #[track_caller]
    pub fn wait_for_file(&self, path: &str) {
        self.poll(path, PATIENCE, || self.has(path).then_some(()));
    }

    /// Whether there is such a file or folder.
    ///
    /// # Panics
    /// If it cannot be looked for.
    #[track_caller]
    pub fn has(&self, path: &str) -> bool {
        self.run(&["test", "-e", path]).status == 0
    }

    /// How many processes have exactly this command line.
    ///
    /// # Panics
    /// If they cannot be looked for.
    #[track_caller]
    pub fn processes(&self, line: &str) -> usize {
        let found = self.run(&["pgrep", "--full", "--exact", line]);
        assert!(found.status <= 1, "{}", found.describe());
        found.text().lines().count()
    }
}

impl Entry {
    /// The request that an event belongs to.
    ///
    /// # Panics
    /// If it names none.
    #[track_caller]
    pub fn request(&self) -> String {
        let request = self.get("ELEVATE_REQUEST");
        request.unwrap_or_else(|| panic!("no request in {self:?}"))
    }
}
