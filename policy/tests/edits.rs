//! Who may edit which files as whom.

mod common;

use common::{Town, ask, edit, policy};
use elevate_policy::{Condition, DenialKind, Outcome, Policy};

fn rule(name: &str, more: &str) -> String {
    format!("\n[rule.{name}]\nroles = [\"operator\"]\nrun_as = \"root\"\n{more}\n")
}

const NGINX: &str = "edit = [\"/etc/nginx/**\", \"/etc/{motd,issue}\"]\nrequire = {}";

fn nginx() -> Policy {
    policy(&rule("nginx", NGINX))
}

#[test]
fn the_files_that_a_rule_names_may_be_edited_and_no_others() {
    let policy = nginx();
    for path in [
        "/etc/nginx/nginx.conf",
        "/etc/nginx/a/b.conf",
        "/etc/motd",
        "/etc/issue",
    ] {
        assert_eq!(edit(path).allowed(&policy).rule.as_str(), "nginx", "{path}");
    }
    for path in [
        "/etc/nginx",
        "/etc/nginx/.htpasswd",
        "/etc/nginx/-x",
        "/etc/nginx/a..b",
        "/etc/shadow",
        "/etc/motd.d/x",
        "/srv/etc/motd",
    ] {
        edit(path).denied_as(&policy, DenialKind::NotAllowed);
    }
    edit("/etc/motd")
        .by("eve")
        .denied_as(&policy, DenialKind::NotAllowed);
    edit("/etc/motd")
        .by("dave")
        .denied_as(&policy, DenialKind::Unsure);
    let as_postgres = edit("/etc/motd").running_as("postgres", 105);
    as_postgres.denied_as(&policy, DenialKind::NotAllowed);
}

#[test]
fn a_star_stays_in_its_folder() {
    let policy = policy(&rule("web", "edit = [\"/srv/*/site.conf\"]\nrequire = {}"));
    edit("/srv/a/site.conf").allowed(&policy);
    for path in ["/srv/a/b/site.conf", "/srv/.a/site.conf", "/srv/site.conf"] {
        edit(path).denied_as(&policy, DenialKind::NotAllowed);
    }
}

#[test]
fn several_files_are_edited_under_one_rule_that_names_them_all() {
    let rules = rule("nginx", NGINX) + &rule("hosts", "edit = [\"/etc/hosts\"]\nrequire = {}");
    let policy = policy(&rules);
    edit("/etc/motd /etc/nginx/nginx.conf").allowed(&policy);
    edit("/etc/hosts").allowed(&policy);
    edit("/etc/motd /etc/hosts").denied_as(&policy, DenialKind::NotAllowed);
}

#[test]
fn a_deny_of_one_file_is_a_deny_of_all_that_were_asked_for_with_it() {
    let deny = "edit = [\"/etc/nginx/*/secret*\"]\neffect = \"deny\"";
    let policy = policy(&(rule("nginx", NGINX) + &rule("no", deny)));
    edit("/etc/motd").allowed(&policy);
    edit("/etc/motd /etc/nginx/a/secrets").denied_as(&policy, DenialKind::Forbidden);
    // What no allow would match by a wildcard, a deny does.
    edit("/etc/motd /etc/nginx/.a/secret").denied_as(&policy, DenialKind::Forbidden);
}

#[test]
fn to_run_everything_is_not_to_edit_anything() {
    let all = policy(&rule("all", "commands = [\"ALL\"]\nrequire = {}"));
    ask("/usr/bin/id").allowed(&all);
    edit("/etc/motd").denied_as(&all, DenialKind::NotAllowed);

    let both = policy(&rule(
        "both",
        "commands = [\"ALL\"]\nedit = [\"/etc/motd\"]\nrequire = {}",
    ));
    ask("/usr/bin/id").allowed(&both);
    edit("/etc/motd").allowed(&both);
}

#[test]
fn to_edit_everything_is_not_to_run_anything() {
    let policy = policy(&rule("edits", "edit = [\"/**\"]\nrequire = {}"));
    edit("/usr/bin/id").allowed(&policy);
    for asked in [ask("/usr/bin/id"), ask("/usr/bin/bash").shell()] {
        asked.denied_as(&policy, DenialKind::NotAllowed);
    }
}

