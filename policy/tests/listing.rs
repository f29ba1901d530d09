//! What people hear of their own rules, and who may audit.

mod common;

use common::{PEOPLE, Town, try_load};
use elevate_policy::{Effect, Listed, May, Membership};

const RULES: &str = r##"
[rule.web]
description = "The web server"
roles = ["operator"]
run_as = ["root", "www-data:adm", "#33", "SELF:#4", "ALL", "postgres:ALL", "SELF"]
commands = ["/usr/bin/systemctl {start,stop} nginx", "SHELL"]
edit = ["/etc/nginx/**"]
require = { approvals = 1, approvers = ["role:lead", "%oncall"], reason = true }
limit = { default = "5m", max = "1h", idle = "2m", memory = "1G" }
session = { record = "full" }
[rule.no]
roles = ["operator"]
run_as = "ALL"
commands = ["/usr/bin/su ..."]
effect = "deny"
[rule.others]
roles = ["lead"]
run_as = "root"
commands = ["ALL"]
require = {}
[rule.raw-network]
roles = ["operator"]
run_as = "SELF"
commands = ["/usr/bin/tcpdump ..."]
require = {}
session = { capabilities = ["CAP_NET_RAW"] }
"##;

fn listing(user: &str, uid: u32) -> Vec<Listed> {
    let policy = try_load(&[PEOPLE, RULES]).unwrap();
    policy.listing(user, uid, &Town)
}

fn names(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|one| one.rule.as_str()).collect()
}

#[test]
fn people_hear_of_the_rules_of_their_certain_roles_and_of_no_others() {
    assert_eq!(names(&listing("alice", 1000)), ["no", "raw-network", "web"]);
    assert_eq!(names(&listing("carol", 1001)), ["no", "raw-network", "web"]);
    assert_eq!(names(&listing("bob", 1002)), ["others"]);
    assert!(listing("dave", 1003).is_empty() && listing("eve", 1004).is_empty());
}

#[test]
fn nobody_hears_of_a_rule_that_never_runs_for_them() {
    assert_eq!(names(&listing("alice", 0)), ["no", "web"]);
}

#[test]
fn a_rule_is_told_as_it_is_written_with_what_it_owes() {
    let all = listing("alice", 1000);
    let web = &all[2];
    assert_eq!(web.effect, Effect::Allow);
    assert_eq!(web.description.as_deref(), Some("The web server"));
    let run_as: Vec<_> = web.run_as.iter().map(String::as_str).collect();
    let mut expected = vec![
        "#33",
        "ALL",
        "SELF",
        "SELF:#4",
        "postgres:ALL",
        "root",
        "www-data:adm",
    ];
    let mut sorted = run_as.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(
        web.commands,
        ["/usr/bin/systemctl {start,stop} nginx", "SHELL"]
    );
    assert_eq!(web.edit, ["/etc/nginx/**"]);
    assert_eq!(web.approvers, ["%oncall", "role:lead"]);
    let owed = web.owed.unwrap();
    assert_eq!((owed.approvals, owed.reason), (1, true));
    let limit = web.limit.unwrap();
    assert_eq!((limit.max.as_secs(), limit.memory), (3600, Some(1 << 30)));
    let no = &all[0];
    assert_eq!(no.effect, Effect::Deny);
    assert!(no.owed.is_none() && no.limit.is_none() && no.session.is_none());
}

#[test]
fn a_listing_survives_json() {
    let all = listing("alice", 1000);
    let json = serde_json::to_string(&all).unwrap();
    assert!(
        json.contains("\"default_ms\":300000") && json.contains("\"idle_ms\":120000"),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Vec<Listed>>(&json).unwrap(), all);
}

#[test]
fn members_of_a_role_that_may_audit_may_and_root_may() {
    let auditors = "[role.auditor]\nmay = [\"audit\"]\nmembers = [\"%oncall\", \"zoe\"]\n";
    let more = "[role.auditor]\nmembers = [\"yan\"]\n[role.lead]\nmay = [\"audit\"]\n";
    let policy = try_load(&[PEOPLE, auditors, more]).unwrap();
    let may = |user: &str, uid| policy.may(user, uid, May::Audit, &Town);
    for user in ["olga", "zoe", "yan", "bob"] {
        assert_eq!(may(user, 1000), Membership::Yes, "{user}");
    }
    assert_eq!(may("alice", 1000), Membership::No);
    assert_eq!(may("dave", 1000), Membership::Unknown);
    assert_eq!(may("root", 0), Membership::Yes);
    // A name alone is not root.
    assert_eq!(may("root", 1000), Membership::No);
}
