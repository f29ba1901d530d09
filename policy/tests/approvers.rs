//! Who may approve, who is told, and what a vote is bound to.

mod common;

use common::{PEOPLE, Town, an_hour, policy, source, try_load};
use elevate_policy::{HostFacts, Membership, RuleName, load};

const RULE: &str = r#"
[alias]
approvers.night = ["%oncall", "@approvers.boss"]
approvers.boss = ["zoe"]
commands.web = ["/usr/bin/systemctl restart nginx"]

[rule.web]
description = "Restart the web server"
roles = ["operator"]
run_as = "root"
commands = ["@commands.web"]
require = { approvals = 1, approvers = ["role:lead", "@approvers.night"] }
"#;

fn name(text: &str) -> RuleName {
    RuleName::new(text).unwrap()
}

#[test]
fn approvers_are_users_groups_and_roles_also_through_aliases() {
    let policy = policy(RULE);
    let may = |voter| policy.may_approve(&name("web"), voter, &Town);
    for voter in ["bob", "zoe", "olga"] {
        assert_eq!(may(voter), Membership::Yes, "{voter}");
    }
    assert_eq!(may("alice"), Membership::No);
    assert_eq!(may("dave"), Membership::Unknown);
    assert_eq!(
        policy.may_approve(&name("ghost"), "bob", &Town),
        Membership::No
    );
}

#[test]
fn those_to_be_told_are_the_accounts_that_certainly_may() {
    let policy = policy(RULE);
    let told = policy.candidates(&name("web"), ["alice", "bob", "dave", "olga"], &Town);
    assert_eq!(told, ["bob", "olga"]);
    let words: Vec<_> = policy
        .approvers_of(&name("web"))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(words, ["zoe", "%oncall", "role:lead"]);
}

#[test]
fn the_rules_of_a_user_are_those_of_their_roles() {
    let policy = policy(RULE);
    let names = |user: &str| -> Vec<String> {
        policy
            .rules_for(user, &Town)
            .iter()
            .map(|rule| rule.name.to_string())
            .collect()
    };
    assert_eq!(names("carol"), ["web"]);
    assert!(names("bob").is_empty() && names("dave").is_empty());
}

fn digest(people: &str, rules: &str) -> [u8; 32] {
    try_load(&[people, rules])
        .unwrap()
        .content_digest(&name("web"))
        .unwrap()
}

#[test]
fn a_digest_changes_with_everything_the_rule_depends_on() {
    let before = digest(PEOPLE, RULE);
    for (from, to) in [
        ("restart nginx", "restart ssh"),
        ("\"root\"", "\"ALL\""),
        ("approvals = 1", "approvals = 2"),
        ("zoe", "eve"),
        ("%oncall", "%other"),
        ("approvals = 1,", "approvals = 1, reason = true,"),
        ("approvals = 1,", "approvals = 1, mfa = \"15m\","),
        ("approvals = 1,", "approvals = 1, mfa = \"always\","),
        ("require", "limit = { max = \"2h\" }\nrequire"),
        ("require", "session = { record = \"none\" }\nrequire"),
        ("require", "session = { on_full = \"refuse\" }\nrequire"),
        ("require", "session = { watched = true }\nrequire"),
        ("require", "session = { execs = \"deny\" }\nrequire"),
        ("require", "session = { keep_env = [\"*\"] }\nrequire"),
        ("require", "session = { contain = true }\nrequire"),
        (
            "require",
            "session = { contain = true, network = true }\nrequire",
        ),
        (
            "require",
            "session = { contain = true, writable = [\"/srv\"] }\nrequire",
        ),
        (
            "require",
            "session = { contain = true, capabilities = [] }\nrequire",
        ),
        ("require", "limit = { grace = \"1s\" }\nrequire"),
        ("require", "limit = { idle = \"1m\" }\nrequire"),
        ("require", "limit = { tasks = 9 }\nrequire"),
        ("require", "limit = { memory = \"1G\" }\nrequire"),
        ("require", "limit = { cpu = \"50%\" }\nrequire"),
        ("require", "edit = [\"/etc/motd\"]\nrequire"),
    ] {
        let changed = RULE.replace(from, to);
        assert_ne!(changed, RULE);
        assert_ne!(digest(PEOPLE, &changed), before, "{from} -> {to}");
    }
    for (from, to) in [
        ("\"bob\"", "\"bob\", \"eve\""),
        ("\"alice\"", "\"eve\""),
        ("\"alice\"", "\"alice\", \"attr:department=ops\""),
        ("[role.operator]", "[role.operator]\nlogin.require = {}"),
        (
            "[role.lead]",
            "[role.lead]\nlogin.require = { mfa = \"8h\" }",
        ),
        ("[role.lead]", "[role.lead]\nlogin.when.hosts = [\"db-*\"]"),
        (
            "[role.lead]",
            "[role.lead]\nlogin.when.services = [\"sshd\"]",
        ),
        (
            "[role.lead]",
            "[role.lead]\nlogin.when.hours = \"Mon 07:00-08:00 UTC\"",
        ),
        ("[role.lead]", "[role.lead]\nlogin.when.from = [\"::1\"]"),
        ("[role.lead]", "[role.lead]\nlogin.record = \"output\""),
    ] {
        assert_ne!(
            digest(&PEOPLE.replace(from, to), RULE),
            before,
            "{from} -> {to}"
        );
    }
}

#[test]
fn a_digest_of_what_must_be_watched_changes_with_those_who_may_watch() {
    let auditor = "[role.auditor]\nmembers = [\"zoe\"]\nmay = [\"audit\"]\n";
    let more = auditor.replace("\"zoe\"", "\"zoe\", \"alice\"");
    let with = |role: &str, rule: &str| digest(&format!("{PEOPLE}{role}"), rule);
    let watched = RULE.replace("require", "session = { watched = true }\nrequire");
    assert_ne!(with(auditor, &watched), with(&more, &watched));
    assert_eq!(with(auditor, RULE), with(&more, RULE));
}

#[test]
fn a_digest_is_the_same_after_comments_descriptions_and_renamed_files() {
    let before = digest(PEOPLE, RULE);
    let told = RULE.replace("Restart the web server", "Restart nginx");
    assert_eq!(digest(PEOPLE, &format!("# hello\n{told}")), before);
    let sources = [source("z", RULE), source("y", PEOPLE)];
    let again = load(&sources, &HostFacts::default(), &an_hour()).unwrap();
    assert_eq!(again.content_digest(&name("web")), Some(before));
    assert_eq!(again.content_digest(&name("ghost")), None);
}
