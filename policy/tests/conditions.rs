//! The `when` of rules: an allow needs each condition certainly met, and a deny holds where one is
//! unknown.

mod common;

use std::time::Duration;

use common::{Ask, Town, ask, one, policy, told};
use elevate_policy::{Condition, DenialKind, Origin, Outcome, Policy, RuleName};

fn id_rule(when: &str) -> String {
    format!(
        "[rule.id]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/id\"]\n\
         require = {{}}\nwhen = {{ {when} }}\n"
    )
}

/// All is allowed, but for what this condition forbids.
fn forbidding(when: &str) -> Policy {
    policy(&format!(
        "[rule.all]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"ALL\"]\nrequire = {{}}\n\
         [rule.no]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/id\"]\n\
         effect = \"deny\"\nwhen = {{ {when} }}\n"
    ))
}

fn id() -> Ask {
    ask("/usr/bin/id")
}

/// The condition that alone keeps the rule `id` from matching.
#[track_caller]
fn unmet(policy: &Policy, asked: &Ask) -> Condition {
    let verdict = policy.explain(&asked.question(), &Town);
    match &verdict.considered[0].outcome {
        Outcome::NotMatched { condition, .. } => *condition,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_condition_must_be_met() {
    let cases = [
        ("hosts = [\"db1\"]", id(), id().on("web1"), Condition::Hosts),
        (
            "from = [\"10.0.0.0/8\"]",
            id().from("10.1.2.3"),
            id().from("192.0.2.1"),
            Condition::From,
        ),
        (
            "services = [\"sshd\"]",
            id().from("10.1.2.3"),
            id().through("login", Origin::Here),
            Condition::Services,
        ),
        (
            "hours = \"Mon..Fri 08:00-18:00 UTC\"",
            id(),
            id().at("2026-01-10T12:00:00Z"),
            Condition::Hours,
        ),
        (
            "valid = \"2026-01-09 11:00 .. 2026-01-09 13:00 UTC\"",
            id(),
            id().at("2026-01-09T13:00:00Z"),
            Condition::Valid,
        ),
        (
            "terminal = true",
            id(),
            id().without_a_terminal(),
            Condition::Terminal,
        ),
        (
            "terminal = false",
            id().without_a_terminal(),
            id(),
            Condition::Terminal,
        ),
    ];
    for (when, here, elsewhere, condition) in cases {
        let policy = policy(&id_rule(when));
        here.allowed(&policy);
        elsewhere.denied_as(&policy, DenialKind::NotAllowed);
        assert_eq!(unmet(&policy, &elsewhere), condition, "{when}");
    }
}

#[test]
fn the_refusal_says_what_is_missing_and_where_to_look_and_names_no_rule() {
    let policy = policy(&id_rule("hours = \"daily 08:00-09:00 UTC\""));
    let denial = id().denied(&policy);
    assert_eq!(
        denial.message,
        "no rule lets you run this as root at this time"
    );
    assert!(denial.advice.contains("elevate -l"), "{}", denial.advice);
    let stranger = id().by("bob").denied(&policy);
    assert_eq!(stranger.message, "no rule lets you run this as root");
}

#[test]
fn what_is_unknown_allows_nothing_and_forbids() {
    let unknown = [id(), id().through("sshd", Origin::Unknown)];
    for asked in &unknown {
        asked.denied(&policy(&id_rule("from = [\"10.0.0.0/8\"]")));
        asked.denied_as(&forbidding("from = [\"10.0.0.0/8\"]"), DenialKind::Unsure);
    }
    id().denied(&policy(&id_rule("services = [\"sshd\"]")));
    id().denied_as(&forbidding("services = [\"su\"]"), DenialKind::Unsure);
}

#[test]
fn a_deny_holds_only_where_all_of_it_is_met_or_unknown() {
    let office = forbidding("from = [\"10.0.0.0/8\"], hours = \"daily 20:00-06:00 UTC\"");
    let night = |asked: Ask| asked.at("2026-01-09T23:00:00Z");
    night(id().from("10.1.2.3")).denied_as(&office, DenialKind::Forbidden);
    night(id()).denied_as(&office, DenialKind::Unsure);
    id().allowed(&office);
    night(id().from("192.0.2.1")).allowed(&office);
    night(id().through("login", Origin::Here)).allowed(&office);
}

#[test]
fn a_deny_that_certainly_holds_is_told_before_one_that_may() {
    let both = forbidding("from = [\"10.0.0.0/8\"]");
    let message = id().denied(&both).message;
    assert!(message.contains("not on record"), "{message}");
    id().from("10.0.0.1")
        .denied_as(&both, DenialKind::Forbidden);
}

#[test]
fn the_end_of_hours_and_of_valid_bounds_what_is_granted() {
    let until = |when: &str| id().allowed(&policy(&id_rule(when))).limit.until;
    let hours = "hours = \"daily 08:00-18:00 UTC\"";
    let valid = "valid = \"2026-01-09 11:00 .. 2026-01-09 13:00 UTC\"";
    let at = |text: &str| Some(text.parse().unwrap());
    assert_eq!(until(hours), at("2026-01-09T18:00:00Z"));
    assert_eq!(until(valid), at("2026-01-09T13:00:00Z"));
    assert_eq!(
        until(&format!("{hours}, {valid}")),
        at("2026-01-09T13:00:00Z")
    );
    assert_eq!(until("hours = \"daily 00:00-24:00 UTC\""), None);
    assert_eq!(until(""), None);
}

#[test]
fn of_rules_that_owe_as_much_the_one_that_lasts_longest_is_taken() {
    let late = id_rule("hours = \"daily 08:00-18:00 UTC\"").replace("rule.id", "rule.b");
    let early = id_rule("hours = \"daily 08:00-13:00 UTC\"").replace("rule.id", "rule.a");
    let both = policy(&(late + &early));
    assert_eq!(id().allowed(&both).rule.as_str(), "b");
    assert_eq!(id().by_rule("a").allowed(&both).rule.as_str(), "a");
}

#[test]
fn what_is_asked_for_is_not_refused_for_the_end_of_hours() {
    let policy = policy(&id_rule("hours = \"daily 08:00-12:01 UTC\""));
    let limit = id().for_secs(1800).allowed(&policy).limit;
    assert_eq!(limit.granted, Duration::from_secs(1800));
    assert_eq!(limit.until, Some("2026-01-09T12:01:00Z".parse().unwrap()));
}

#[test]
fn a_change_of_a_condition_changes_the_content_of_the_rule() {
    let name = RuleName::new("id").unwrap();
    let digest = |when: &str| policy(&id_rule(when)).content_digest(&name);
    let all = [
        "",
        "terminal = true",
        "terminal = false",
        "hosts = [\"a\"]",
        "services = [\"a\"]",
        "from = [\"10.0.0.0/8\"]",
        "from = [\"10.0.0.0/9\"]",
        "hours = \"daily 08:00-12:01 UTC\"",
        "valid = \"2026-01-09 11:00 .. 2026-01-09 13:00 UTC\"",
    ];
    for (at, one) in all.iter().enumerate() {
        for (other_at, other) in all.iter().enumerate() {
            assert_eq!(
                digest(one) == digest(other),
                at == other_at,
                "{one} {other}"
            );
        }
    }
}

#[test]
fn conditions_are_listed_as_they_are_written() {
    let aliases = "[alias]\nhosts.db = [\"pg1.example.org\", \"db-*\"]\n";
    let rule = id_rule("hosts = [\"@hosts.db\"], from = [\"10.0.0.0/8\"], terminal = true");
    let listed = policy(&(aliases.to_owned() + &rule)).listing("alice", 1000, &Town);
    let words = |key: &str| listed[0].when[key].join(" ");
    assert_eq!(words("hosts"), "db-* pg1.example.org");
    assert_eq!(
        (words("from"), words("terminal")),
        ("10.0.0.0/8".into(), "true".into())
    );
    assert!(!listed[0].when.contains_key("hours"));
}

#[test]
fn a_wrong_condition_is_told_with_its_place() {
    let with = |key: &str| {
        format!(
            "[role.x]\n[rule.y]\nroles = [\"x\"]\nrun_as = \"root\"\n\
        commands = [\"/usr/bin/id\"]\nrequire = {{}}\nwhen = {{ {key} }}"
        )
    };
    one(
        &with("hour = \"x\""),
        "p:7:10: unknown key `hour`, did you mean `hours`?",
    );
    one(
        &with("from = []"),
        "p:7:17: `from` is empty, so that the rule could never match",
    );
    one(
        &with("terminal = \"yes\""),
        "p:7:21: `terminal` takes true or false, and this is of type string",
    );
    let valid = told(&with("valid = \"today\""));
    assert!(
        valid[0].contains("it takes two moments and a time zone"),
        "{valid:?}"
    );
    let misplaced = with("").replace("when = {  }", "hours = \"daily 00:00-24:00 UTC\"");
    one(
        &misplaced,
        "p:7:1: unknown key `hours` here; it stands in `when`",
    );
}
