//! Who may run what as whom, as sentences.

mod common;

use std::time::Duration;

use common::{ask, policy};
use elevate_policy::{DenialKind, Execs, Mfa, Owed, Record};

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
fn the_default_is_no() {
    ask("/usr/bin/id").denied_as(&policy(""), DenialKind::NotAllowed);
}

#[test]
fn a_member_may_run_what_the_rule_names_and_nothing_else() {
    let policy = policy(ID);
    assert_eq!(ask("/usr/bin/id").allowed(&policy).rule.as_str(), "id");
    ask("/usr/bin/whoami").denied_as(&policy, DenialKind::NotAllowed);
    ask("/usr/bin/id -u").denied_as(&policy, DenialKind::NotAllowed);
    ask("/usr/bin/id")
        .running_as("postgres", 105)
        .denied_as(&policy, DenialKind::NotAllowed);
}

#[test]
fn a_member_by_group_may_and_a_stranger_may_not() {
    let policy = policy(ID);
    ask("/usr/bin/id").by("carol").allowed(&policy);
    ask("/usr/bin/id")
        .by("eve")
        .denied_as(&policy, DenialKind::NotAllowed);
}

#[test]
fn a_membership_that_is_unknown_allows_nothing_and_says_so() {
    ask("/usr/bin/id")
        .by("dave")
        .denied_as(&policy(ID), DenialKind::Unsure);
    ask("/usr/bin/whoami")
        .by("dave")
        .denied_as(&policy(ID), DenialKind::NotAllowed);
}

#[test]
fn a_deny_wins_over_every_allow_and_over_a_named_rule() {
    let policy = policy(&(ID.to_owned() + &id_rule("no", "effect = \"deny\"")));
    ask("/usr/bin/id").denied_as(&policy, DenialKind::Forbidden);
    ask("/usr/bin/id")
        .by_rule("id")
        .denied_as(&policy, DenialKind::Forbidden);
    assert_eq!(
        ask("/usr/bin/id").of(&policy).decided_by.unwrap().as_str(),
        "no"
    );
}

#[test]
fn a_membership_that_is_unknown_counts_for_a_deny() {
    let deny = "[rule.no]\nroles = [\"operator\"]\nrun_as = \"ALL\"\ncommands = [\"ALL\"]\n\
                effect = \"deny\"\n[role.daves]\nmembers = [\"dave\"]\n[rule.yes]\n\
                roles = [\"daves\"]\nrun_as = \"ALL\"\ncommands = [\"ALL\"]\nrequire = {}\n";
    let policy = policy(deny);
    let verdict = ask("/usr/bin/id").by("dave").of(&policy);
    ask("/usr/bin/id")
        .by("dave")
        .denied_as(&policy, DenialKind::Unsure);
    assert_eq!(verdict.decided_by.unwrap().as_str(), "no");
}

#[test]
fn the_least_demanding_rule_is_taken() {
    let approved = r#"require = { approvals = 1, approvers = ["role:lead"] }"#;
    let asked = r#"require = { reason = true }"#;
    let both = id_rule("a-approved", approved) + &id_rule("b-reason", asked);
    let allowed = ask("/usr/bin/id").allowed(&policy(&both));
    assert_eq!(allowed.rule.as_str(), "b-reason");
    assert_eq!(
        allowed.owed,
        Owed {
            approvals: 0,
            each: false,
            mfa: None,
            ticket: false,
            reason: true
        }
    );
    let three = both + &id_rule("z-free", "require = {}") + &id_rule("y-free", "require = {}");
    assert_eq!(
        ask("/usr/bin/id").allowed(&policy(&three)).rule.as_str(),
        "y-free"
    );
}

#[test]
fn of_equally_many_approvals_the_oldest_factor_is_taken_before_a_reason_counts() {
    let free = id_rule("free", "require = { reason = true }");
    let hour = id_rule("hour", "require = { mfa = \"1h\", reason = true }");
    let quarter = id_rule("quarter", "require = { mfa = \"15m\" }");
    let always = id_rule("always", "require = { mfa = \"always\" }");
    let approvals = "require = { approvals = 1, approvers = [\"role:lead\"] }";
    let approved = id_rule("approved", approvals);
    let mut rules = vec![free, hour, quarter, always, approved];
    let minutes = |minutes: u64| Some(Mfa::Within(Duration::from_secs(minutes * 60)));
    for (name, mfa) in [
        ("free", None),
        ("hour", minutes(60)),
        ("quarter", minutes(15)),
        ("always", Some(Mfa::Always)),
        ("approved", None),
    ] {
        let allowed = ask("/usr/bin/id").allowed(&policy(&rules.concat()));
        assert_eq!((allowed.rule.as_str(), allowed.owed.mfa), (name, mfa));
        rules.remove(0);
    }
}

