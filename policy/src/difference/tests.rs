use proptest::prelude::*;

use super::{Demands, Difference, Kind};
use crate::command::{Command, File, Reading};
use crate::diagnostic::{Place, Source};
use crate::load::{Defaults, HostFacts, load};
use crate::policy::Policy;

fn policy(text: &str) -> Policy {
    let source = Source {
        name: "p".into(),
        text: text.into(),
    };
    load(&[source], &HostFacts::default(), &Defaults::default())
        .unwrap_or_else(|wrong| panic!("{wrong}\n{text}"))
}

fn difference(was: &str, now: &str) -> Difference {
    policy(was).difference(&policy(now))
}

/// Each change as `who kind deed [key was -> now demands]`.
fn told(was: &str, now: &str) -> Vec<String> {
    let difference = difference(was, now);
    let changes = difference.changes.iter().map(|change| {
        let mut line = format!("{} {:?} {}", change.who, change.kind, change.deed);
        for one in &change.details {
            let or_nothing = |text: &Option<String>| text.clone().unwrap_or("-".into());
            let (was, now) = (or_nothing(&one.was), or_nothing(&one.now));
            let under = one
                .under
                .as_ref()
                .map(|under| format!(" ({under})"))
                .unwrap_or_default();
            line += &format!(" [{}{under} {was} -> {now} {:?}]", one.key, one.demands);
        }
        line
    });
    changes.collect()
}

#[track_caller]
fn same(was: &str, now: &str) {
    assert_eq!(told(was, now), Vec::<String>::new());
    assert!(difference(was, now).is_empty());
}

const ROLES: &str = "[role.ops]\nmembers = [\"alice\"]\n[role.lead]\nmembers = [\"bob\"]\n";

fn rule(name: &str, commands: &str, rest: &str) -> String {
    let require = if rest.contains("require") || rest.contains("effect") {
        ""
    } else {
        "require = {}"
    };
    let run_as = if rest.contains("run_as") {
        ""
    } else {
        "run_as = \"root\""
    };
    format!(
        "[rule.{name}]\nroles = [\"ops\"]\n{run_as}\ncommands = [{commands}]\n{require}\n{rest}\n"
    )
}

fn with(rules: &[String]) -> String {
    format!("{ROLES}{}", rules.concat())
}

const ID: &str = "\"/usr/bin/id\"";

#[test]
fn a_policy_that_is_reordered_renamed_or_written_otherwise_differs_in_nothing() {
    let one = with(&[
        rule(
            "a",
            "\"/usr/bin/systemctl {stop,start} {a,b}\", \"/bin/id\"",
            "",
        ),
        rule("b", "\"/usr/bin/w\"", "run_as = [\"bob\", \"root\"]"),
    ]);
    let other = with(&[
        rule(
            "x",
            "\"/usr/bin/w\"",
            "run_as = \"root\"\ndescription = \"who\"",
        ),
        rule("y", "\"/usr/bin/w\"", "run_as = \"bob\""),
        rule(
            "z",
            "\"@commands.all\"",
            "limit = { max = \"8h\", default = \"15m\" }",
        ),
    ]) + "[alias]\ncommands.all = [\"/usr/bin/id\", \"/usr/bin/systemctl start {a,b}\", \
          \"/usr/bin/systemctl stop 'a'\", \"/usr/bin/systemctl stop b\"]\n";
    same(&one, &other);
    same(&other, &one);
    // What another rule allows anyhow is no gain.
    let more = one.clone()
        + &rule(
            "c",
            "\"/usr/bin/systemctl stop a\"",
            "require = { mfa = \"1h\" }",
        );
    same(&one, &more);
    same(&more, &one);
}

