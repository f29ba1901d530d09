//! What a verdict tells administrators, and that it is told over a wire.

mod common;

use common::{Town, ask, edit, policy};
use elevate_policy::{Condition, Effect, Outcome, Verdict};

const ID: &str = r#"
[rule.id]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/id"]
require = {}
"#;

fn rule(name: &str, more: &str) -> String {
    format!("\n[rule.{name}]\nroles = [\"operator\"]\n{more}\n")
}

fn id_rule(name: &str, more: &str) -> String {
    rule(
        name,
        &format!("run_as = \"root\"\ncommands = [\"/usr/bin/id\"]\n{more}"),
    )
}

#[test]
fn a_verdict_tells_of_every_rule_why_it_did_not_match() {
    let others = "[rule.leads]\nroles = [\"lead\"]\nrun_as = \"root\"\n\
                  commands = [\"ALL\"]\nrequire = {}\n";
    let rules = ID.to_owned()
        + others
        + &rule(
            "who",
            "run_as = \"SELF\"\ncommands = [\"ALL\"]\nrequire = {}",
        )
        + &rule(
            "cat",
            "run_as = \"root\"\ncommands = [\"/usr/bin/cat x\"]\nrequire = {}",
        )
        + &id_rule(
            "short",
            "require = {}\nlimit = { default = \"1s\", max = \"1s\" }",
        );
    let policy = policy(&rules);
    let asked = ask("/usr/bin/id").for_secs(5);
    let verdict = policy.explain(&asked.question(), &Town);
    let told: Vec<_> = verdict
        .considered
        .iter()
        .map(|one| match &one.outcome {
            Outcome::NotMatched { condition, .. } => (one.rule.as_str(), Some(*condition)),
            _ => (one.rule.as_str(), None),
        })
        .collect();
    assert_eq!(
        told,
        [
            ("cat", Some(Condition::Commands)),
            ("id", None),
            ("leads", Some(Condition::Roles)),
            ("short", Some(Condition::Limit)),
            ("who", Some(Condition::RunAs)),
        ]
    );
    assert_eq!(verdict.considered[1].effect, Effect::Allow);
    assert_eq!(verdict.considered[1].place.to_string(), "1.toml:2:7");
}

#[test]
fn a_verdict_survives_json() {
    let fresh = id_rule(
        "fresh",
        "require = { mfa = \"15m\" }\n\
         limit = { max = \"1h\", grace = \"5s\", idle = \"9m\", memory = \"1G\", cpu = \"9%\" }\n\
         session = { record = \"full\", on_full = \"refuse\", watched = true, execs = \"deny\", \
         contain = true, writable = [\"/srv\"], capabilities = [\"CAP_KILL\"], keep_env = [\"*\"] }",
    );
    let policy = policy(
        &(ID.to_owned()
            + &fresh
            + &rule(
                "no",
                "run_as = \"ALL\"
commands = [\"/usr/bin/x\"]
effect = \"deny\"",
            )),
    );
    for asked in [
        ask("/usr/bin/id").by_rule("fresh"),
        ask("/usr/bin/id"),
        ask("/usr/bin/id").by("dave"),
        ask("/usr/bin/x"),
        edit("/etc/motd"),
    ] {
        let verdict = asked.of(&policy);
        let json = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
    }
}
