//! Single things, each as people write it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::asking::{Asked, converted, yes};
use crate::ctl::import::remark::Weight;
use crate::ctl::import::saying::Found;
use crate::ctl::import::{Converted, convert};

/// `alice, %wheel, !bob` and their like as members in JSON.
fn members(kind: &str, text: &str) -> Value {
    let member = |word: &str| {
        let (negated, word) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let (kind, word) = match (kind, word.chars().next()) {
            ("username", Some('%')) => ("usergroup", &word[1..]),
            ("username", Some('+')) => ("netgroup", &word[1..]),
            ("hostname", Some('1')) => ("networkaddr", word),
            _ => (kind, word),
        };
        let value = match word.strip_prefix('#').filter(|_| kind == "username") {
            Some(digits) => json!({"userid": digits.parse::<u32>().unwrap()}),
            None => json!({kind: word}),
        };
        let mut value = value;
        if negated {
            value["negated"] = true.into();
        }
        value
    };
    text.split(", ").map(member).collect()
}

/// One line of sudoers: users, hosts, `user : group`, options, commands.
fn line(users: &str, hosts: &str, run_as: &str, options: Value, commands: &str) -> Value {
    let mut spec = json!({"Options": options, "Commands": members("command", commands)});
    let (targets, groups) = match run_as.split_once(" : ") {
        Some((targets, groups)) => (targets, Some(groups)),
        None => (run_as, None),
    };
    if !targets.is_empty() {
        spec["runasusers"] = members("username", targets.trim_start_matches("SELF"));
    }
    if let Some(groups) = groups {
        spec["runasgroups"] = members("usergroup", groups);
    }
    json!({
        "User_List": members("username", users),
        "Host_List": members("hostname", hosts),
        "Cmnd_Specs": [spec],
    })
}

fn plain(users: &str, run_as: &str, commands: &str) -> Value {
    line(users, "ALL", run_as, json!([]), commands)
}

fn sudoers(lines: &[Value]) -> String {
    json!({ "User_Specs": lines }).to_string()
}

fn ask(user: &'static str, target: &'static str, words: &str) -> Asked {
    Asked {
        user,
        host: "web1",
        target,
        group: None,
        words: words.split(' ').map(str::to_owned).collect(),
        at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(500_000),
    }
}

/// Asks each, and expects yes of all and no remark.
#[track_caller]
fn exactly(lines: &[Value], allowed: &[Asked], denied: &[Asked]) -> Converted {
    let converted = answers(lines, allowed, denied);
    let marked: Vec<_> = weighty(&converted).collect();
    assert!(marked.is_empty(), "{marked:?}\n{}", converted.text);
    converted
}

#[track_caller]
fn answers(lines: &[Value], allowed: &[Asked], denied: &[Asked]) -> Converted {
    let (policy, converted) = converted(&sudoers(lines));
    for asked in allowed {
        assert!(
            yes(&policy, asked).is_some(),
            "{asked:?}\n{}",
            converted.text
        );
    }
    for asked in denied {
        assert!(
            yes(&policy, asked).is_none(),
            "{asked:?}\n{}",
            converted.text
        );
    }
    converted
}

/// The same, with a remark that holds these words.
#[track_caller]
fn marked(lines: &[Value], allowed: &[Asked], denied: &[Asked], words: &str) {
    let converted = answers(lines, allowed, denied);
    let told = weighty(&converted).any(|remark| remark.contains(words));
    assert!(told, "{words}\n{}", converted.text);
    // At its place, and in the list at the end.
    assert!(
        converted.text.matches(words).count() >= 2,
        "{words}\n{}",
        converted.text
    );
}

fn weighty(converted: &Converted) -> impl Iterator<Item = String> {
    let weighty = converted
        .remarks
        .iter()
        .filter(|one| one.weight != Weight::Note);
    weighty.map(|remark| remark.at_its_place())
}

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

