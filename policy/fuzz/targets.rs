//! What no bytes may do to the parser and the matcher. cargo-fuzz runs these on bytes that it finds,
//! and `tests/corpus.rs` on what is kept in `corpus/`.

use elevate_policy::{
    Decision, Defaults, HostFacts, Membership, People, Policy, Question, Scene, Source,
};

/// A file of a policy: it loads, and twice as the same, or all that is wrong with it has its place
/// in it. Whether it loads.
pub(crate) fn load(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    match policy(&[text]) {
        Ok(first) => {
            let second = policy(&[text]).expect("what loads once loads again");
            for rule in first.rules() {
                let digests = [&first, &second].map(|one| one.content_digest(&rule.name));
                assert_eq!(digests[0], digests[1], "{}", rule.name);
                assert!(digests[0].is_some());
            }
            true
        }
        Err(places) => {
            assert!(!places.is_empty());
            let lines = text.split('\n').count() + 1;
            for (line, column) in places {
                assert!((1..=lines).contains(&(line as usize)), "line {line}");
                assert!(column >= 1);
            }
            false
        }
    }
}

/// A command line, and below it a policy: with every rule looked at the answer is the same as with
/// those that speak of the command, and a rule that denies everything denies this. Whether there was a
/// policy to ask.
pub(crate) fn judge(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Some((line, rules)) = text.split_once('\n') else {
        return false;
    };
    let Ok(found) = policy(&[rules]) else {
        return false;
    };
    let words: Vec<Vec<u8>> = line.split(' ').map(|word| word.into()).collect();
    ask(&found, &words);
    // A role of the same name, or one that excludes it, may be there already.
    if let Ok(stricter) = policy(&[rules, DENY]) {
        let decisions = ask(&stricter, &words);
        let denied = |decision| matches!(decision, Decision::Denied(_));
        assert!(decisions.into_iter().all(denied), "{line}");
    }
    true
}

const DENY: &str = "
[role.of-the-fuzzer]
members = [\"alice\"]
[rule.of-the-fuzzer]
roles = [\"of-the-fuzzer\"]
run_as = \"ALL\"
commands = [\"ALL\"]
effect = \"deny\"
";

/// The answers to the words as a command, as a shell, and as files to be edited.
fn ask(policy: &Policy, words: &[Vec<u8>]) -> Vec<Decision> {
    let asked = Question {
        user: "alice",
        uid: 1000,
        target_user: "root",
        target_uid: 0,
        target_group: None,
        target_gid: None,
        file: &words[0],
        real: &words[0],
        sha256: None,
        args: &words[1..],
        shell: false,
        edit: &[],
        rule: None,
        wanted: None,
        scene: Scene {
            host: &["db1"],
            door: None,
            terminal: true,
            at: "2026-01-09T12:00:00Z".parse().expect("a Friday"),
        },
    };
    let shell = Question {
        args: &[],
        shell: true,
        ..asked
    };
    let edit = Question {
        edit: words,
        ..asked
    };
    let questions = [asked, shell, edit].into_iter();
    questions
        .map(|question| {
            let answer = policy.judge(&question, &Town).decision;
            assert_eq!(answer, policy.explain(&question, &Town).decision);
            answer
        })
        .collect()
}

/// The policy of these texts, or where each thing that is wrong with them stands.
fn policy(texts: &[&str]) -> Result<Policy, Vec<(u32, u32)>> {
    let source = |(number, text): (usize, &&str)| Source {
        name: number.to_string(),
        text: (*text).to_owned(),
    };
    let sources: Vec<_> = texts.iter().enumerate().map(source).collect();
    let loaded = elevate_policy::load(&sources, &HostFacts::default(), &Defaults::default());
    loaded.map_err(|wrong| wrong.iter().map(|one| (one.line, one.column)).collect())
}

/// Where groups of `y…` have everybody, those of `n…` nobody, and of others nobody knows.
struct Town;

impl People for Town {
    fn member(&self, _: &str, group: &str) -> Membership {
        match group.as_bytes().first() {
            Some(b'y') => Membership::Yes,
            Some(b'n') => Membership::No,
            _ => Membership::Unknown,
        }
    }

    fn attribute(&self, user: &str, name: &str, _: &str) -> Membership {
        self.member(user, name)
    }
}
