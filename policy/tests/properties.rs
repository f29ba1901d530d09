//! What holds for every policy and every question.

mod common;

use std::path::Path;

use common::{Ask, PEOPLE, Town, an_hour, ask, edit, source, try_load, with_zones};
use elevate_policy::{
    Decision, Membership, Origin, Outcome, Policy, RuleName, SessionSettings, Source, Verdict, load,
};
use proptest::prelude::*;

const DENY: &str = "effect = \"deny\"";

/// What a rule of commands alone may say beside.
const BOUND: [&str; 5] = [
    "session = { contain = true, writable = [\"/srv\", \"/opt\"], network = true }",
    "session = { contain = true, writable = [\"/srv/a\"], capabilities = [\"CAP_KILL\"] }",
    "session = { contain = true, capabilities = [\"CAP_KILL\", \"CAP_CHOWN\"], execs = \"deny\" }",
    "session = { watched = true, record = \"full\", keep_env = [\"*\"] }",
    "session = { on_full = \"refuse\", keep_env = [\"TERM\", \"LANG\"] }\n\
     limit = { grace = \"10s\", idle = \"30s\", memory = \"1G\", cpu = \"50%\", max = \"10m\" }",
];

const ALLOW: [&str; 8] = [
    "require = {}",
    "require = { reason = true }",
    "require = { mfa = \"always\" }",
    "require = { mfa = \"15m\", reason = true }",
    "require = { mfa = \"1h\" }",
    "require = { approvals = 1, approvers = [\"role:lead\"] }\nlimit = { max = \"30m\" }",
    "require = {}\nlimit = { default = \"1m\", max = \"1m\" }",
    "require = {}\nsession = { record = \"none\", keep_env = [\"LANG\"] }",
];

const WHEN: [&str; 6] = [
    "hosts = [\"db*\"]",
    "services = [\"sshd\", \"login\"]",
    "from = [\"10.0.0.0/8\", \"2001:db8::/32\"]",
    "hours = [\"Mon..Fri 08:00-18:00 Europe/Berlin\", \"Sat 22:00-02:00 UTC\"]",
    "valid = \"2026-01-09 11:00 .. 2026-01-09 13:00 UTC\"",
    "terminal = true",
];

fn conditions() -> impl Strategy<Value = String> {
    prop::sample::subsequence(WHEN.to_vec(), 1..3)
        .prop_map(|all| format!("when = {{ {} }}\n", all.join(", ")))
}

/// The body of a rule up to its effect, of few words, so that rules and questions meet often.
fn head() -> impl Strategy<Value = String> {
    let roles = prop::sample::select(vec!["operator", "lead"]);
    let run_as = prop::sample::select(vec!["root", "ALL", "SELF", "postgres", "root:adm", "#105"]);
    let command = prop::sample::select(vec![
        "ALL",
        "SHELL",
        "/usr/bin/id",
        "/bin/id",
        "/usr/bin/*",
        "/usr/bin/{id,cat} ...",
        "/usr/bin/cat *",
        "/usr/**",
    ]);
    let path = prop::sample::select(vec![
        "/etc/motd",
        "/etc/{motd,issue}",
        "/etc/**",
        "/srv/*",
        "/lib/x",
    ]);
    let commands = prop::collection::vec(command, 0..3);
    let edit = prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(path, 1..3)];
    (roles, run_as, commands, edit).prop_map(|(role, run_as, mut commands, edit)| {
        let mut text = format!("roles = [\"{role}\"]\nrun_as = \"{run_as}\"\n");
        if commands.is_empty() && edit.is_empty() {
            commands.push("/usr/bin/id");
        }
        if !commands.is_empty() {
            text += &format!("commands = {commands:?}\n");
        }
        if !edit.is_empty() {
            text += &format!("edit = {edit:?}\n");
        }
        text
    })
}

/// Half of all rules hold everywhere and always.
fn when() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), conditions()]
}

