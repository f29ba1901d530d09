//! The example policies that are shipped load, grant nothing as they are, and hand out nothing
//! that takes further root once they have members.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::{an_hour, source, with_zones};
use elevate_policy::{
    Decision, Effect, LoginQuestion, LoginVerdict, Membership, Mfa, People, Policy, Question,
    RuleName, Source, load,
};

fn sources() -> Vec<Source> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/config/policy.d");
    let files = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let sources: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            source(
                &path.display().to_string(),
                &fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    assert!(!sources.is_empty(), "no example in {}", folder.display());
    sources
}

fn loaded(sources: &[Source]) -> Policy {
    load(sources, &with_zones(), &an_hour()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Everybody is in every group and has every attribute.
struct Everywhere;

impl People for Everywhere {
    fn member(&self, _: &str, _: &str) -> Membership {
        Membership::Yes
    }

    fn attribute(&self, _: &str, _: &str, _: &str) -> Membership {
        Membership::Yes
    }
}

fn is_allowed(policy: &Policy, target: (&str, u32), argv: &str) -> bool {
    let mut words = argv.split(' ').map(|word| word.as_bytes().to_vec());
    let file = words.next().unwrap();
    let args: Vec<_> = words.collect();
    let question = Question {
        user: "alice",
        uid: 1000,
        target_user: target.0,
        target_uid: target.1,
        target_group: None,
        target_gid: None,
        file: &file,
        real: &file,
        args: &args,
        shell: false,
        edit: &[],
        rule: None,
        wanted: None,
    };
    matches!(
        policy.judge(&question, &Everywhere).decision,
        Decision::Allowed(_)
    )
}

/// A login on a Monday in January, at noon in Berlin.
fn login(
    policy: &Policy,
    people: &dyn People,
    host: &str,
    service: &str,
    from: &str,
) -> LoginVerdict {
    let question = LoginQuestion {
        user: "alice",
        host: &[host],
        service,
        from: from.parse().ok(),
        at: "2026-01-05T11:00:00Z".parse().unwrap(),
    };
    policy.login(&question, people)
}

/// Alice's department is operations, and nobody is in a group.
struct Operations;

impl People for Operations {
    fn member(&self, _: &str, _: &str) -> Membership {
        Membership::No
    }

    fn attribute(&self, user: &str, name: &str, value: &str) -> Membership {
        ((user, name, value) == ("alice", "department", "operations")).into()
    }
}

#[test]
fn the_example_of_logins_lets_in_whom_it_says_and_asks_for_a_code() {
    let mut sources = sources();
    let example = sources
        .iter_mut()
        .find(|one| one.name.ends_with("/logins.toml"))
        .unwrap();
    let mut lines: Vec<_> = example.text.lines().map(str::to_owned).collect();
    let line = lines
        .iter_mut()
        .find(|line| line.starts_with("users.operations"))
        .unwrap();
    // The comment beside the empty list says how it is filled.
    let filled = line.rsplit_once("as in ").unwrap().1;
    *line = format!("users.operations = {filled}");
    example.text = lines.join("\n");
    let policy = loaded(&sources);
    let asked = |host, service, from| login(&policy, &Operations, host, service, from);
    let LoginVerdict::Admitted {
        role, mfa, until, ..
    } = asked("web-1", "sshd", "10.1.2.3")
    else {
        panic!("refused");
    };
    assert_eq!((role.as_str(), mfa), ("web-operations", Some(Mfa::Always)));
    assert_eq!(until, Some("2026-01-05T19:00:00Z".parse().unwrap()));
    for (host, service, from) in [
        ("db-1", "sshd", "10.1.2.3"),
        ("web-1", "login", "10.1.2.3"),
        ("web-1", "sshd", "192.0.2.7"),
        ("web-1", "sshd", "console"),
    ] {
        let verdict = asked(host, service, from);
        assert!(
            matches!(verdict, LoginVerdict::Refused { .. }),
            "{host} {service} {from}"
        );
    }
    let owed = |name: &str| {
        policy
            .rule(&RuleName::new(name).unwrap())
            .unwrap()
            .terms
            .as_ref()
            .unwrap()
            .owed
    };
    assert_eq!(
        owed("reload-web-server").mfa,
        Some(Mfa::Within(Duration::from_secs(900)))
    );
    assert_eq!(owed("restart-web-server").mfa, Some(Mfa::Always));
}

const NGINX: &str = "/usr/bin/systemctl restart nginx";
const POSTGRES: &str = "/usr/bin/systemctl restart postgresql@15-main";

#[test]
fn each_example_loads_by_itself_and_beside_the_others() {
    let sources = sources();
    loaded(&sources);
    for one in &sources {
        loaded(std::slice::from_ref(one));
    }
}

#[test]
fn as_shipped_they_grant_nothing_to_anybody() {
    let policy = loaded(&sources());
    assert!(policy.rules_for("alice", &Everywhere).is_empty());
    assert_eq!(
        policy.admits("alice", &["web-1"], &Everywhere),
        Membership::No
    );
    for argv in [NGINX, POSTGRES, "/usr/bin/id"] {
        assert!(!is_allowed(&policy, ("root", 0), argv));
    }
}

fn with_alice() -> Policy {
    let mut sources = sources();
    for one in &mut sources {
        one.text = one.text.replace("= []", "= [\"alice\"]");
    }
    loaded(&sources)
}

#[test]
fn with_members_they_grant_what_they_say() {
    let policy = with_alice();
    for argv in [NGINX, POSTGRES, "/usr/bin/journalctl --no-pager -u nginx"] {
        assert!(is_allowed(&policy, ("root", 0), argv), "{argv}");
    }
    assert!(is_allowed(
        &policy,
        ("postgres", 105),
        "/usr/bin/vacuumdb --all"
    ));
}

#[test]
fn with_members_they_hand_out_nothing_that_takes_further_root() {
    let policy = with_alice();
    for argv in [
        "/usr/bin/systemctl status nginx",
        "/usr/bin/systemctl edit nginx",
        "/usr/bin/systemctl restart",
        "/usr/bin/systemctl stop ssh",
        "/usr/bin/systemctl restart postgresql@a --root=/tmp",
        "/usr/bin/systemctl restart postgresql@../../tmp/evil",
        "/usr/bin/journalctl -u nginx",
        "/usr/bin/journalctl --no-pager -u nginx --file=/etc/shadow",
        "/usr/bin/bash",
    ] {
        assert!(!is_allowed(&policy, ("root", 0), argv), "{argv}");
    }
    for command in policy
        .rules()
        .iter()
        .filter(|r| r.effect() == Effect::Allow)
        .flat_map(|r| &r.commands)
    {
        let text = command.text();
        assert!(
            !matches!(text, "ALL" | "SHELL") && !text.ends_with(" ..."),
            "{text}"
        );
    }
}
