//! What can't be said, or not exactly, and what holds for many lines at once.

use serde_json::{Value, json};

use super::asking::converted;
use super::writing::{ask, exactly, line, marked, plain, sudoers};
use crate::ctl::import::{Converted, convert};

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