fn allow_rule() -> impl Strategy<Value = String> {
    (bare_allow_rule(), when()).prop_map(|(rule, when)| rule + &when)
}

fn bare_allow_rule() -> impl Strategy<Value = String> {
    let terms = prop::sample::select(ALLOW.to_vec());
    let bound = prop::option::of(prop::sample::select(BOUND.to_vec()));
    (head(), terms, bound).prop_map(|(head, terms, bound)| match bound {
        Some(bound) if !head.contains("edit =") => format!("{head}require = {{}}\n{bound}\n"),
        _ if !head.contains("commands =") => format!("{head}require.reason = true\n"),
        _ => format!("{head}{terms}\n"),
    })
}

fn rule() -> impl Strategy<Value = String> {
    let deny = (head(), when()).prop_map(|(head, when)| format!("{head}{DENY}\n{when}"));
    prop_oneof![5 => allow_rule(), 1 => deny]
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(rule(), 0..6).prop_map(|bodies| {
        let named = bodies.iter().enumerate();
        named
            .map(|(i, body)| format!("[rule.r{i}]\n{body}"))
            .collect()
    })
}

fn question() -> impl Strategy<Value = Ask> {
    let users = prop::sample::select(vec!["alice", "bob", "carol", "dave", "eve"]);
    let targets = prop::sample::select(vec![
        ("root", 0),
        ("postgres", 105),
        ("alice", 1000),
        ("toor", 0),
    ]);
    let argv = prop::sample::select(vec![
        "/usr/bin/id",
        "/usr/bin/id -u",
        "/usr/bin/cat a",
        "/usr/bin/cat .a",
        "/usr/bin/.x/id",
        "/opt/x",
    ]);
    let group = prop::option::of(Just(("adm", 4)));
    let wanted = prop::option::of(prop::sample::select(vec![30, 60, 1800, 3600, 7200]));
    let named = prop::option::of(prop::sample::select(vec!["r0", "r1", "ghost"]));
    let real = prop::option::of(Just("/usr/bin/cat"));
    let paths = prop::sample::select(vec![
        "",
        "",
        "/etc/motd",
        "/etc/motd /etc/issue",
        "/etc/.x",
        "/srv/a",
        "/usr/lib/x /srv/a",
    ]);
    let deed = (argv, real, any::<bool>(), paths);
    (users, targets, deed, group, wanted, named, scene()).prop_map(
        |(user, target, (argv, real, shell, paths), group, wanted, named, scene)| {
            let mut asked = ask(argv).by(user).running_as(target.0, target.1);
            asked.real = real.map_or_else(|| asked.real.clone(), Into::into);
            asked.group = group.map(|(name, gid)| (name.to_owned(), gid));
            asked.wanted = wanted.map(std::time::Duration::from_secs);
            asked.rule = named.map(str::to_owned);
            (asked.host, asked.door, asked.terminal) = (vec![scene.0], scene.1, scene.2);
            asked = asked.at(scene.3);
            if paths.is_empty() {
                asked.shell = shell && asked.args.is_empty();
            } else {
                asked.edit = edit(paths).edit;
            }
            asked
        },
    )
}

