//! Random sudoers and random questions.

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::asking::{Asked, converted, yes};
use super::sudo;
use crate::ctl::import::remark::Weight;

fn member(kinds: &'static [(&'static str, &'static str)]) -> BoxedStrategy<Value> {
    let member = (select(kinds), prop::bool::weighted(0.3));
    let value = member.prop_map(|((kind, value), negated)| match negated {
        true => json!({kind: value, "negated": true}),
        false => json!({kind: value}),
    });
    value.boxed()
}

fn list(kinds: &'static [(&'static str, &'static str)]) -> BoxedStrategy<Value> {
    let members = prop::collection::vec(member(kinds), 1..4);
    members.prop_map(Value::Array).boxed()
}

const USERS: &[(&str, &str)] = &[
    ("username", "alice"),
    ("username", "alice"),
    ("username", "bob"),
    ("username", "carol"),
    ("username", "ALL"),
    ("usergroup", "wheel"),
    ("usergroup", "staff"),
    ("netgroup", "net"),
    ("useralias", "ADMINS"),
];
const HOSTS: &[(&str, &str)] = &[
    ("hostname", "ALL"),
    ("hostname", "ALL"),
    ("hostname", "web1"),
    ("hostname", "web*"),
    ("hostname", "db?"),
    ("hostalias", "FARM"),
];
const TARGETS: &[(&str, &str)] = &[
    ("username", "ALL"),
    ("username", "root"),
    ("username", "www"),
    ("username", ""),
    ("usergroup", "staff"),
    ("runasalias", "SERVICES"),
];
const GROUPS: &[(&str, &str)] = &[
    ("usergroup", "ALL"),
    ("usergroup", "adm"),
    ("usergroup", "disk"),
];
const COMMANDS: &[(&str, &str)] = &[
    ("command", "ALL"),
    ("command", "/usr/bin/id"),
    ("command", "/usr/bin/id \"\""),
    ("command", "/usr/bin/id -u"),
    ("command", "/usr/bin/id a b"),
    ("command", "/usr/bin/id *"),
    ("command", "/usr/bin/id a*"),
    ("command", "/usr/bin/i?"),
    ("command", "/usr/bin/"),
    ("command", "/usr/bin/l*"),
    ("command", "/usr/sbin/id"),
    ("command", "sudoedit"),
    ("command", "sudoedit /etc/hosts"),
    ("command", "sudoedit /etc/*"),
    ("command", "sudoedit /etc/hosts /etc/motd"),
    ("command", "^/usr/bin/.*$"),
    ("cmndalias", "TOOLS"),
];

fn options() -> BoxedStrategy<Value> {
    let some = select(vec![
        json!([]),
        json!([]),
        json!([{"authenticate": false}]),
        json!([{"authenticate": true}, {"noexec": true}]),
        json!([{"command_timeout": 60}]),
        json!([{"notafter": "20300101000000Z"}]),
        json!([{"notbefore": "20300101000000Z"}]),
        json!([{"runcwd": "/srv"}]),
    ]);
    some.boxed()
}

fn commands() -> BoxedStrategy<Value> {
    let whom = prop_oneof![
        3 => Just((Value::Null, Value::Null)),
        3 => list(TARGETS).prop_map(|users| (users, Value::Null)),
        2 => (list(TARGETS), list(GROUPS)),
        1 => list(GROUPS).prop_map(|groups| (json!([{"username": ""}]), groups)),
        1 => list(GROUPS).prop_map(|groups| (Value::Null, groups)),
    ];
    let spec =
        (whom, options(), list(COMMANDS)).prop_map(|((users, groups), options, commands)| {
            let mut spec = json!({"Options": options, "Commands": commands});
            for (key, value) in [("runasusers", users), ("runasgroups", groups)] {
                if !value.is_null() {
                    spec[key] = value;
                }
            }
            spec
        });
    spec.boxed()
}

