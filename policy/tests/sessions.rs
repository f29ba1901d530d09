//! How sessions run, and how long and how much.

mod common;

use std::time::Duration;

use common::{ask, policy};
use elevate_policy::{
    Allowance, Contain, DenialKind, Execs, Limit, OnFull, Record, SessionSettings, may_be_kept,
};

fn rule(name: &str, more: &str) -> String {
    format!(
        "\n[rule.{name}]\nroles = [\"operator\"]\nrun_as = \"ALL\"\n\
         commands = [\"/usr/bin/id\"]\n{more}\n"
    )
}

/// What two rules allow together, the first without conditions.
fn both(one: &str, other: &str) -> Allowance {
    let rules = rule("a", &format!("require = {{}}\n{one}"))
        + &rule("b", &format!("require.reason = true\n{other}"));
    let allowance = ask("/usr/bin/id").allowed(&policy(&rules));
    assert_eq!(allowance.rule.as_str(), "a");
    allowance
}

/// What two rules allow together is the same whichever is chosen.
fn settings(one: &str, other: &str) -> SessionSettings {
    let session = |text: &str| format!("session = {{ {text} }}");
    let (one, other) = (session(one), session(other));
    let settings = both(&one, &other).session;
    assert_eq!(settings, both(&other, &one).session, "{one} {other}");
    settings
}

#[test]
fn the_strictest_of_two_rules_counts_whichever_is_chosen() {
    let strict = "record = \"full\", on_full = \"refuse\", watched = true, execs = \"deny\"";
    let loose = "record = \"none\", watched = false, execs = \"none\"";
    let both = settings(strict, loose);
    assert_eq!((both.record, both.on_full), (Record::Full, OnFull::Refuse));
    assert_eq!((both.watched, both.execs), (true, Execs::Deny));

    let default = settings("", "");
    assert_eq!(default, SessionSettings::default());
    assert_eq!(
        (default.record, default.execs),
        (Record::Output, Execs::Log)
    );
    assert_eq!((default.on_full, default.watched), (OnFull::End, false));
    assert_eq!((default.contain, default.capabilities), (None, None));
}

#[test]
fn a_session_is_contained_where_one_rule_says_so_and_writes_what_all_of_those_let_it() {
    let contain = |writable: &[&str], network| {
        let writable = writable.iter().map(|path| (*path).to_owned()).collect();
        Some(Contain { writable, network })
    };
    let srv = "contain = true, writable = [\"/srv\", \"/opt\"], network = true";
    assert_eq!(settings("contain = true", "").contain, contain(&[], false));
    assert_eq!(settings(srv, "").contain, contain(&["/opt", "/srv"], true));
    assert_eq!(settings(srv, "contain = true").contain, contain(&[], false));
    let www = "contain = true, writable = [\"/srv/www\", \"/var/tmp\"], network = true";
    assert_eq!(settings(srv, www).contain, contain(&["/srv/www"], true));
}

#[test]
fn capabilities_are_those_that_all_rules_have_that_name_some() {
    let named = |one: &str, other: &str| {
        let session = |names: &str| match names {
            "" => "contain = true".to_owned(),
            names => format!("contain = true, capabilities = [{names}]"),
        };
        let capabilities = settings(&session(one), &session(other)).capabilities;
        capabilities.map(|all| all.to_string())
    };
    let (kill, both) = ("\"CAP_KILL\"", "\"CAP_NET_ADMIN\", \"CAP_KILL\"");
    assert_eq!(named("", ""), None);
    assert_eq!(named(kill, "").as_deref(), Some("CAP_KILL"));
    assert_eq!(named(both, "").as_deref(), Some("CAP_KILL, CAP_NET_ADMIN"));
    assert_eq!(named(both, kill).as_deref(), Some("CAP_KILL"));
    assert_eq!(named(kill, "\"CAP_CHOWN\"").as_deref(), Some("none"));
}

