//! Questions, and what a converted policy answers.

use elevate_policy::{
    Decision, Defaults, HostFacts, Membership, People, Policy, Question, Scene, Source, Verdict,
    load,
};
use jiff::Timestamp;

use crate::ctl::import::{Converted, convert};

/// Somebody asks for something, in words that both sudo and Elevate are asked with.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) user: &'static str,
    pub(super) host: &'static str,
    pub(super) target: &'static str,
    pub(super) group: Option<&'static str>,
    /// A path and arguments, or `sudoedit` and paths.
    pub(super) words: Vec<String>,
    pub(super) at: Timestamp,
}

/// Names, and the groups that they are in.
pub(super) const MEMBERS: &[(&str, &[&str])] = &[
    ("alice", &["wheel", "staff"]),
    ("bob", &["staff"]),
    ("carol", &["wheel"]),
    ("dave", &[]),
    ("root", &[]),
    ("www", &[]),
];

pub(super) fn is_member(user: &str, group: &str) -> bool {
    let known = MEMBERS.iter().find(|(name, _)| *name == user);
    known.is_some_and(|(_, groups)| groups.contains(&group))
}

/// Names have these numbers.
pub(super) fn number(name: &str) -> u32 {
    match name {
        "root" => 0,
        "www" => 33,
        name => 1000 + name.bytes().map(u32::from).sum::<u32>(),
    }
}

struct Groups;

impl People for Groups {
    fn member(&self, user: &str, group: &str) -> Membership {
        is_member(user, group).into()
    }

    fn attribute(&self, _: &str, _: &str, _: &str) -> Membership {
        Membership::No
    }
}

/// What a sudoers in JSON comes to, on a host without links.
#[track_caller]
pub(super) fn converted(json: &str) -> (Policy, Converted) {
    let specs = json_specs(json);
    let converted = convert(json, Some(&specs), "", None, &|_| None);
    let converted = converted.unwrap_or_else(|why| panic!("{why}\n{json}"));
    let source = Source {
        name: "converted".into(),
        text: converted.text.clone(),
    };
    let policy = load(&[source], &HostFacts::default(), &Defaults::default());
    match policy {
        Ok(policy) => (policy, converted),
        Err(why) => panic!("{why:?}\n{}", converted.text),
    }
}

// As many lines as there are specifications, none of which says more than its JSON.
fn json_specs(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let count = value["User_Specs"].as_array().map_or(0, Vec::len);
    "a ALL = b\n".repeat(count)
}

/// What the policy says.
pub(super) fn verdict(policy: &Policy, asked: &Asked) -> Verdict {
    let edits = asked.words[0] == "sudoedit";
    let bytes: Vec<_> = asked.words[1..]
        .iter()
        .map(|word| word.clone().into_bytes())
        .collect();
    let file = match edits {
        true => "/usr/bin/true",
        false => &asked.words[0],
    };
    let host = [asked.host];
    let question = Question {
        user: asked.user,
        uid: number(asked.user),
        target_user: asked.target,
        target_uid: number(asked.target),
        target_group: asked.group,
        target_gid: asked.group.map(|group| group.len() as u32),
        file: file.as_bytes(),
        real: file.as_bytes(),
        sha256: None,
        args: if edits { &[] } else { &bytes },
        shell: false,
        edit: if edits { &bytes } else { &[] },
        rule: None,
        wanted: None,
        scene: Scene {
            host: &host,
            door: None,
            terminal: true,
            at: asked.at,
        },
    };
    policy.judge(&question, &Groups)
}

/// Whether it says yes, and whether it owes a code first.
pub(super) fn yes(policy: &Policy, asked: &Asked) -> Option<bool> {
    match verdict(policy, asked).decision {
        Decision::Allowed(allowance) => Some(allowance.owed.mfa.is_some()),
        Decision::Denied(_) => None,
    }
}
