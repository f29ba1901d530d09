//! The example policies that are shipped load, grant nothing as they are, and hand out nothing
//! that takes further root once they have members.

mod common;

use std::fs;
use std::path::Path;

use common::{an_hour, source};
use elevate_policy::{
    Decision, Effect, Groups, HostFacts, Membership, Policy, Question, Source, load,
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
    load(sources, &HostFacts::default(), &an_hour()).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Everybody is in every group.
struct Everywhere;

impl Groups for Everywhere {
    fn member(&self, _: &str, _: &str) -> Membership {
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
        rule: None,
        wanted: None,
    };
    matches!(
        policy.judge(&question, &Everywhere).decision,
        Decision::Allowed(_)
    )
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
