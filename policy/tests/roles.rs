//! Who has a role: members, the removed, roles in roles, and roles that exclude each other.

mod common;

use common::{Town, ask, one, told, try_load};
use elevate_policy::{DenialKind, May, Membership, Policy, RoleName, RuleName};
use proptest::prelude::*;

/// Carol is in `%ops`, and what dave is in cannot be found out.
const ROLES: &str = r#"
[alias]
users.gone = ["zoe"]

[role.operator]
members = ["olivia"]
removed = ["ruth", "%oncall", "@users.gone"]

[role.dba]
members = ["dora", "ruth", "olga", "zoe"]
includes = ["operator"]

[role.chief]
members = ["carl"]
includes = ["dba"]
removed = ["cleo"]

[role.auditor]
members = ["amy", "olivia", "%ops"]
conflicts = ["operator"]
may = ["audit"]

[role.bystander]
members = ["%ops", "olivia", "dora"]

[role.apart]
"#;

fn policy(rules: &str) -> Policy {
    try_load(&[ROLES, rules]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

fn has(name: &str, user: &str) -> Membership {
    policy("").has_role(&role(name), user, &Town)
}

#[test]
fn members_of_a_role_have_those_that_it_includes() {
    for (name, users) in [
        ("operator", &["dora", "carl"][..]),
        ("dba", &["dora", "carl", "ruth"]),
        ("chief", &["carl"]),
    ] {
        for user in users {
            assert_eq!(has(name, user), Membership::Yes, "{name} {user}");
        }
    }
    assert_eq!(has("dba", "olivia"), Membership::No);
    assert_eq!(has("chief", "dora"), Membership::No);
}

#[test]
fn whoever_is_removed_is_out_however_they_came_in() {
    for user in ["ruth", "olga", "zoe"] {
        assert_eq!(has("dba", user), Membership::Yes, "{user}");
        assert_eq!(has("operator", user), Membership::No, "{user}");
    }
}

#[test]
fn whether_somebody_was_removed_must_be_known() {
    let policy = try_load(&["[role.x]\nmembers = [\"dave\", \"eve\"]\nremoved = [\"%ops\"]\n"]);
    let policy = policy.unwrap();
    let has = |user| policy.has_role(&role("x"), user, &Town);
    assert_eq!(
        (has("dave"), has("eve")),
        (Membership::Unknown, Membership::Yes)
    );
    assert_eq!(has("nobody"), Membership::No);
}

#[test]
fn whoever_is_in_two_roles_that_exclude_each_other_has_neither() {
    assert_eq!(has("operator", "olivia"), Membership::No);
    assert_eq!(has("auditor", "olivia"), Membership::No);
    assert_eq!(has("bystander", "olivia"), Membership::Yes);
    assert_eq!(has("auditor", "amy"), Membership::Yes);
    assert_eq!(has("operator", "dora"), Membership::Yes);
    let policy = policy("");
    assert!(policy.has_conflicts());
    let pairs = |user| policy.conflicts(user, &Town);
    assert_eq!(pairs("olivia"), [(&role("auditor"), &role("operator"))]);
    assert!(pairs("amy").is_empty() && pairs("dave").is_empty());
    assert_eq!(policy.may("olivia", 5, May::Audit, &Town), Membership::No);
}

#[test]
fn a_conflict_that_may_be_is_no_membership() {
    let roles = "[role.a]\nmembers = [\"dave\"]\n[role.b]\nmembers = [\"%ops\"]\n\
                 conflicts = [\"a\"]\n";
    let policy = try_load(&[roles]).unwrap();
    assert_eq!(
        policy.has_role(&role("a"), "dave", &Town),
        Membership::Unknown
    );
}

#[test]
fn a_role_that_is_lost_to_a_conflict_passes_nothing_on() {
    let roles = "[role.base]\n[role.a]\nmembers = [\"eve\"]\nincludes = [\"base\"]\n\
                 [role.b]\nmembers = [\"eve\"]\nconflicts = [\"a\"]\n";
    let policy = try_load(&[roles]).unwrap();
    assert_eq!(policy.has_role(&role("base"), "eve", &Town), Membership::No);
}

#[test]
fn what_a_role_forbids_a_conflict_frees_nobody_of() {
    let policy = policy(
        "[rule.all]\nroles = [\"bystander\"]\nrun_as = \"root\"\ncommands = [\"ALL\"]\nrequire = {}\n\
         [rule.no]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/id\"]\n\
         effect = \"deny\"\n",
    );
    ask("/usr/bin/id")
        .by("olivia")
        .denied_as(&policy, DenialKind::Forbidden);
    ask("/usr/bin/id").by("carol").allowed(&policy);
    ask("/usr/bin/cat").by("olivia").allowed(&policy);
}

#[test]
fn rules_of_an_included_role_are_those_of_whoever_includes_it() {
    let policy = policy(
        "[rule.id]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/id\"]\n\
         require = {}\n",
    );
    for (user, allowed) in [("carl", true), ("ruth", false), ("olivia", false)] {
        let verdict = ask("/usr/bin/id").by(user).of(&policy);
        let is = matches!(verdict.decision, elevate_policy::Decision::Allowed(_));
        assert_eq!(is, allowed, "{user}");
        assert_eq!(policy.rules_for(user, &Town).is_empty(), !allowed, "{user}");
    }
}

#[test]
fn where_a_rule_names_no_approvers_roles_that_may_approve_do() {
    let rule = "[rule.id]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/id\"]\n\
                require = { approvals = 1 }\n[role.lead]\nmembers = [\"bob\"]\nmay = [\"approve\"]\n";
    let policy = policy(rule);
    let name = RuleName::new("id").unwrap();
    assert_eq!(policy.may_approve(&name, "bob", &Town), Membership::Yes);
    assert_eq!(policy.may_approve(&name, "amy", &Town), Membership::No);
    let words: Vec<_> = policy
        .approvers_of(&name)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(words, ["role:lead"]);
}

#[test]
fn each_owes_as_many_as_there_are_approvers() {
    let rule = "[rule.id]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/id\"]\n\
                require = { approvals = \"each\", approvers = [\"role:dba\", \"%oncall\", \"dora\"] }\n";
    let policy = policy(rule);
    let owed = ask("/usr/bin/id").by("carl").allowed(&policy).owed;
    assert_eq!((owed.approvals, owed.each), (3, true));
    let name = RuleName::new("id").unwrap();
    let approves = |voter| policy.approves_as(&name, voter, &Town);
    assert_eq!(policy.approvers_of(&name)[0].to_string(), "dora");
    assert_eq!(
        (approves("dora"), approves("olga")),
        (vec![0, 2], vec![1, 2])
    );
    assert!(approves("eve").is_empty());
}

#[test]
fn who_has_a_role_is_part_of_what_a_vote_covers() {
    let rule = "[rule.id]\nroles = [\"operator\"]\nrun_as = \"root\"\ncommands = [\"/usr/bin/id\"]\n\
                require = {}\n";
    let name = RuleName::new("id").unwrap();
    let digest = |more: &str| {
        let policy = try_load(&[ROLES, rule, more]).unwrap();
        policy.content_digest(&name)
    };
    let before = digest("");
    for change in [
        "[role.operator]\nremoved = [\"eve\"]\n",
        "[role.chief]\nmembers = [\"eve\"]\n",
        "[role.dba]\nremoved = [\"eve\"]\n",
        "[role.auditor]\nmembers = [\"eve\"]\n",
        "[role.bystander]\nincludes = [\"dba\"]\n",
        "[role.bystander]\nconflicts = [\"chief\"]\n",
    ] {
        assert_ne!(digest(change), before, "{change}");
    }
    assert_eq!(digest("[role.bystander]\nmembers = [\"eve\"]\n"), before);
    assert_eq!(digest("[role.apart]\nmembers = [\"eve\"]\n"), before);
}

#[test]
fn roles_that_nobody_could_have_are_mistakes() {
    one(
        "[role.a]\nincludes = [\"b\"]\n[role.b]\nincludes = [\"operater\"]",
        "p:4:13: unknown role `operater`, did you mean `operator`?",
    );
    one(
        "[role.a]\nincludes = [\"a\"]",
        "p:2:13: role `a` goes round in a circle by `a`",
    );
    let circle = told("[role.a]\nincludes = [\"b\"]\n[role.b]\nincludes = [\"a\"]");
    assert_eq!(
        circle,
        [
            "p:2:13: role `a` goes round in a circle by `b`",
            "p:4:13: role `b` goes round in a circle by `a`",
        ]
    );
    one(
        "[role.a]\nincludes = [\"b\"]\n[role.b]\nincludes = [\"c\"]\n[role.c]\nconflicts = [\"a\"]",
        "p:6:14: role `c` and `a` exclude each other, and one includes the other: nobody could have \
         both, or either",
    );
    one(
        "[role.a]\nconflicts = [\"%ops\"]",
        "p:2:14: `%ops` is no role; put groups and aliases into the `members` of a role",
    );
}

/// Members, the removed, included and excluded roles of one role, by number.
type Said = (Vec<usize>, Vec<usize>, Vec<usize>, Vec<usize>);

/// Four roles of few people, which include only later ones, and exclude what they like.
fn roles() -> impl Strategy<Value = Vec<Said>> {
    let some = || prop::collection::vec(0usize..4, 0..3);
    prop::collection::vec((some(), some(), some(), some()), 4)
}

const PEOPLE: [&str; 4] = ["alice", "bob", "carol", "eve"];

proptest! {
    /// Against the plain meaning, computed the long way round.
    #[test]
    fn who_has_a_role_is_what_the_words_plainly_mean(roles in roles()) {
        let quoted = |all: &[usize], name: &dyn Fn(usize) -> String| {
            all.iter().map(|one| format!("{:?}", name(*one))).collect::<Vec<_>>().join(", ")
        };
        let person = |at: usize| PEOPLE[at].to_owned();
        let called = |at: usize| format!("r{at}");
        let mut text = String::new();
        for (at, (members, removed, includes, conflicts)) in roles.iter().enumerate() {
            let later: Vec<_> = includes.iter().copied().filter(|one| *one > at).collect();
            text += &format!(
                "[role.r{at}]\nmembers = [{}]\nremoved = [{}]\nincludes = [{}]\nconflicts = [{}]\n",
                quoted(members, &person), quoted(removed, &person),
                quoted(&later, &called), quoted(conflicts, &called),
            );
        }
        // Some of these worlds make no sense, and are refused.
        let Ok(policy) = try_load(&[&text]) else { return Ok(()) };
        for (user, name) in PEOPLE.iter().enumerate() {
            let mut inside = [false; 4];
            for at in 0..4 {
                let above = (0..at).any(|up| inside[up] && roles[up].2.contains(&at));
                inside[at] = (roles[at].0.contains(&user) || above) && !roles[at].1.contains(&user);
            }
            let excludes = |a: usize, b: usize| roles[a].3.contains(&b) || roles[b].3.contains(&a);
            let lost = |at: usize| (0..4).any(|other| inside[other] && excludes(at, other));
            let mut has = [false; 4];
            for at in 0..4 {
                let above = (0..at).any(|up| has[up] && roles[up].2.contains(&at));
                let member = roles[at].0.contains(&user) || above;
                has[at] = member && !roles[at].1.contains(&user) && !lost(at);
                let found = policy.has_role(&role(&called(at)), name, &Town);
                prop_assert_eq!(found, Membership::from(has[at]), "{} r{}\n{}", name, at, text);
            }
        }
    }
}