#[test]
fn a_named_rule_is_taken_although_it_demands_more() {
    let policy = policy(&(ID.to_owned() + &id_rule("told", "require = { reason = true }")));
    assert!(
        ask("/usr/bin/id")
            .by_rule("told")
            .allowed(&policy)
            .owed
            .reason
    );
}

#[test]
fn a_rule_of_others_and_a_rule_that_does_not_exist_are_denied_in_the_same_words() {
    let others = "[rule.leads]\nroles = [\"lead\"]\nrun_as = \"root\"\n\
                  commands = [\"/usr/bin/id\"]\nrequire = {}\n";
    let policy = policy(&(ID.to_owned() + others));
    let of_others = ask("/usr/bin/id").by_rule("leads").denied(&policy);
    let of_nobody = ask("/usr/bin/id").by_rule("ghost").denied(&policy);
    assert_eq!(of_others.kind, DenialKind::NamedRule);
    assert_eq!(
        of_others.message.replace("leads", "ghost"),
        of_nobody.message
    );
    let default = ask("/usr/bin/id").by("eve").denied(&policy);
    assert!(!default.message.contains("leads") && !default.advice.contains("leads"));
}

#[test]
fn a_session_is_as_strict_as_the_strictest_rule_that_matches() {
    let loose = r#"require = {}
session = { record = "none", execs = "none", keep_env = ["LANG", "TERM"] }"#;
    let alone = ask("/usr/bin/id")
        .allowed(&policy(&id_rule("loose", loose)))
        .session;
    assert_eq!((alone.record, alone.execs), (Record::None, Execs::None));
    assert_eq!(alone.keep_env, ["LANG", "TERM"]);

    let strict = r#"require = { reason = true }
limit = { max = "1m" }
session = { execs = "none", keep_env = ["LANG", "LC_ALL"] }"#;
    let policy = policy(&(id_rule("loose", loose) + &id_rule("strict", strict)));
    for asked in [ask("/usr/bin/id"), ask("/usr/bin/id").for_secs(600)] {
        let both = asked.allowed(&policy);
        assert_eq!(both.rule.as_str(), "loose");
        assert_eq!(
            (both.session.record, both.session.execs),
            (Record::Output, Execs::None)
        );
        assert_eq!(both.session.keep_env, ["LANG"]);
    }
}

#[test]
fn without_session_output_and_execs_are_recorded() {
    let session = ask("/usr/bin/id").allowed(&policy(ID)).session;
    assert_eq!(
        (session.record, session.execs),
        (Record::Output, Execs::Log)
    );
    assert!(session.keep_env.is_empty());
}

#[test]
fn a_time_is_the_wanted_one_or_the_default_and_never_above_the_longest() {
    let text = "require = {}\nlimit = { default = \"5m\", max = \"1h 30m\", tasks = 20 }";
    let policy = policy(&id_rule("timed", text));
    let limit = ask("/usr/bin/id").allowed(&policy).limit;
    assert_eq!((limit.granted.as_secs(), limit.max.as_secs()), (300, 5400));
    assert_eq!(limit.tasks, Some(20));
    assert_eq!(
        ask("/usr/bin/id")
            .for_secs(5400)
            .allowed(&policy)
            .limit
            .granted
            .as_secs(),
        5400
    );

    let denial = ask("/usr/bin/id").for_secs(5401).denied(&policy);
    assert_eq!(
        denial.kind,
        DenialKind::TooLong {
            longest: Duration::from_secs(5400)
        }
    );
    assert!(denial.message.contains("1h 30m"), "{}", denial.message);
    ask("/usr/bin/id")
        .for_secs(0)
        .denied_as(&policy, DenialKind::Invalid);
}

