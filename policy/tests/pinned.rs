//! Commands that must be a certain file.

mod common;

use common::{Ask, Town, ask, one, policy};
use elevate_policy::{DenialKind, RuleName};

const HASH: &str = "abababababababababababababababababababababababababababababababab";

fn rule(commands: &str, terms: &str) -> String {
    format!(
        "[rule.pinned]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [{commands}]\n{terms}\n"
    )
}

fn pinned() -> String {
    format!("{{ run = \"/opt/report ...\", sha256 = \"{HASH}\" }}")
}

fn report(hash: Option<u8>) -> Ask {
    Ask {
        sha256: hash.map(|byte| [byte; 32]),
        ..ask("/opt/report --all")
    }
}

#[test]
fn an_allow_is_for_the_file_of_the_hash_alone() {
    let policy = policy(&rule(&pinned(), "require = {}"));
    report(Some(0xab)).allowed(&policy);
    report(Some(0xac)).denied_as(&policy, DenialKind::NotAllowed);
    report(None).denied_as(&policy, DenialKind::NotAllowed);
    let other = Ask {
        sha256: Some([0xab; 32]),
        ..ask("/opt/other --all")
    };
    other.denied_as(&policy, DenialKind::NotAllowed);
}

#[test]
fn a_deny_holds_for_the_file_and_where_nobody_could_look() {
    let all = "[rule.all]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"ALL\"]\n\
               require = {}\n";
    let policy = policy(&(all.to_owned() + &rule(&pinned(), "effect = \"deny\"")));
    report(Some(0xab)).denied_as(&policy, DenialKind::Forbidden);
    report(None).denied_as(&policy, DenialKind::Forbidden);
    report(Some(0xac)).allowed(&policy);
}

#[test]
fn only_files_that_some_rule_pins_need_a_hash() {
    let policy = policy(&rule(
        &format!("\"/opt/plain\", {}", pinned()),
        "require = {}",
    ));
    assert!(policy.pins(b"/opt/report", b"/opt/report"));
    assert!(policy.pins(b"/opt/link", b"/opt/report"));
    assert!(!policy.pins(b"/opt/plain", b"/opt/plain"));
}

#[test]
fn the_hash_is_listed_and_part_of_what_a_vote_covers() {
    let name = RuleName::new("pinned").unwrap();
    let with = |commands: &str| policy(&rule(commands, "require = {}"));
    let text = format!("sha256:{HASH} /opt/report ...");
    let policy = with(&pinned());
    assert_eq!(
        policy.listing("alice", 1000, &Town)[0].commands,
        std::slice::from_ref(&text)
    );
    let digest = policy.content_digest(&name);
    assert_eq!(digest, with(&format!("{text:?}")).content_digest(&name));
    assert_ne!(digest, with("\"/opt/report ...\"").content_digest(&name));
    let other = pinned().replace("ab\"", "ac\"");
    assert_ne!(digest, with(&other).content_digest(&name));
}

#[test]
fn an_alias_holds_pinned_commands_too() {
    let alias = format!("[alias]\ncommands.reports = [{}]\n", pinned());
    let policy = policy(&(alias + &rule("\"@commands.reports\"", "require = {}")));
    report(Some(0xab)).allowed(&policy);
    report(Some(0xac)).denied_as(&policy, DenialKind::NotAllowed);
}

#[test]
fn a_pin_that_is_none_is_told_with_its_place() {
    let text = |entry: &str| format!("[role.operator]\n{}", rule(entry, "require = {}"));
    one(
        &text("{ run = \"/opt/report\", sha256 = \"AB\" }"),
        "p:5:21: in command `sha256:AB /opt/report`: a hash is 64 hexadecimal digits in lower case, \
         as sha256sum prints them",
    );
    one(
        &text("{ run = \"/opt/report\" }"),
        "p:5:13: there is no `sha256`; write it as in `{ run = \"/usr/bin/id\", sha256 = \"…\" }`",
    );
    one(
        &text(&format!("{{ run = \"ALL\", sha256 = \"{HASH}\" }}")),
        &format!("p:5:21: in command `sha256:{HASH} ALL`: a hash is of one file"),
    );
    one(
        &text(&format!(
            "{{ runs = \"/opt/x\", run = \"/opt/x\", sha256 = \"{HASH}\" }}"
        )),
        "p:5:15: unknown key `runs`, did you mean `run`?",
    );
}
