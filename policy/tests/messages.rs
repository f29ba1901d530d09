//! What a wrong policy is told: where, which word, and what was probably meant.

mod common;

use common::{PEOPLE, an_hour, one, source, told, try_load};
use elevate_policy::{HostFacts, load};

/// A good rule, with one line changed or added.
fn with(key: &str, line: &str) -> String {
    let lines = [
        ("roles", "roles = [\"operator\"]"),
        ("run_as", "run_as = \"root\""),
        ("commands", "commands = [\"/usr/bin/id\"]"),
        ("require", "require = {}"),
    ];
    let kept = lines
        .into_iter()
        .filter(|(name, _)| *name != key)
        .map(|(_, line)| line);
    let all: Vec<_> = ["[rule.web]", line].into_iter().chain(kept).collect();
    all.join("\n")
}

#[test]
fn a_good_rule_is_told_nothing() {
    assert!(told(&with("", "")).is_empty());
}

#[test]
fn an_unknown_key_is_told_with_the_likely_one() {
    let requre = told(&with("require", "requre = {}"));
    assert_eq!(
        requre,
        [
            "p:1:7: rule `web` has no `require`; write `require = {}` for a standing grant",
            "p:2:1: unknown key `requre`, did you mean `require`?",
        ]
    );
    one(
        "[rulle.x]",
        "p:1:2: unknown key `rulle`, did you mean `rule`?",
    );
    one(
        &with("require", "require = { aprovals = 1 }"),
        "p:2:13: unknown key `aprovals`, did you mean `approvals`?",
    );
    one(&with("", "weather = 1"), "p:2:1: unknown key `weather`");
}

#[test]
fn a_key_of_the_language_that_is_not_enforced_yet_is_refused() {
    let later =
        |key: &str| format!("`{key}` isn't enforced yet by this version of Elevate; remove it");
    one(
        &with("", "break_glass = true"),
        &format!("p:2:1: {}", later("break_glass")),
    );
    one(
        &with("require", "require = { password = \"15m\" }"),
        &format!("p:2:13: {}", later("password")),
    );
    for word in ["helpdesk", "administer"] {
        one(
            &format!("[role.x]\nmay = [\"audit\", \"{word}\"]"),
            &format!("p:2:17: {}", later(word)),
        );
    }
    one(
        "[role.x]\neligible = []",
        &format!("p:2:1: {}", later("eligible")),
    );
    one(
        "[role.x]\nactivate.when = {}",
        &format!("p:2:1: {}", later("activate")),
    );
    for key in ["terminal", "valid"] {
        one(
            &format!("[role.x]\nlogin.when = {{ {key} = true }}"),
            &format!("p:2:16: {}", later(key)),
        );
    }
    for key in ["approvals", "approvers", "password", "reason", "ticket"] {
        one(
            &format!("[role.x]\nlogin.require = {{ {key} = 1 }}"),
            &format!("p:2:19: {}", later(key)),
        );
    }
    one(
        &with(
            "require",
            "require = { approvals = 1, approvers = [\"attr:department=dba\", \"bob\"] }",
        ),
        "p:2:41: `attr:department=dba`: it isn't enforced yet by this version of Elevate; put it \
         into the `members` of a role, and name that as `role:NAME`",
    );
}

#[test]
fn all_of_it_is_told_at_once_in_the_order_of_lines() {
    let text = "[rule.a]\nroles = [\"operater\"]\nrun_as = 0\ncommands = [\"id\"]\n\
                require = { approvals = 99 }\n[role.x]\nmembers = \"eve\"";
    assert_eq!(
        told(text),
        [
            "p:2:10: unknown role `operater`, did you mean `operator`?",
            "p:3:10: `run_as` takes a list, as in `run_as = [\"root\"]`, and this is of type integer",
            "p:4:13: in command `id`: a command begins with its whole path, as in \
         `/usr/bin/systemctl`",
            "p:5:25: `approvals` is a whole number from 0 to 16",
            "p:7:11: `members` takes a list, as in `members = [\"alice\", \"%dba\"]`, and this is of \
         type string",
        ]
    );
}