type Scene = (
    &'static str,
    Option<(&'static str, Origin)>,
    bool,
    &'static str,
);

fn scene() -> impl Strategy<Value = Scene> {
    let address = |text: &str| Origin::Address(text.parse().unwrap());
    let doors = prop::sample::select(vec![
        None,
        Some(("sshd", address("10.1.2.3"))),
        Some(("sshd", address("192.0.2.1"))),
        Some(("sshd", Origin::Unknown)),
        Some(("login", Origin::Here)),
        Some(("su", address("2001:db8::1"))),
    ]);
    let times = prop::sample::select(vec![
        "2026-01-09T12:00:00Z",
        "2026-01-09T18:00:00Z",
        "2026-01-10T23:30:00Z",
    ]);
    let hosts = prop::sample::select(vec!["db1", "web1"]);
    (hosts, doors, any::<bool>(), times)
}

fn policy(rules: &[String]) -> Policy {
    let texts: Vec<_> = std::iter::once(PEOPLE)
        .chain(rules.iter().map(String::as_str))
        .collect();
    try_load(&texts).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn is_allowed(verdict: &Verdict) -> bool {
    matches!(verdict.decision, Decision::Allowed(_))
}

fn keeps_no_more(after: &SessionSettings, before: &SessionSettings) -> bool {
    let had = |name: &String| before.keep_env.contains(name) || before.keep_env == ["*"];
    after.keep_env.iter().all(had)
}

fn is_bound_no_less(after: &SessionSettings, before: &SessionSettings) -> bool {
    let capabilities = match (after.capabilities, before.capabilities) {
        (Some(after), Some(before)) => after.mask() & !before.mask() == 0,
        (after, before) => before.is_none() || after.is_some(),
    };
    let contain = match (&after.contain, &before.contain) {
        (Some(after), Some(before)) => {
            let within = |path: &String| {
                let inside = |folder| Path::new(path).starts_with(folder);
                before.writable.iter().any(inside)
            };
            after.network <= before.network && after.writable.iter().all(within)
        }
        (after, before) => before.is_none() || after.is_some(),
    };
    capabilities && contain
}

proptest! {
    #[test]
    fn a_deny_of_everything_wins_whatever_else_there_is(rules in rules(), asked in question()) {
        let deny = "[rule.deny]\nroles = [\"operator\", \"lead\"]\nrun_as = \"ALL\"\n\
                    commands = [\"ALL\"]\neffect = \"deny\"\n";
        let mut rules = rules;
        rules.push(deny.to_owned());
        prop_assert!(!is_allowed(&asked.of(&policy(&rules))));
    }

    #[test]
    fn a_rule_turned_into_a_deny_forbids_all_that_it_allowed(
        head in head(),
        rules in rules(),
        asked in question(),
    ) {
        let mut asked = asked;
        (asked.rule, asked.wanted) = (None, None);
        if is_allowed(&asked.of(&policy(&[format!("[rule.it]\n{head}require = {{}}\n")]))) {
            let mut rules = rules;
            rules.push(format!("[rule.not]\n{head}{DENY}\n"));
            prop_assert!(!is_allowed(&asked.of(&policy(&rules))));
        }
    }

    #[test]
    fn one_more_allow_rule_takes_no_permission_away_and_demands_no_more(
        rules in rules(),
        more in allow_rule(),
        asked in question(),
    ) {
        let before = asked.of(&policy(&rules));
        let mut rules = rules;
        rules.push(format!("[rule.more]\n{more}"));
        let after = asked.of(&policy(&rules));
        if let Decision::Allowed(before) = before.decision {
            let Decision::Allowed(after) = after.decision else { panic!("taken away: {after:?}") };
            prop_assert!(after.owed <= before.owed);
            prop_assert!(after.session.record >= before.session.record);
            prop_assert!(after.session.execs >= before.session.execs);
            prop_assert!(after.session.on_full >= before.session.on_full);
            prop_assert!(after.session.watched >= before.session.watched);
            prop_assert!(keeps_no_more(&after.session, &before.session));
            prop_assert!(is_bound_no_less(&after.session, &before.session));
        }
    }

    #[test]
    fn one_more_deny_rule_never_allows_anything(
        rules in rules(),
        head in head(),
        asked in question(),
    ) {
        let before = is_allowed(&asked.of(&policy(&rules)));
        let mut rules = rules;
        rules.push(format!("[rule.more]\n{head}{DENY}\n"));
        prop_assert!(before || !is_allowed(&asked.of(&policy(&rules))));
    }

    #[test]
    fn a_condition_of_an_allow_only_narrows_it(
        rules in rules(),
        rule in bare_allow_rule(),
        when in conditions(),
        asked in question(),
    ) {
        let with = |rule: String| {
            let mut rules = rules.clone();
            rules.push(format!("[rule.more]\n{rule}"));
            asked.of(&policy(&rules))
        };
        let (always, bound) = (with(rule.clone()), with(rule + &when));
        if let Decision::Allowed(bound) = bound.decision {
            let Decision::Allowed(always) = always.decision else { panic!("widened: {always:?}") };
            prop_assert!(always.owed <= bound.owed);
        }
    }

    #[test]
    fn a_condition_of_a_deny_only_narrows_it(
        rules in rules(),
        head in head(),
        when in conditions(),
        asked in question(),
    ) {
        let with = |when: &str| {
            let mut rules = rules.clone();
            rules.push(format!("[rule.more]\n{head}{DENY}\n{when}"));
            is_allowed(&asked.of(&policy(&rules)))
        };
        prop_assert!(with(&when) || !with(""));
    }

    #[test]
    fn what_is_not_known_of_a_login_never_allows_and_frees_of_no_deny(
        rules in rules(),
        asked in question(),
    ) {
        let unknown = Ask { door: None, ..asked.clone() };
        let policy = policy(&rules);
        if is_allowed(&unknown.of(&policy)) {
            let denies = |rule: &elevate_policy::Rule| rule.terms.is_none();
            let verdict = policy.explain(&asked.question(), &Town);
            for rule in policy.rules().iter().filter(|rule| denies(rule)) {
                let found = verdict.considered.iter().find(|one| one.rule == rule.name).unwrap();
                let free = matches!(found.outcome, Outcome::NotMatched { .. });
                prop_assert!(free, "{:?}", found);
            }
        }
    }

    #[test]
    fn what_is_allowed_stays_within_the_rule_that_allows_it(
        rules in rules(),
        asked in question(),
    ) {
        let policy = policy(&rules);
        if let Decision::Allowed(allowance) = asked.of(&policy).decision {
            let rule = policy.rule(&allowance.rule).unwrap();
            let terms = rule.terms.as_ref().unwrap();
            prop_assert_eq!(allowance.owed, terms.owed);
            prop_assert!(allowance.limit.granted <= allowance.limit.max);
            prop_assert!(asked.wanted.is_none_or(|wanted| wanted == allowance.limit.granted));
            let (limit, session) = (allowance.limit, &allowance.session);
            prop_assert!(rule.when.unmet(&asked.question().scene).is_none());
            prop_assert!(limit.until.is_none_or(|until| until > asked.at));
            prop_assert!(limit.grace.is_none_or(|grace| grace < limit.granted));
            let bounds = (limit.tasks, limit.memory, limit.cpu, limit.idle);
            let of_rule = terms.limit;
            prop_assert_eq!(bounds, (of_rule.tasks, of_rule.memory, of_rule.cpu, of_rule.idle));
            prop_assert!(session.record >= terms.session.record);
            prop_assert!(is_bound_no_less(session, &terms.session));
            prop_assert!(keeps_no_more(session, &terms.session));
            let spares_root = session.capabilities.is_some() && session.contain.is_none();
            prop_assert!(asked.target.1 != 0 || !spares_root);
            match asked.edit.is_empty() {
                true => prop_assert!(!rule.commands.is_empty()),
                false => prop_assert!(!rule.edit.is_empty()),
            }
            prop_assert!(asked.rule.as_ref().is_none_or(|name| name == rule.name.as_str()));
            prop_assert!(policy.rules_for(&asked.user, &Town).iter().any(|r| r.name == rule.name));
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter(
        (rules, shuffled) in rules().prop_flat_map(|rules| {
            let shuffled = Just(rules.clone()).prop_shuffle();
            (Just(rules), shuffled)
        }),
        asked in question(),
    ) {
        let load = |rules: &[String]| {
            let people = [source("people", PEOPLE)];
            // A file's name goes with its text.
            let files = rules.iter().map(|text| source(&text[..9], text));
            let all: Vec<_> = files.chain(people).collect();
            load(&all, &with_zones(), &an_hour()).unwrap()
        };
        let (one, other) = (load(&rules), load(&shuffled));
        let why = |policy: &Policy| policy.explain(&asked.question(), &Town);
        prop_assert_eq!(why(&one), why(&other));
        for rule in one.rules() {
            let name: &RuleName = &rule.name;
            prop_assert_eq!(one.content_digest(name), other.content_digest(name));
        }
    }

    #[test]
    fn the_index_changes_no_decision(rules in rules(), asked in question()) {
        let policy = policy(&rules);
        let (quick, full) = (asked.of(&policy), policy.explain(&asked.question(), &Town));
        prop_assert_eq!(quick.decision, full.decision);
        prop_assert_eq!(quick.decided_by, full.decided_by);
        let considered: Vec<_> = full
            .considered
            .into_iter()
            .filter(|one| quick.considered.iter().any(|known| known.rule == one.rule))
            .collect();
        prop_assert_eq!(quick.considered, considered);
    }

    #[test]
    fn several_files_are_edited_only_where_each_of_them_may_be(
        rules in rules(),
        asked in question(),
    ) {
        let policy = policy(&rules);
        if is_allowed(&asked.of(&policy)) {
            for path in &asked.edit {
                let one = Ask { edit: vec![path.clone()], ..asked.clone() };
                prop_assert!(is_allowed(&one.of(&policy)));
            }
        }
    }

    #[test]
    fn what_is_listed_is_what_could_be_allowed(rules in rules(), asked in question()) {
        let policy = policy(&rules);
        let listed = policy.listing(&asked.user, asked.uid, &Town);
        let verdict = policy.explain(&asked.question(), &Town);
        for one in verdict.considered {
            if one.outcome == Outcome::Matched {
                prop_assert!(listed.iter().any(|other| other.rule == one.rule));
            }
        }
    }

    #[test]
    fn nobody_without_a_role_is_allowed_anything(rules in rules(), asked in question()) {
        let policy = policy(&rules);
        for user in ["eve", "dave"] {
            let mut asked = asked.clone();
            asked.user = user.into();
            prop_assert!(!is_allowed(&asked.of(&policy)));
            for rule in policy.rules() {
                prop_assert!(policy.may_approve(&rule.name, user, &Town) != Membership::Yes);
            }
        }
    }

    #[test]
    fn loading_never_panics_on_any_text(text in "\\PC{0,80}") {
        let _ = try_load(&[&text]);
    }

    #[test]
    fn loading_never_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = try_load(&[&String::from_utf8_lossy(&bytes)]);
    }

    #[test]
    fn loading_never_panics_on_a_policy_with_a_piece_replaced(
        rules in rules(),
        at in any::<prop::sample::Index>(),
        len in 0usize..12,
        piece in "[\\[\\]{}\"'=.,@%:#*a-z0-9\\\\\n é-]{0,6}",
    ) {
        let mut chars: Vec<char> = rules.concat().chars().collect();
        let start = at.index(chars.len() + 1);
        let end = (start + len).min(chars.len());
        chars.splice(start..end, piece.chars());
        let text: String = chars.into_iter().collect();
        let sources = [source("people", PEOPLE), Source { name: "p".into(), text: text.clone() }];
        if let Err(wrong) = load(&sources, &with_zones(), &an_hour()) {
            prop_assert!(!wrong.is_empty());
            for one in &wrong {
                let lines = text.split('\n').count().max(PEOPLE.split('\n').count());
                prop_assert!(one.line >= 1 && one.line as usize <= lines && one.column >= 1);
                prop_assert!(!one.to_string().contains('\n'), "{one}");
            }
        }
    }
}
