//! Rules that want a ticket.

mod common;

use common::{Town, ask, one, policy};
use elevate_policy::RuleName;

fn rule(name: &str, require: &str) -> String {
    format!(
        "[rule.{name}]\nroles = [\"operator\"]\nrun_as = \"root\"\n\
         commands = [\"/usr/bin/id\"]\nrequire = {{ {require} }}\n"
    )
}

#[test]
fn a_verdict_and_a_listing_tell_what_a_ticket_looks_like() {
    let policy = policy(&rule("a", "ticket = \"OPS-[0-9]+\""));
    let allowance = ask("/usr/bin/id").allowed(&policy);
    assert!(allowance.owed.ticket && !allowance.owed.reason);
    let ticket = allowance.ticket.unwrap();
    assert!(ticket.matches("OPS-17") && !ticket.matches("OPS-17 and more"));
    let listed = policy.listing("alice", 1000, &Town);
    assert_eq!(listed[0].ticket, Some(ticket));
}

#[test]
fn a_ticket_demands_less_than_a_fresher_code_and_more_than_a_reason() {
    let with = |one: &str, other: &str| {
        let both = rule("a", one) + &rule("b", other);
        let taken = ask("/usr/bin/id").allowed(&policy(&both)).rule;
        taken.as_str().to_owned()
    };
    assert_eq!(with("ticket = \"T\"", "reason = true"), "b");
    assert_eq!(with("ticket = \"T\", reason = true", "ticket = \"T\""), "b");
    assert_eq!(with("mfa = \"1h\"", "ticket = \"T\""), "b");
    assert_eq!(with("ticket = \"T\"", "ticket = \"T\""), "a");
}

#[test]
fn a_change_of_the_pattern_voids_votes() {
    let name = RuleName::new("a").unwrap();
    let digest = |require: &str| policy(&rule("a", require)).content_digest(&name);
    let all = ["", "ticket = \"T\"", "ticket = \"T+\""].map(digest);
    assert!(all[0] != all[1] && all[1] != all[2]);
}

#[test]
fn a_pattern_that_is_none_is_told_with_its_place() {
    let text = |ticket: &str| {
        format!(
            "[role.operator]\n{}",
            rule("a", &format!("ticket = {ticket}"))
        )
    };
    one(
        &text("\"OPS-[\""),
        "p:6:22: `OPS-[`: no regular expression: unclosed character class",
    );
    one(
        &text("\"[0-9]*\""),
        "p:6:22: `[0-9]*`: it matches no ticket at all, too; write it as in \"OPS-[0-9]+\"",
    );
    one(
        &text("true"),
        "p:6:22: `ticket` takes a string in quotes, and this is of type boolean",
    );
}