#[test]
fn broken_toml_is_told_with_its_place() {
    let wrong = told("[rule.a]\nroles = [\"operator\"\nrun_as = \"root\"");
    assert!(wrong[0].starts_with("p:3:"), "{wrong:?}");
    let wrong = told("[rule.a]\nroles = [\"operator\"]\nroles = [\"lead\"]");
    assert_eq!(wrong, ["p:3:1: duplicate key"]);
}

#[test]
fn a_rule_lacking_what_it_needs_is_told_what_to_write() {
    one(
        &with("roles", ""),
        "p:1:7: rule `web` has no `roles`; write `roles = [\"operator\"]`",
    );
    one(
        &with("run_as", ""),
        "p:1:7: rule `web` has no `run_as`; write `run_as = [\"root\"]`",
    );
    one(
        &with("commands", "commands = []"),
        "p:2:12: `commands` is empty, so the rule could never match",
    );
    one(
        &with("run_as", "run_as = []"),
        "p:2:10: `run_as` is empty, so the rule could never match",
    );
}

#[test]
fn a_deny_owes_nothing() {
    one(
        &with("", "effect = \"deny\""),
        "p:6:1: `require` means nothing in a rule that denies; remove it",
    );
    one(
        &with("", "effect = \"denny\""),
        "p:2:10: unknown effect `denny`; `effect` is \"allow\" or \"deny\", did you mean `deny`?",
    );
}

#[test]
fn approvals_without_approvers_and_approvers_without_approvals_are_mistakes() {
    one(
        &with("require", "require = { approvals = 1 }"),
        "p:2:25: approvals are owed and nobody may give them; write `approvers = \
         [\"role:lead\"]` beside it, or `may = [\"approve\"]` in a role",
    );
    one(
        &with("require", "require = { approvers = [\"bob\"] }"),
        "p:2:13: there are approvers and no approvals are owed; write `approvals = 1` or remove \
         `approvers`",
    );
    one(
        &with(
            "require",
            "require = { approvals = 2, approvers = [\"bob\", \"bob\"] }",
        ),
        "p:2:25: 2 approvals are owed and fewer people may give them",
    );
    one(
        &with(
            "require",
            "require = { approvals = 1, approvers = [\"role:leed\"] }",
        ),
        "p:2:41: unknown role `leed`, did you mean `role:lead`?",
    );
}

#[test]
fn numbers_of_users_and_groups_at_the_edges_are_refused() {
    for (word, what) in [
        ("-1", "uid"),
        ("#-1", "uid"),
        ("4294967295", "uid"),
        ("#4294967295", "uid"),
        ("2147483648", "uid"),
        ("4294967296", "uid"),
        ("99999999999999999999", "uid"),
        ("root:-1", "gid"),
        ("root:4294967295", "gid"),
        ("root:#2147483648", "gid"),
    ] {
        one(
            &with("run_as", &format!("run_as = \"{word}\"")),
            &format!("p:2:10: `{word}`: a {what} is a number from 0 to 2147483647"),
        );
    }
    for word in [
        "0",
        "#0",
        "2147483647",
        "root:0",
        "SELF:#27",
        "ALL:adm",
        "root:ALL",
    ] {
        assert!(
            told(&with("run_as", &format!("run_as = \"{word}\""))).is_empty(),
            "{word}"
        );
    }
    one(
        &with("run_as", "run_as = \":adm\""),
        "p:2:10: `:adm`: the user is missing; write `SELF:group` for the caller's own",
    );
}