#[test]
fn what_has_no_words_is_left_out_and_marked() {
    let id = || vec![ask("alice", "root", "/usr/bin/id")];
    for (line, words) in [
        (
            plain("ALL", "root", "/usr/bin/id"),
            "put in a group that everybody is in",
        ),
        (
            plain("#1000", "root", "/usr/bin/id"),
            "a role has users and groups by name",
        ),
        (plain("+net", "root", "/usr/bin/id"), "no netgroups"),
        (
            plain("%wheel, !+net", "root", "/usr/bin/id"),
            "who is excepted can't be named",
        ),
        (
            line("alice", "10.0.0.0/8", "root", json!([]), "/usr/bin/id"),
            "hosts are named here",
        ),
        (
            line("alice", "web?", "root", json!([]), "/usr/bin/id"),
            "hosts are named here",
        ),
        (plain("alice", "%wheel", "/usr/bin/id"), "targets are users"),
        (
            plain("alice", "root", "^/usr/bin/.*$"),
            "regular expressions",
        ),
        (
            plain("alice", "root", "/usr/bin/id ^a+$"),
            "regular expressions",
        ),
        (
            plain("alice", "root", "/usr/bin/i?"),
            "`?` and `[…]` have no word",
        ),
        (
            plain("alice", "root", "sudoedit /etc/a /etc/b"),
            "edited together",
        ),
        (plain("alice", "root", "list"), "root and auditors alone"),
        (
            line(
                "alice",
                "ALL",
                "root",
                json!([{"runcwd": "/srv"}]),
                "/usr/bin/id",
            ),
            "runcwd = /srv",
        ),
        (
            line(
                "alice",
                "ALL",
                "root",
                json!([{"role": "r"}]),
                "/usr/bin/id",
            ),
            "role = r",
        ),
        (
            line(
                "alice",
                "ALL",
                "root",
                json!([{"new": true}]),
                "/usr/bin/id",
            ),
            "new = true",
        ),
    ] {
        marked(&[line], &[], &id(), words);
    }
}

#[test]
fn a_wildcard_among_arguments_is_narrower_and_marked() {
    let lines = [plain(
        "alice",
        "root",
        "/usr/bin/cat /var/log/*, /usr/bin/ls *",
    )];
    let allowed = [
        ask("alice", "root", "/usr/bin/cat /var/log/syslog"),
        ask("alice", "root", "/usr/bin/ls -l /"),
        ask("alice", "root", "/usr/bin/ls"),
    ];
    let denied = [ask("alice", "root", "/usr/bin/cat /var/log/x /etc/shadow")];
    marked(&lines, &allowed, &denied, "stands within one argument here");
}

#[test]
fn a_deny_without_words_takes_what_it_may_touch() {
    let lines = [plain(
        "alice",
        "root",
        "/usr/bin/id, sudoedit /etc/hosts, !^/usr/bin/.*$",
    )];
    let allowed = [];
    let denied = [ask("alice", "root", "/usr/bin/id")];
    marked(
        &lines,
        &allowed,
        &denied,
        "is taken from it later, which has no words here",
    );
}

#[test]
fn an_option_without_words_leaves_nothing_to_earlier_lines() {
    let lines = [
        plain("alice", "root", "ALL"),
        line(
            "alice",
            "ALL",
            "root",
            json!([{"runchroot": "/jail"}]),
            "/usr/bin/id",
        ),
    ];
    let denied = [ask("alice", "root", "/usr/bin/id")];
    marked(
        &lines,
        &[ask("alice", "root", "/usr/bin/ls")],
        &denied,
        "runchroot = /jail",
    );
}

fn with_defaults(defaults: Value, lines: &[Value]) -> Converted {
    let json = json!({ "Defaults": defaults, "User_Specs": lines }).to_string();
    let specs = "a ALL = b\n".repeat(lines.len());
    convert(&json, Some(&specs), "", None, &|_| None).unwrap()
}