#[test]
fn what_is_gained_and_lost_is_told_command_by_command() {
    let (was, now) = (
        with(&[rule("a", "\"/usr/bin/systemctl {stop,start} x\"", "")]),
        with(&[rule(
            "a",
            "\"/usr/bin/systemctl {start,restart} x\"",
            "require = { mfa = \"1h\" }",
        )]),
    );
    assert_eq!(
        told(&was, &now),
        [
            "role ops Gained /usr/bin/systemctl restart x as root [limit.max - -> 8h Other] \
             [require.mfa - -> 1h Other]",
            "role ops Changed /usr/bin/systemctl start x as root [require.mfa - -> 1h More]",
            "role ops Lost /usr/bin/systemctl stop x as root",
        ]
    );
}

#[test]
fn terms_are_compared_key_by_key_with_what_demands_more() {
    let was = with(&[rule(
        "a",
        ID,
        "require = { approvals = 2, approvers = [\"%a\", \"%b\"], mfa = \"15m\" }\n\
         limit = { max = \"1h\", tasks = 9, idle = \"5m\" }\n\
         session = { record = \"full\", execs = \"deny\", keep_env = [\"LANG\"] }",
    )]);
    let now = with(&[rule(
        "a",
        ID,
        "require = { approvals = 1, approvers = [\"%a\"], mfa = \"always\", reason = true }\n\
         limit = { max = \"2h\" }\nsession = { contain = true, watched = true }",
    )]);
    let changes = difference(&was, &now).changes;
    assert_eq!(changes.len(), 1);
    let demands: Vec<_> = changes[0]
        .details
        .iter()
        .map(|one| (&*one.key, one.demands))
        .collect();
    use Demands::{Less, More};
    assert_eq!(
        demands,
        [
            ("limit.idle", Less),
            ("limit.max", Less),
            ("limit.tasks", Less),
            ("require.approvals", Less),
            ("require.approvers", More),
            ("require.mfa", More),
            ("require.reason", More),
            ("session.contain", More),
            ("session.execs", Less),
            ("session.keep_env", More),
            ("session.record", Less),
            ("session.watched", More),
        ]
    );
}

#[test]
fn what_denies_take_and_give_back_is_told_of_what_they_speak_of() {
    let allow = || rule("a", "\"/usr/bin/systemctl stop *\"", "");
    let was = with(&[allow()]);
    let deny = rule(
        "never",
        "\"/usr/bin/systemctl stop {ssh,x}\"",
        "effect = \"deny\"\nrun_as = \"ALL\"",
    );
    let now = with(&[allow(), deny]);
    let told = told(&was, &now);
    assert_eq!(
        told,
        [
            "role ops Forbidden /usr/bin/systemctl stop ssh as ALL [when - -> always Less]",
            "role ops Forbidden /usr/bin/systemctl stop x as ALL [when - -> always Less]"
        ]
    );
}

#[test]
fn where_and_when_it_holds_is_part_of_what_is_told() {
    let on = |hosts: &str| with(&[rule("a", ID, &format!("when = {{ hosts = [{hosts}] }}"))]);
    let anywhere = with(&[rule("a", ID, "")]);
    assert_eq!(
        told(&on("\"db1\""), &anywhere),
        ["role ops Changed /usr/bin/id as root [when when.hosts db1 -> always Less]"]
    );
    assert_eq!(
        told(&on("\"db1\""), &on("\"db2\"")),
        ["role ops Changed /usr/bin/id as root [when when.hosts db1 -> when.hosts db2 Other]"]
    );
    let harder = rule(
        "b",
        ID,
        "when = { hosts = [\"db1\"] }\nsession = { record = \"full\" }",
    );
    assert_eq!(
        told(&anywhere, &with(&[rule("a", ID, ""), harder])),
        ["role ops Changed /usr/bin/id as root \
          [session.record (when.hosts db1) output -> full More]"]
    );
}