#[test]
fn names_that_are_none_are_refused() {
    for (member, why) in [
        ("", "a name is missing"),
        ("%", "a name is missing"),
        ("#1000", "users and groups are named here, not numbered"),
        ("1000", "users and groups are named here, not numbered"),
        ("%#27", "users and groups are named here, not numbered"),
        ("+net", "netgroups aren't part of the language"),
        ("-alice", "no name of a user or group begins with `-`"),
        ("ALL", "it is no user; name users and %groups"),
        ("../x", "no name of a user or group looks like that"),
        ("role:lead", "no name of a user or group looks like that"),
    ] {
        one(
            &format!("[role.x]\nmembers = [\"{member}\"]"),
            &format!("p:2:12: `{member}`: {why}"),
        );
    }
    let long = format!("[role.\"a b\"]\n[rule.\"{}\"]", "x".repeat(65));
    assert_eq!(told(&long).len(), 2);
}

#[test]
fn times_that_no_rule_can_lend_are_refused() {
    let range = "is whole seconds, from 1s to 168h (seven days)";
    one(
        &with("", "limit = { max = \"0s\" }"),
        &format!("p:2:17: `max` {range}"),
    );
    one(
        &with("", "limit = { max = \"169h\" }"),
        &format!("p:2:17: `max` {range}"),
    );
    one(
        &with("", "limit = { max = \"1500ms\" }"),
        &format!("p:2:17: `max` {range}"),
    );
    one(
        &with("", "limit = { max = \"-5m\" }"),
        "p:2:17: `-5m` is no length of time; write it as in \"15m\", \"1h 30m\" or \"48h\"",
    );
    one(
        &with("", "limit = { default = \"2h\", max = \"1h\" }"),
        "p:2:21: `default` is longer than `max`",
    );
    one(
        &with("", "limit = { default = \"2h\" }"),
        "p:2:21: `default` is longer than the longest time of elevated.toml (1h); write `max` too",
    );
    one(
        &with("", "limit = { tasks = 0 }"),
        "p:2:19: `tasks` is a whole number from 1 to 4194304",
    );
}

#[test]
fn a_limit_that_the_host_cannot_enforce_is_refused_there_and_only_there() {
    let sources = [
        source("people", PEOPLE),
        source("p", &with("", "limit.tasks = 20")),
    ];
    let on = |controllers: Option<&[&str]>| {
        let controllers = controllers.map(|all| all.iter().map(ToString::to_string).collect());
        let facts = HostFacts {
            controllers,
            ..HostFacts::default()
        };
        load(&sources, &facts, &an_hour())
    };
    assert!(on(None).is_ok() && on(Some(&["cpu", "pids"])).is_ok());
    assert_eq!(
        on(Some(&["cpu"])).unwrap_err().to_string(),
        "p:2:15: this host cannot enforce `tasks`: its cgroups have no `pids` controller"
    );
}

#[test]
fn a_factor_is_always_or_so_old() {
    for good in ["always", "15m", "1h 30m", "1s"] {
        assert!(told(&with("require", &format!("require.mfa = \"{good}\""))).is_empty());
    }
    let how = "is not how `mfa` is written; it is \"always\", or how old a code may be, as in \
               \"15m\"; without it none is owed";
    one(
        &with("require", "require = { mfa = \"allways\" }"),
        &format!("p:2:19: `allways` {how}, did you mean `always`?"),
    );
    one(
        &with("require", "require = { mfa = \"never\" }"),
        &format!("p:2:19: `never` {how}"),
    );
    one(
        &with("require", "require = { mfa = \"\" }"),
        &format!("p:2:19: `` {how}"),
    );
    one(
        &with("require", "require = { mfa = \"0s\" }"),
        "p:2:19: `mfa` is whole seconds, from 1s to 168h (seven days)",
    );
    one(
        &with("require", "require = { mfa = \"15 mins x\" }"),
        "p:2:19: `15 mins x` is no length of time; write it as in \"15m\", \"1h 30m\" or \"48h\"",
    );
    one(
        &with("require", "require = { mfa = true }"),
        "p:2:19: `mfa` takes \"always\" or a time in quotes, as in \"15m\", and this is of type \
         boolean",
    );
}