#[test]
fn a_longer_wish_finds_the_rule_that_is_long_enough() {
    let rules = id_rule(
        "short",
        "require = {}\nlimit = { default = \"1m\", max = \"1m\" }",
    ) + &id_rule(
        "long",
        "require = { reason = true }\nlimit = { max = \"2h\" }",
    );
    let policy = policy(&rules);
    assert_eq!(
        ask("/usr/bin/id")
            .for_secs(60)
            .allowed(&policy)
            .rule
            .as_str(),
        "short"
    );
    assert_eq!(
        ask("/usr/bin/id")
            .for_secs(7200)
            .allowed(&policy)
            .rule
            .as_str(),
        "long"
    );
}

#[test]
fn without_limit_the_defaults_of_the_host_count() {
    let limit = ask("/usr/bin/id").allowed(&policy(ID)).limit;
    assert_eq!((limit.granted.as_secs(), limit.max.as_secs()), (900, 3600));
    let short = id_rule("short", "require = {}\nlimit = { max = \"5m\" }");
    assert_eq!(
        ask("/usr/bin/id")
            .allowed(&policy(&short))
            .limit
            .granted
            .as_secs(),
        300
    );
}

fn run_as(target: &str, effect: &str) -> String {
    let name = if effect.contains("deny") { "no" } else { "yes" };
    rule(
        name,
        &format!("run_as = {target}\ncommands = [\"ALL\"]\n{effect}"),
    )
}