#[test]
fn a_second_way_with_other_terms_is_told_of_as_that() {
    let was = with(&[rule("a", ID, "limit = { max = \"1h\" }")]);
    let long = "require = { mfa = \"always\" }\nlimit = { max = \"7h\" }";
    let now = with(&[
        rule("a", ID, "limit = { max = \"1h\" }"),
        rule("b", ID, long),
    ]);
    assert_eq!(
        told(&was, &now),
        ["role ops Changed /usr/bin/id as root \
          [require - -> limit.max 7h, require.mfa always Less]"]
    );
}

#[test]
fn who_comes_into_a_role_gains_what_it_may_and_who_leaves_it_loses_that() {
    let was = with(&[rule("a", ID, "")]);
    let now = was.replace("[\"alice\"]", "[\"%web\", \"bob\"]");
    assert_eq!(
        told(&was, &now),
        [
            "%web Gained role ops",
            "%web Gained /usr/bin/id as root [limit.max - -> 8h Other]",
            "alice Lost role ops",
            "alice Lost /usr/bin/id as root",
            "bob Gained role ops",
            "bob Gained /usr/bin/id as root [limit.max - -> 8h Other]",
        ]
        .map(|line| line.to_owned())
    );
    // What somebody has by another role already they don't gain.
    let both = was.replace("[\"bob\"]", "[\"alice\", \"bob\"]")
        + "[rule.b]\nroles = [\"lead\"]\nrun_as = \"root\"\ncommands = [\"ALL\"]\nrequire = {}\n";
    let out = both.replacen("[\"alice\"]", "[]", 1);
    assert_eq!(told(&both, &out), ["alice Lost role ops"]);
}

#[test]
fn roles_that_are_removed_included_and_excluded_count() {
    let was = with(&[rule("a", ID, "")]);
    let removed = was.replace("[\"alice\"]", "[\"alice\"]\nremoved = [\"alice\"]");
    assert_eq!(
        told(&was, &removed),
        ["alice Lost role ops", "alice Lost /usr/bin/id as root"]
    );
    let included = was.replace("[\"bob\"]", "[\"bob\"]\nincludes = [\"ops\"]");
    assert_eq!(
        told(&was, &included),
        [
            "role lead Changed other roles [includes - -> ops Other]",
            "bob Gained role ops",
            "bob Gained /usr/bin/id as root [limit.max - -> 8h Other]",
        ]
    );
}

#[test]
fn privileges_and_logins_of_roles_are_told() {
    let now = ROLES.replace(
        "[\"bob\"]",
        "[\"bob\"]\nmay = [\"audit\"]\nlogin.when = { hosts = [\"db1\"] }\nlogin.require = {}",
    );
    assert_eq!(
        told(ROLES, &now),
        [
            "role lead Gained audit",
            "role lead Changed log in [login.require.mfa always -> - Less] \
             [login.when.hosts - -> db1 More]",
        ]
    );
    let gone = told(ROLES, "[role.ops]\nmembers = [\"alice\"]\n");
    assert_eq!(gone, ["role lead Lost log in", "bob Lost role lead"]);
}

#[test]
fn in_json_every_change_says_whose_it_is_and_what_became_of_it() {
    let json = serde_json::to_value(difference(ROLES, &with(&[rule("a", ID, "")]))).unwrap();
    let change = &json["changes"][0];
    assert_eq!(change["who"]["role"], "ops");
    assert_eq!(change["kind"], "gained");
    assert_eq!(change["deed"]["run"]["command"], "/usr/bin/id");
    assert_eq!(change["details"][0]["key"], "limit.max");
}

fn command(text: &str) -> Option<Command> {
    let file = "p".into();
    let place = Place {
        file,
        line: 1,
        column: 1,
    };
    Command::parse(text, place).ok()
}

/// One of a few rules that have much in common, by number.
fn any_rule(number: usize) -> String {
    let commands = ["\"/usr/bin/{id,w}\"", "\"/usr/bin/*\"", "\"ALL\""][number % 3];
    let terms = [
        "",
        "require = { mfa = \"1h\" }",
        "effect = \"deny\"",
        "when = { terminal = true }",
    ];
    rule(&format!("r{number}"), commands, terms[number / 3 % 4])
}

