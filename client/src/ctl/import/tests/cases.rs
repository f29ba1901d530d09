//! Single things that can be said, each as people write it.

use serde_json::json;

use super::asking::{Asked, converted, yes};
use super::writing::{ask, exactly, line, marked, plain, sudoers, weighty};
use crate::ctl::import::convert;
use crate::ctl::import::saying::Found;

#[test]
fn what_most_sudoers_say_is_said_exactly() {
    let lines = [
        plain("root", "ALL : ALL", "ALL"),
        plain("%wheel", "ALL : ALL", "ALL"),
        line(
            "bob",
            "ALL",
            "root",
            json!([{"authenticate": false}]),
            "/usr/bin/id, /usr/bin/ls -l",
        ),
    ];
    let allowed = [
        ask("root", "www", "/opt/x y"),
        ask("alice", "root", "/opt/x y"),
        ask("bob", "root", "/usr/bin/id -u"),
        ask("bob", "root", "/usr/bin/ls -l"),
    ];
    let denied = [
        ask("bob", "www", "/usr/bin/id"),
        ask("bob", "root", "/usr/bin/ls"),
        ask("dave", "root", "/usr/bin/id"),
    ];
    let text = exactly(&lines, &allowed, &denied).text;
    assert!(
        text.contains("require = {}\n") && text.contains("require = { mfa = \"15m\" }\n"),
        "{text}"
    );
}

#[test]
fn a_deny_is_for_those_whose_line_has_it() {
    let lines = [
        plain("alice", "ALL", "ALL, !/usr/bin/su"),
        plain("bob", "ALL", "/usr/bin/su"),
    ];
    let allowed = [
        ask("alice", "www", "/usr/bin/id"),
        ask("bob", "root", "/usr/bin/su -"),
    ];
    exactly(&lines, &allowed, &[ask("alice", "root", "/usr/bin/su")]);
}

#[test]
fn a_deny_that_a_later_line_takes_back_does_not_survive() {
    let lines = [
        plain("alice", "ALL", "ALL, !/usr/bin/su"),
        plain("alice", "ALL", "/usr/bin/su"),
    ];
    let text = exactly(&lines, &[ask("alice", "root", "/usr/bin/su")], &[]).text;
    assert!(!text.contains("deny\""), "{text}");
}

#[test]
fn a_deny_with_nothing_before_it_is_none() {
    let lines = [plain("alice", "ALL", "!/usr/bin/su, ALL")];
    let text = exactly(&lines, &[ask("alice", "root", "/usr/bin/su")], &[]).text;
    assert!(!text.contains("deny\""), "{text}");
}

#[test]
fn what_a_later_line_takes_wholly_is_gone() {
    let lines = [
        plain("alice", "root", "/usr/bin/su"),
        plain("ALL", "ALL : ALL", "!/usr/bin/su"),
        plain("bob", "root", "/usr/bin/su"),
    ];
    let denied = [ask("alice", "root", "/usr/bin/su")];
    exactly(&lines, &[ask("bob", "root", "/usr/bin/su")], &denied);
}

#[test]
fn where_a_later_allow_overlaps_a_deny_the_deny_stays_and_that_is_marked() {
    let lines = [
        plain("%wheel", "ALL", "ALL, !/usr/bin/su"),
        plain("alice", "root", "/usr/bin/su"),
    ];
    let allowed = [ask("carol", "root", "/usr/bin/id")];
    let denied = [
        ask("alice", "root", "/usr/bin/su"),
        ask("carol", "root", "/usr/bin/su"),
    ];
    marked(&lines, &allowed, &denied, "takes from it what sudo allows");
}

#[test]
fn users_who_are_excepted_are() {
    let lines = [plain("%wheel, !carol", "root", "/usr/bin/id")];
    exactly(
        &lines,
        &[ask("alice", "root", "/usr/bin/id")],
        &[ask("carol", "root", "/usr/bin/id")],
    );
}

#[test]
fn everybody_but_root_is_everybody_but_root() {
    let lines = [plain("alice", "ALL, !root", "/usr/bin/id")];
    exactly(
        &lines,
        &[ask("alice", "www", "/usr/bin/id")],
        &[ask("alice", "root", "/usr/bin/id")],
    );
}

#[test]
fn all_targets_are_no_groups() {
    let lines = [
        plain("alice", "ALL", "/usr/bin/id"),
        plain("bob", "ALL : ALL", "/usr/bin/id"),
    ];
    let with_group = |user| Asked {
        group: Some("adm"),
        ..ask(user, "root", "/usr/bin/id")
    };
    exactly(&lines, &[with_group("bob")], &[with_group("alice")]);
}

#[test]
fn a_group_alone_is_asked_for_as_oneself() {
    let lines = [plain("alice", "SELF : adm", "/usr/bin/id")];
    let with = |group, target| Asked {
        group: Some(group),
        ..ask("alice", target, "/usr/bin/id")
    };
    let allowed = [with("adm", "alice"), ask("alice", "alice", "/usr/bin/id")];
    exactly(
        &lines,
        &allowed,
        &[with("disk", "alice"), with("adm", "root")],
    );
}