#[test]
fn a_rule_runs_as_those_it_names_and_no_others() {
    let named = policy(&run_as(r##"["postgres", "#33"]"##, "require = {}"));
    ask("/usr/bin/id")
        .running_as("postgres", 105)
        .allowed(&named);
    ask("/usr/bin/id")
        .running_as("www-data", 33)
        .allowed(&named);
    ask("/usr/bin/id").denied_as(&named, DenialKind::NotAllowed);

    let own = policy(&run_as(r#""SELF""#, "require = {}"));
    ask("/usr/bin/id").running_as("alice", 1000).allowed(&own);
    ask("/usr/bin/id").denied_as(&own, DenialKind::NotAllowed);
    // A name alone, or a number alone, is not the caller.
    ask("/usr/bin/id")
        .running_as("alice", 0)
        .denied_as(&own, DenialKind::NotAllowed);
    ask("/usr/bin/id")
        .running_as("toor", 1000)
        .denied_as(&own, DenialKind::NotAllowed);

    let any = policy(&run_as(r#""ALL""#, "require = {}"));
    ask("/usr/bin/id").with_group("adm", 4).allowed(&any);
}

#[test]
fn a_group_must_be_granted_to_be_asked_for() {
    let plain = policy(&run_as(r#""postgres""#, "require = {}"));
    let postgres = ask("/usr/bin/id").running_as("postgres", 105);
    postgres.allowed(&plain);
    postgres
        .clone()
        .with_group("adm", 4)
        .denied_as(&plain, DenialKind::NotAllowed);

    let with_adm = policy(&run_as(r#""postgres:adm""#, "require = {}"));
    postgres.clone().with_group("adm", 4).allowed(&with_adm);
    postgres
        .clone()
        .with_group("disk", 6)
        .denied_as(&with_adm, DenialKind::NotAllowed);
    postgres.denied_as(&with_adm, DenialKind::NotAllowed);

    let any_group = policy(&run_as(r#""postgres:ALL""#, "require = {}"));
    postgres.clone().with_group("disk", 6).allowed(&any_group);
    let by_number = policy(&run_as(r##""SELF:#4""##, "require = {}"));
    ask("/usr/bin/id")
        .running_as("alice", 1000)
        .with_group("adm", 4)
        .allowed(&by_number);
}

#[test]
fn a_deny_of_a_target_is_not_evaded_by_a_group_or_by_another_name_of_root() {
    let rules = run_as(r#""ALL""#, "require = {}") + &run_as(r#""root""#, "effect = \"deny\"");
    let policy = policy(&rules);
    ask("/usr/bin/id").denied_as(&policy, DenialKind::Forbidden);
    ask("/usr/bin/id")
        .with_group("adm", 4)
        .denied_as(&policy, DenialKind::Forbidden);
    ask("/usr/bin/id")
        .running_as("toor", 0)
        .denied_as(&policy, DenialKind::Forbidden);
    ask("/usr/bin/id")
        .running_as("postgres", 105)
        .allowed(&policy);
}

#[test]
fn a_user_named_root_without_uid_0_gets_nothing_meant_for_root() {
    ask("/usr/bin/id")
        .running_as("root", 500)
        .denied_as(&policy(ID), DenialKind::NotAllowed);
}

#[test]
fn ids_at_the_edges_are_refused_as_callers_and_as_targets() {
    let policy = policy(&run_as(r#""ALL""#, "require = {}"));
    for id in [u32::MAX, u32::MAX - 1, 1 << 31] {
        ask("/usr/bin/id")
            .running_as("x", id)
            .denied_as(&policy, DenialKind::Invalid);
        ask("/usr/bin/id")
            .with_group("x", id)
            .denied_as(&policy, DenialKind::Invalid);
        let mut caller = ask("/usr/bin/id");
        caller.uid = id;
        caller.denied_as(&policy, DenialKind::Invalid);
    }
    ask("/usr/bin/id")
        .running_as("x", i32::MAX as u32)
        .allowed(&policy);
}

#[test]
fn a_file_that_is_not_resolved_is_refused_even_by_a_rule_for_everything() {
    let policy = policy(&run_as(r#""ALL""#, "require = {}"));
    for file in [
        "",
        "id",
        "/",
        "/usr/../bin/id",
        "/usr/./id",
        "/usr//id",
        "/usr/bin/",
        "/a\0b",
    ] {
        ask(file).denied_as(&policy, DenialKind::Invalid);
        ask("/usr/bin/id")
            .leading_to(file)
            .denied_as(&policy, DenialKind::Invalid);
    }
    ask("/usr/bin/id a\0b").denied_as(&policy, DenialKind::Invalid);
}

#[test]
fn a_shell_is_met_by_shell_all_and_its_own_path() {
    let bash = ask("/usr/bin/bash").shell();
    for commands in [r#""SHELL""#, r#""ALL""#, r#""/usr/bin/bash""#] {
        let text = format!("run_as = \"root\"\ncommands = [{commands}]\nrequire = {{}}");
        bash.allowed(&policy(&rule("shell", &text)));
    }
    let shell = policy(&rule(
        "s",
        "run_as=\"root\"\ncommands=[\"SHELL\"]\nrequire={}",
    ));
    ask("/usr/bin/bash").denied_as(&shell, DenialKind::NotAllowed);
    bash.denied_as(&policy(ID), DenialKind::NotAllowed);
}

#[test]
fn a_deny_written_with_bin_meets_the_file_in_usr_bin() {
    let rules = run_as(r#""ALL""#, "require = {}")
        + &rule(
            "no",
            "run_as = \"ALL\"\ncommands = [\"/bin/su ...\"]\neffect = \"deny\"",
        );
    let policy = policy(&rules);
    ask("/usr/bin/su -").denied_as(&policy, DenialKind::Forbidden);
    ask("/bin/su").denied_as(&policy, DenialKind::Forbidden);
}

#[test]
fn an_allow_is_for_the_name_it_names_and_not_for_what_else_the_file_is_called() {
    let commands = r#"["/usr/bin/systemctl", "/usr/sbin/reboot"]"#;
    let text = format!("run_as = \"root\"\ncommands = {commands}\nrequire = {{}}");
    let policy = policy(&rule("list", &text));
    ask("/usr/bin/systemctl").allowed(&policy);
    ask("/usr/sbin/reboot")
        .leading_to("/usr/bin/systemctl")
        .allowed(&policy);
    let poweroff = ask("/usr/sbin/poweroff").leading_to("/usr/bin/systemctl");
    poweroff.denied_as(&policy, DenialKind::NotAllowed);
    let own = ask("/home/alice/poweroff").leading_to("/usr/bin/systemctl");
    own.denied_as(&policy, DenialKind::NotAllowed);
}

#[test]
fn a_deny_holds_for_a_file_by_any_name() {
    let rules = run_as(r#""ALL""#, "require = {}")
        + &rule(
            "no",
            "run_as = \"ALL\"\ncommands = [\"/usr/bin/su ...\"]\neffect = \"deny\"",
        );
    let policy = policy(&rules);
    let renamed = ask("/home/alice/harmless").leading_to("/bin/su");
    renamed.denied_as(&policy, DenialKind::Forbidden);
    ask("/usr/bin/su")
        .leading_to("/opt/su")
        .denied_as(&policy, DenialKind::Forbidden);
    ask("/home/alice/harmless").allowed(&policy);
}