proptest! {
    #[test]
    fn the_order_and_the_names_of_rules_are_no_difference(
        numbers in proptest::sample::subsequence((0..12).collect::<Vec<usize>>(), 0..6).prop_shuffle(),
    ) {
        let mut sorted = numbers.clone();
        sorted.sort_unstable();
        let text = |numbers: &[usize]| with(&numbers.iter().map(|one| any_rule(*one)).collect::<Vec<_>>());
        let renamed = text(&sorted).replace("[rule.r", "[rule.other-");
        prop_assert!(difference(&text(&numbers), &renamed).is_empty());
    }

    /// What is gained one way is lost the other way.
    #[test]
    fn what_is_gained_one_way_is_lost_the_other(
        one in proptest::sample::subsequence((0..12).collect::<Vec<usize>>(), 0..5),
        other in proptest::sample::subsequence((0..12).collect::<Vec<usize>>(), 0..5),
    ) {
        let text = |numbers: &[usize]| with(&numbers.iter().map(|one| any_rule(*one)).collect::<Vec<_>>());
        let of = |difference: Difference, kind: Kind| -> Vec<String> {
            let changes = difference.changes.into_iter().filter(|change| change.kind == kind);
            changes.map(|change| change.deed.to_string()).collect()
        };
        let (one, other) = (text(&one), text(&other));
        let there = of(difference(&one, &other), Kind::Gained);
        let back = of(difference(&other, &one), Kind::Lost);
        prop_assert_eq!(there, back);
    }

    /// What the entries without braces match together is what the entry matches; and each, as it is
    /// written, is read as what it is.
    #[test]
    fn an_entry_is_what_its_braces_stand_for(
        text in "/(a|b|\\*|\\*\\*|\\*\\*/|\\{a,b\\}|\\{a,\\*,\\}|'\\*'|\\\\ ){1,3}( (a|\\*|''|'\\.\\.\\.'|\\{a,-b\\})){0,2}( \\.\\.\\.)?",
        path in "/[ab* /]{0,4}",
        args in proptest::collection::vec("[ab.-]{0,3}", 0..3),
    ) {
        let Some(entry) = command(&text) else { return Ok(()) };
        let file = File::new(path.as_bytes(), path.as_bytes());
        let args: Vec<_> = args.into_iter().map(String::into_bytes).collect();
        let matches = |one: &Command| one.matches(&file, &args, false, Reading::Strict);
        let each = entry.spelled_out();
        prop_assert_eq!(matches(&entry), each.iter().any(matches));
        for one in &each {
            let read = command(one.text());
            prop_assert!(read.is_some(), "{} of {}", one.text(), text);
            prop_assert_eq!(matches(one), matches(&read.unwrap()), "{} of {}", one.text(), text);
        }
    }
}

#[test]
fn every_kind_of_change_has_its_opposite() {
    let one = with(&[rule("a", ID, "require = { mfa = \"1h\" }")]);
    let other = with(&[rule("a", "\"/usr/bin/w\"", "")])
        + "[rule.d]\nroles = [\"lead\"]\n\
                run_as = \"root\"\ncommands = [\"ALL\"]\neffect = \"deny\"\n";
    let kinds = |was: &str, now: &str| -> Vec<Kind> {
        let mut kinds: Vec<_> = difference(was, now)
            .changes
            .iter()
            .map(|one| one.kind)
            .collect();
        kinds.sort();
        kinds
    };
    assert_eq!(
        kinds(&one, &other),
        [Kind::Gained, Kind::Lost, Kind::Forbidden]
    );
    assert_eq!(
        kinds(&other, &one),
        [Kind::Gained, Kind::Lost, Kind::NoLongerForbidden]
    );
}