#[test]
fn a_rule_that_takes_capabilities_alone_never_runs_as_uid_0_under_any_name() {
    let rules = "[rule.x]\nroles = [\"operator\"]\nrun_as = [\"toor\", \"SELF\", \"net\"]\n\
                 commands = [\"/usr/bin/id\"]\nrequire = {}\n\
                 session = { capabilities = [\"CAP_NET_ADMIN\"] }\n";
    let bound = policy(rules);
    let asked = |name, uid| ask("/usr/bin/id").running_as(name, uid);
    let allowed = asked("net", 990).allowed(&bound).session.capabilities;
    assert_eq!(allowed.unwrap().mask(), 1 << 12);
    asked("alice", 1000).allowed(&bound);
    asked("toor", 1001).allowed(&bound);
    asked("toor", 0).denied_as(&bound, DenialKind::NotAllowed);
    asked("net", 0).denied_as(&bound, DenialKind::NotAllowed);
    let mut root = asked("alice", 0);
    root.uid = 0;
    root.denied_as(&bound, DenialKind::NotAllowed);
    let contained = rules.replace("session = { ", "session = { contain = true, ");
    asked("toor", 0).allowed(&policy(&contained));
}

#[test]
fn a_star_in_keep_env_yields_to_names_and_stands_alone() {
    let kept = |one: &str, other: &str| {
        let keep = |names: &str| format!("keep_env = [{names}]");
        settings(&keep(one), &keep(other)).keep_env
    };
    assert_eq!(kept("\"*\"", "\"*\", \"LANG\""), ["*"]);
    assert_eq!(kept("\"*\"", "\"TERM\", \"LANG\""), ["LANG", "TERM"]);
    assert!(kept("\"*\"", "").is_empty());
    assert!(may_be_kept("LANG") && may_be_kept("DEPLOY_TARGET"));
    for name in ["LD_PRELOAD", "PATH", "BASH_FUNC_id%%", "*", "", "A=B"] {
        assert!(!may_be_kept(name), "{name}");
    }
}

#[test]
fn limits_are_those_of_the_chosen_rule() {
    let limit = both(
        "limit = { default = \"5m\", max = \"1h\", grace = \"10s\", idle = \"2m\", tasks = 20, \
         memory = \"1G\", cpu = \"150%\" }",
        "limit = { tasks = 1, memory = \"1M\", cpu = \"1%\", idle = \"1s\" }",
    )
    .limit;
    let seconds = |seconds| Duration::from_secs(seconds);
    let expected = Limit {
        until: None,
        granted: seconds(300),
        max: seconds(3600),
        tasks: Some(20),
        memory: Some(1 << 30),
        cpu: Some(150),
        grace: Some(seconds(10)),
        idle: Some(seconds(120)),
    };
    assert_eq!(limit, expected);
    let none = both("", "").limit;
    assert_eq!((none.tasks, none.memory, none.cpu), (None, None, None));
    assert_eq!((none.grace, none.idle), (None, None));
}

#[test]
fn who_asks_for_a_short_time_has_half_of_it_before_sigterm() {
    let text = "require = {}\nlimit = { default = \"5m\", grace = \"30s\" }";
    let policy = policy(&rule("a", text));
    let grace = |secs| {
        ask("/usr/bin/id")
            .for_secs(secs)
            .allowed(&policy)
            .limit
            .grace
    };
    assert_eq!(grace(600), Some(Duration::from_secs(30)));
    assert_eq!(grace(60), Some(Duration::from_secs(30)));
    assert_eq!(grace(10), Some(Duration::from_secs(5)));
}

#[test]
fn a_shell_with_arguments_is_no_shell() {
    let policy = policy(&rule("a", "require = {}").replace("/usr/bin/id", "ALL"));
    ask("/usr/bin/bash").shell().allowed(&policy);
    ask("/usr/bin/bash -c id")
        .shell()
        .denied_as(&policy, DenialKind::Invalid);
}