#[test]
fn hosts_are_conditions() {
    let lines = [line(
        "alice",
        "web*, !web2, db1",
        "root",
        json!([]),
        "/usr/bin/id",
    )];
    let on = |host| Asked {
        host,
        ..ask("alice", "root", "/usr/bin/id")
    };
    exactly(&lines, &[on("web1"), on("db1")], &[on("web2"), on("db2")]);
}

#[test]
fn a_host_with_its_domain_is_no_exception_that_is_sure() {
    let lines = [line(
        "alice",
        "ALL, !web1.example.org",
        "root",
        json!([]),
        "/usr/bin/id",
    )];
    let on = |host| Asked {
        host,
        ..ask("alice", "root", "/usr/bin/id")
    };
    marked(
        &lines,
        &[],
        &[on("web1"), on("web2")],
        "what is excepted can't be named",
    );
    let lines = [
        plain("alice", "root", "/usr/bin/id, /usr/bin/ls"),
        line(
            "alice",
            "web1.example.org",
            "root",
            json!([]),
            "!/usr/bin/id",
        ),
    ];
    marked(&lines, &[], &[on("web1")], "denied on all hosts");
}

#[test]
fn moments_are_conditions() {
    let options = json!([{"notbefore": "20270101000000Z"}, {"notafter": "20270201000000Z"}]);
    let lines = [line("alice", "ALL", "root", options, "/usr/bin/id")];
    let at = |text: &str| Asked {
        at: text.parse().unwrap(),
        ..ask("alice", "root", "/usr/bin/id")
    };
    let denied = [at("2026-12-31T23:59Z"), at("2027-02-01T00:01Z")];
    exactly(
        &lines,
        &[at("2027-01-01T00:00Z"), at("2027-01-31T23:59Z")],
        &denied,
    );
}

#[test]
fn a_password_that_a_later_line_asks_for_is_asked_for() {
    let lines = [
        line(
            "alice",
            "ALL",
            "ALL",
            json!([{"authenticate": false}]),
            "ALL",
        ),
        line(
            "alice",
            "ALL",
            "ALL",
            json!([{"authenticate": true}]),
            "/usr/bin/su",
        ),
        line("bob", "ALL", "ALL", json!([{"authenticate": true}]), "ALL"),
        line(
            "bob",
            "ALL",
            "ALL",
            json!([{"authenticate": false}]),
            "/usr/bin/su",
        ),
    ];
    let (policy, _) = converted(&sudoers(&lines));
    assert_eq!(
        yes(&policy, &ask("alice", "root", "/usr/bin/su")),
        Some(true)
    );
    assert_eq!(
        yes(&policy, &ask("bob", "root", "/usr/bin/su")),
        Some(false)
    );
    assert_eq!(yes(&policy, &ask("bob", "root", "/usr/bin/id")), Some(true));
    marked(&lines, &[], &[], "it asks for as much as a later entry");
}

#[test]
fn who_denies_two_words_denies_them_as_one_too() {
    let lines = [plain(
        "alice",
        "ALL",
        "/usr/bin/systemctl, !/usr/bin/systemctl stop web",
    )];
    let joined = Asked {
        words: vec!["/usr/bin/systemctl".into(), "stop web".into()],
        ..ask("alice", "root", "/usr/bin/systemctl")
    };
    let denied = [ask("alice", "root", "/usr/bin/systemctl stop web"), joined];
    exactly(
        &lines,
        &[ask("alice", "root", "/usr/bin/systemctl stop db")],
        &denied,
    );
}

#[test]
fn a_denied_link_is_denied_by_what_it_leads_to() {
    let json = sudoers(&[plain("alice", "ALL", "ALL, !/bin/sh")]);
    let find = |path: &str| {
        (path == "/bin/sh").then(|| Found {
            file: "/usr/bin/sh".into(),
            real: "/usr/bin/dash".into(),
        })
    };
    let converted = convert(&json, Some("alice ALL = x"), "", None, &find).unwrap();
    assert!(
        converted
            .text
            .contains("commands = [\"/usr/bin/dash ...\"]"),
        "{}",
        converted.text
    );
    assert!(weighty(&converted).any(|one| one.contains("denied by all its names")));
}

#[test]
fn sudoedit_is_an_edit_and_all_is_one_too() {
    let lines = [
        plain(
            "alice",
            "root",
            "sudoedit /etc/hosts, sudoedit /etc/nginx/*.conf",
        ),
        plain("bob", "root", "ALL, !sudoedit /etc/shadow"),
    ];
    let allowed = [
        ask("alice", "root", "sudoedit /etc/hosts"),
        ask("alice", "root", "sudoedit /etc/nginx/a.conf"),
        ask("bob", "root", "sudoedit /etc/hosts"),
    ];
    let denied = [
        ask("alice", "root", "sudoedit /etc/motd"),
        ask("alice", "root", "sudoedit /etc/nginx/a/b.conf"),
        ask("bob", "root", "sudoedit /etc/shadow"),
    ];
    exactly(&lines, &allowed, &denied);
}