#[test]
fn defaults_hold_for_all_entries() {
    let options = json!([{"Options": [
        {"env_reset": true}, {"secure_path": "/usr/bin"}, {"timestamp_timeout": "5"},
        {"noexec": true}, {"requiretty": true}, {"runas_default": "www"},
        {"operation": "list_add", "env_keep": ["TICKET", "LD_PRELOAD"]},
    ]}]);
    let text = with_defaults(options, &[plain("alice", "", "/usr/bin/id")]).text;
    for part in [
        "require = { mfa = \"300s\" }",
        "execs = \"deny\"",
        "keep_env = [\"TICKET\"]",
        "when = { terminal = true }",
        "run_as = [\"www\"]",
        "NARROWER: Defaults env_keep LD_PRELOAD",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn defaults_of_some_are_taken_where_they_are_stricter() {
    let lines = [
        line("alice", "ALL", "root", json!([]), "/usr/bin/id"),
        line("bob", "ALL", "root", json!([]), "/usr/bin/id"),
    ];
    let of = |options: Value| json!([{"Binding": [{"username": "alice"}], "Options": [options]}]);
    let text = with_defaults(of(json!({"noexec": true})), &lines).text;
    assert_eq!(text.matches("execs = \"deny\"").count(), 1, "{text}");
    let text = with_defaults(of(json!({"authenticate": false})), &lines).text;
    assert_eq!(text.matches("require = { mfa").count(), 2, "{text}");
    assert!(
        text.contains("NARROWER: Defaults of alice: authenticate = false"),
        "{text}"
    );
}

#[test]
fn a_password_of_somebody_else_is_no_code_of_ones_own() {
    let defaults = json!([{"Options": [{"targetpw": true}]}]);
    let lines = [
        plain("alice", "root", "/usr/bin/id"),
        line(
            "bob",
            "ALL",
            "root",
            json!([{"authenticate": false}]),
            "/usr/bin/id",
        ),
    ];
    let text = with_defaults(defaults, &lines).text;
    assert!(
        text.contains("[role.sudoers-bob]") && !text.contains("[role.sudoers-alice]"),
        "{text}"
    );
    assert!(text.contains("it is the target's"), "{text}");
}

#[test]
fn what_isnt_known_is_no_sudoers() {
    for json in [
        "",
        "[]",
        r#"{"New": []}"#,
        r#"{"User_Specs": [{"User_List": [{"alien": "a"}], "Host_List": [], "Cmnd_Specs": [{"Commands": []}]}]}"#,
        r#"{"User_Specs": [{"User_List": [{"useralias": "A"}], "Host_List": [], "Cmnd_Specs": [{"Commands": []}]}]}"#,
        r#"{"User_Aliases": {"A": [{"useralias": "A"}]}, "User_Specs": [{"User_List": [{"useralias": "A"}], "Host_List": [], "Cmnd_Specs": [{"Commands": []}]}]}"#,
    ] {
        assert!(convert(json, None, "", None, &|_| None).is_err(), "{json}");
    }
}

#[test]
fn text_of_sudoers_never_leaves_its_comment() {
    let lines = [plain(
        "alice\n[role.evil]",
        "root",
        "/usr/bin/id a\"b\\\\\n[x]",
    )];
    let (_, converted) = converted(&sudoers(&lines));
    let begins = |begin: &str| converted.text.lines().any(|line| line.starts_with(begin));
    assert!(!begins("[role.evil") && !begins("[x"), "{}", converted.text);
}

#[test]
fn a_file_known_by_its_hash_is_known_by_it_here() {
    let pinned = |key: &str, digest: &str| {
        let mut line = plain("alice", "root", "/usr/bin/id -u");
        line["Cmnd_Specs"][0]["Commands"][0][key] = digest.into();
        line
    };
    let hash = "0e4d3a5ba1ac4a0c5a4f4c0c93c3ec4e0f4f5c8a3f0f0b4d6c0b8d0f4a2c1b3d";
    let text = exactly(&[pinned("sha256", hash)], &[], &[]).text;
    let wanted = format!("commands = [\"sha256:{hash} /usr/bin/id -u\"]");
    assert!(text.contains(&wanted), "{text}");
    for line in [pinned("sha512", hash), pinned("sha256", "DjA0ZDNh")] {
        marked(&[line], &[], &[], "by sha256 in hexadecimal alone");
    }
}