#[test]
fn a_session_that_is_none_of_the_known_is_told() {
    one(
        &with("", "session = { record = \"ouput\" }"),
        "p:2:22: unknown record `ouput`; it is \"none\", \"output\" or \"full\", did you \
         mean `output`?",
    );
    one(
        &with("", "session = { keep_env = [\"LANG\", \"LD_PRELOAD\"] }"),
        "p:2:33: `LD_PRELOAD` cannot be kept: it makes programs load the caller's code",
    );
}

#[test]
fn aliases_that_are_unknown_circular_or_of_another_kind_are_told() {
    let alias =
        "[alias]\nusers.ops = [\"alice\", \"@users.more\"]\nusers.more = [\"@users.ops\"]\n";
    let wrong = told(alias);
    assert_eq!(
        wrong,
        [
            "p:2:23: alias `@users.more` goes round in a circle",
            "p:3:15: alias `@users.ops` goes round in a circle",
        ]
    );
    let some = "[alias]\nusers.ops = [\"alice\"]\ncommands.web = [\"/usr/bin/id\"]\n[role.x]\n";
    one(
        &format!("{some}members = [\"@users.opps\"]"),
        "p:5:12: unknown alias `@users.opps`, did you mean `@users.ops`?",
    );
    one(
        &format!("{some}members = [\"@commands.web\"]"),
        "p:5:12: `@commands.web` cannot stand here; only `@users.…` can",
    );
    one(
        &format!("{some}members = [\"@user.ops\"]"),
        "p:5:12: unknown kind of alias in `@user.ops`, did you mean `users`?",
    );
    one(
        &format!("{some}members = [\"@ops\"]"),
        "p:5:12: `@ops` is no alias; write `@users.NAME`",
    );
}

#[test]
fn a_mistake_in_an_alias_is_told_once_and_also_when_nothing_uses_it() {
    let alias = "[alias]\ncommands.x = [\"id\"]\n";
    let expected = "p:2:15: in command `id`: a command begins with its whole path, as in \
                    `/usr/bin/systemctl`";
    one(alias, expected);
    let used = with("commands", "commands = [\"@commands.x\"]");
    one(
        &format!("{alias}{used}\n{}", used.replace("web", "two")),
        expected,
    );
}

#[test]
fn names_stand_once_and_roles_unite() {
    let twice = try_load(&[PEOPLE, &with("", ""), &with("", "")])
        .unwrap_err()
        .to_string();
    assert_eq!(
        twice,
        "2.toml:1:7: rule `web` is given twice; first at 1.toml:1:7"
    );
    let more = "[role.lead]\nmembers = [\"zoe\"]\ndescription = \"Leads\"";
    let policy = try_load(&[PEOPLE, more]).unwrap();
    let lead = policy
        .roles()
        .find(|role| role.name.as_str() == "lead")
        .unwrap();
    assert_eq!(lead.members.len(), 2);
    assert_eq!(lead.description.as_deref(), Some("Leads"));
    let wrong = try_load(&[more, more]).unwrap_err().to_string();
    assert!(
        wrong.contains("description of role `lead` is given twice"),
        "{wrong}"
    );
}

#[test]
fn groups_do_not_stand_where_roles_do() {
    one(
        &with("roles", "roles = [\"%ops\"]"),
        "p:2:10: `%ops` is no role; put groups and aliases into the `members` of a role",
    );
}

#[test]
fn columns_count_characters_and_words_are_escaped() {
    one(
        &with("roles", "roles = [\"ö\", \"operator\"]"),
        "p:2:10: unknown role `ö`",
    );
    one(
        &with("roles", "roles = [\"operator\", \"a\\u001b[2J\"]"),
        r"p:2:22: unknown role `a\u{1b}[2J`",
    );
    let mixed = told(&with("require", "require = { \"ö\" = 1, reasn = true }"));
    assert_eq!(
        mixed[1],
        "p:2:22: unknown key `reasn`, did you mean `reason`?"
    );
}