#[test]
fn a_deny_of_everything_forbids_edits_and_a_deny_of_a_command_does_not() {
    for (commands, kind) in [
        ("[\"ALL\"]", Some(DenialKind::Forbidden)),
        ("[\"SHELL\"]", None),
        ("[\"/**\"]", None),
        ("[\"/etc/motd\"]", None),
    ] {
        let deny = rule("no", &format!("commands = {commands}\neffect = \"deny\""));
        let policy = policy(&(rule("nginx", NGINX) + &deny));
        match kind {
            Some(kind) => edit("/etc/motd").denied_as(&policy, kind),
            None => drop(edit("/etc/motd").allowed(&policy)),
        }
    }
}

#[test]
fn a_deny_of_an_edit_leaves_commands_alone() {
    let rules = rule("all", "commands = [\"ALL\"]\nrequire = {}")
        + &rule("no", "edit = [\"/**\"]\neffect = \"deny\"");
    let policy = policy(&rules);
    ask("/usr/bin/id").allowed(&policy);
    edit("/etc/motd").denied_as(&policy, DenialKind::Forbidden);
}

#[test]
fn a_file_in_lib_is_the_one_in_usr_lib() {
    let unit = "edit = [\"/lib/systemd/system/web.service\"]\nrequire = {}";
    let policy = policy(&rule("unit", unit));
    edit("/usr/lib/systemd/system/web.service").allowed(&policy);
    edit("/lib/systemd/system/web.service").allowed(&policy);
}

#[test]
fn an_edit_of_what_is_no_resolved_path_is_none() {
    let policy = policy(&rule("edits", "edit = [\"/**\"]\nrequire = {}"));
    for path in [
        "",
        "motd",
        "/",
        "/etc/../motd",
        "/etc/./motd",
        "/etc//motd",
        "/etc/",
        "/a\0b",
    ] {
        edit(path).denied_as(&policy, DenialKind::Invalid);
        let mut both = edit("/etc/motd");
        both.edit.push(path.into());
        both.denied_as(&policy, DenialKind::Invalid);
    }
    edit("/etc/motd")
        .shell()
        .denied_as(&policy, DenialKind::Invalid);
}

#[test]
fn what_is_asked_for_is_named_in_the_refusal() {
    let policy = policy("");
    for (asked, message) in [
        (edit("/etc/motd"), "no rule lets you edit this file as root"),
        (
            edit("/etc/motd /etc/issue"),
            "no rule lets you edit these files as root",
        ),
        (
            ask("/usr/bin/bash").shell(),
            "no rule lets you start a shell as root",
        ),
        (ask("/usr/bin/id"), "no rule lets you run this as root"),
    ] {
        assert_eq!(asked.denied(&policy).message, message);
    }
}

#[test]
fn why_tells_which_file_did_not_match() {
    let rules = rule("nginx", NGINX)
        + &rule("all", "commands = [\"ALL\"]\nrequire = {}")
        + &rule("no", "edit = [\"/srv/**\"]\neffect = \"deny\"");
    let policy = policy(&rules);
    let why = |asked: &common::Ask| -> Vec<(String, String)> {
        let verdict = policy.explain(&asked.question(), &Town);
        let told = verdict.considered.into_iter().map(|one| match one.outcome {
            Outcome::NotMatched { condition, detail } => {
                assert!(matches!(condition, Condition::Edit | Condition::Commands));
                (one.rule.to_string(), detail)
            }
            _ => (one.rule.to_string(), "matches".to_owned()),
        });
        told.collect()
    };
    let pairs = |told: [(&str, &str); 3]| told.map(|(rule, why)| (rule.into(), why.into()));
    assert_eq!(
        why(&edit("/etc/motd /etc/sha\u{1b}dow")),
        pairs([
            ("all", "not an edit of /etc/motd: it has no `edit`"),
            (
                "nginx",
                "not an edit of /etc/sha\\u{1b}dow: none of its paths matches that"
            ),
            (
                "no",
                "not an edit of /etc/motd: none of its paths matches that"
            ),
        ])
    );
    let nothing_run = "it lets files be edited (`elevate -e`), and nothing run";
    assert_eq!(
        why(&ask("/usr/bin/id")),
        pairs([
            ("all", "matches"),
            ("nginx", nothing_run),
            ("no", "it forbids edits alone")
        ])
    );
}