fn sudoers() -> BoxedStrategy<Value> {
    let spec = (
        list(USERS),
        list(HOSTS),
        prop::collection::vec(commands(), 1..3),
    );
    let spec = spec.prop_map(|(users, hosts, commands)| {
        json!({"User_List": users, "Host_List": hosts, "Cmnd_Specs": commands})
    });
    let aliases = (
        list(&USERS[..8]),
        list(&HOSTS[..5]),
        list(&TARGETS[..5]),
        list(&COMMANDS[..16]),
    );
    let all = (prop::collection::vec(spec, 1..5), aliases);
    all.prop_map(|(specs, (users, hosts, targets, commands))| {
        json!({
            "User_Specs": specs,
            "User_Aliases": {"ADMINS": users},
            "Host_Aliases": {"FARM": hosts},
            "Runas_Aliases": {"SERVICES": targets},
            "Command_Aliases": {"TOOLS": commands},
        })
    })
    .boxed()
}

fn words() -> Vec<Vec<String>> {
    let lines = [
        "/usr/bin/id",
        "/usr/bin/id -u",
        "/usr/bin/id a b",
        "/usr/bin/id ab",
        "/usr/bin/ls",
        "/usr/sbin/id",
        "/usr/sbin/id a",
        "/opt/x",
        "sudoedit /etc/hosts",
        "sudoedit /etc/motd",
        "sudoedit /etc/hosts /etc/motd",
    ];
    let split = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut words: Vec<Vec<String>> = lines.iter().map(|line| split(line)).collect();
    words.push(vec!["/usr/bin/id".into(), "a b".into()]);
    words
}

fn asked() -> BoxedStrategy<Vec<Asked>> {
    let one = (
        select(vec!["alice", "bob", "carol", "dave"]),
        select(vec!["web1", "web2", "db1"]),
        select(vec!["root", "www", "alice", "bob"]),
        select(vec![None, None, Some("adm"), Some("disk")]),
        select(words()),
        select(vec!["2026-01-01T00:00Z", "2031-01-01T00:00Z"]),
    );
    let one = one.prop_map(|(user, host, target, group, words, at)| Asked {
        user,
        host,
        target,
        group,
        words,
        at: at.parse::<Timestamp>().unwrap(),
    });
    prop::collection::vec(one, 40).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_we_allow_sudo_allows_and_what_only_sudo_allows_is_marked(
        sudoers in sudoers(),
        questions in asked(),
    ) {
        let (policy, converted) = converted(&sudoers.to_string());
        let marked = converted.remarks.iter().any(|remark| remark.weight != Weight::Note);
        for asked in &questions {
            let (ours, theirs) = (yes(&policy, asked), sudo::answer(&sudoers, asked));
            if asked.words[0] == "sudoedit" && asked.words.len() > 2 {
                // Of several files sudo wants the very list, and we each of them.
                let each = asked.words[1..].iter().map(|file| Asked {
                    words: vec!["sudoedit".into(), file.clone()],
                    ..asked.clone()
                });
                let mut each = each.map(|one| sudo::answer(&sudoers, &one));
                let each = each.all(|answer| answer.is_some());
                prop_assert!(ours.is_none() || each, "{asked:?}\n{sudoers:#}");
                continue;
            }
            let told = || format!("{asked:?}\nours {ours:?}, sudo {theirs:?}\n{sudoers:#}\n{}", converted.text);
            prop_assert!(ours.is_none() || theirs.is_some(), "{}", told());
            // The header of every conversion tells of spaces in arguments, and of denies and groups.
            let told_anyway =
                asked.group.is_some() || asked.words.iter().any(|word| word.contains(' '));
            prop_assert!(ours.is_some() || theirs.is_none() || marked || told_anyway, "{}", told());
            // Nor does it owe less.
            prop_assert!(ours != Some(false) || theirs == Some(false), "{}", told());
        }
    }
}
