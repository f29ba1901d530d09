//! The server is gone: what was known goes on counting for `cache_max_age` and no longer (attack row
//! 26).

use std::time::Duration;

use crate::{PATIENCE, is_known, machine, systemctl, until_state};

const SETTINGS: &str = "[directory]\ncache_max_age = \"30s\"\n";
/// The cache's age, and what it takes to notice.
const PAST: Duration = Duration::from_secs(60);

#[test]
fn with_the_server_gone_people_go_on_from_the_cache_and_past_its_age_stop() {
    let machine = machine("directory-outage");
    machine.write("/etc/elevate/elevated.toml", SETTINGS, 0o644);
    systemctl(&machine, &["restart", "elevated"]);
    until_state(&machine, "connected", PATIENCE);
    let before = machine.login("alice");
    let server = machine.directory_server();
    server.stop();
    until_state(&machine, "disconnected", PATIENCE);
    let lost = machine.event("directory-contact", &[("ELEVATE_OUTCOME", "lost")]);
    assert!(lost.get("ELEVATE_REASON").is_some(), "{lost:?}");
    machine.login("carol").run("elevate id").success();
    before.run("elevate id").success();

    until_state(&machine, "expired", PAST);
    let refused = before.run("elevate id");
    assert_eq!(refused.status, 1, "{}", refused.describe());
    assert!(
        refused.errors().contains("cache_max_age"),
        "{}",
        refused.errors()
    );
    let record = machine.event("refusal", &[("ELEVATE_UID", "5001")]);
    assert!(record.is("ELEVATE_OUTCOME", "refused"), "{record:?}");
    // Who was in stays in: nothing says that they left.
    assert!(!before.ended());

    server.start();
    until_state(&machine, "connected", PAST);
    before.run("elevate id").success();
}

#[test]
fn a_network_that_swallows_everything_is_noticed() {
    let machine = machine("directory-frozen");
    until_state(&machine, "connected", PATIENCE);
    let server = machine.directory_server();
    server.freeze();
    until_state(&machine, "disconnected", PATIENCE);
    assert!(is_known(&machine, "alice"));
    server.thaw();
    until_state(&machine, "connected", PAST);
}
