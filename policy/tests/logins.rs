//! Who may log in where, as sentences and as what holds for every policy.

mod common;

use std::time::Duration;

use common::{Town, try_load};
use elevate_policy::{LoginQuestion, LoginVerdict, Membership, Mfa, People, Policy};
use jiff::Timestamp;
use proptest::prelude::*;

const HOST: [&str; 2] = ["db-1.example.org", "db-1"];
/// A Monday, 12:00 in Berlin.
const NOON: &str = "2026-01-05T11:00:00Z";

#[derive(Clone, Debug)]
struct At {
    user: String,
    host: Vec<String>,
    service: String,
    from: Option<String>,
    time: String,
}

/// A login by sshd from 10.1.2.3 on a Monday at noon.
fn login(user: &str) -> At {
    At {
        user: user.into(),
        host: HOST.map(str::to_owned).to_vec(),
        service: "sshd".into(),
        from: Some("10.1.2.3".into()),
        time: NOON.into(),
    }
}

impl At {
    fn on(mut self, host: &[&str]) -> Self {
        self.host = host.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    fn by(mut self, service: &str) -> Self {
        self.service = service.into();
        self
    }

    fn from(mut self, address: Option<&str>) -> Self {
        self.from = address.map(str::to_owned);
        self
    }

    fn at(mut self, time: &str) -> Self {
        self.time = time.into();
        self
    }

    fn of_people(&self, policy: &Policy, people: &dyn People) -> LoginVerdict {
        let host: Vec<_> = self.host.iter().map(String::as_str).collect();
        let question = LoginQuestion {
            user: &self.user,
            host: &host,
            service: &self.service,
            from: self.from.as_ref().map(|from| from.parse().unwrap()),
            at: self.time.parse().unwrap(),
        };
        policy.login(&question, people)
    }

    fn of(&self, policy: &Policy) -> LoginVerdict {
        self.of_people(policy, &Town)
    }

    #[track_caller]
    fn admitted(&self, policy: &Policy) -> (String, Option<Mfa>, Option<Timestamp>) {
        match self.of(policy) {
            LoginVerdict::Admitted {
                role, mfa, until, ..
            } => (role.to_string(), mfa, until),
            LoginVerdict::Refused { why } => panic!("refused: {why}"),
        }
    }

    #[track_caller]
    fn refused(&self, policy: &Policy) -> String {
        match self.of(policy) {
            LoginVerdict::Refused { why } => why,
            LoginVerdict::Admitted { role, .. } => panic!("admitted by {role}"),
        }
    }
}

#[track_caller]
fn policy(text: &str) -> Policy {
    try_load(&[text]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn dba(login: &str) -> Policy {
    policy(&format!("[role.dba]\nmembers = [\"alice\"]\n{login}\n"))
}

#[test]
fn nobody_comes_in_without_a_role() {
    let why = login("eve").refused(&dba(""));
    assert_eq!(why, "no role includes eve");
    assert_eq!(login("").refused(&dba("")), "no role includes ");
    login("alice").refused(&Policy::default());
}

#[test]
fn a_role_that_does_not_speak_of_logins_lets_in_anywhere_with_a_code_each_time() {
    let admitted = login("alice").admitted(&dba(""));
    assert_eq!(admitted, ("dba".into(), Some(Mfa::Always), None));
    login("alice")
        .on(&["localhost"])
        .by("login")
        .from(None)
        .admitted(&dba(""));
}

#[test]
fn what_a_role_requires_is_owed_and_nothing_is_when_it_says_so() {
    let mfa = |text: &str| login("alice").admitted(&dba(text)).1;
    assert_eq!(mfa("login.require = {}"), None);
    assert_eq!(
        mfa("login.require = { mfa = \"always\" }"),
        Some(Mfa::Always)
    );
    let within = Mfa::Within(Duration::from_secs(900));
    assert_eq!(mfa("login.require.mfa = \"15m\""), Some(within));
    assert_eq!(mfa("login.when = {}"), Some(Mfa::Always));
    assert_eq!(mfa("login = {}"), Some(Mfa::Always));
}

#[test]
fn people_with_an_attribute_are_members_and_no_others() {
    let policy = policy("[role.dba]\nmembers = [\"attr:Department=dba\"]");
    login("erin").admitted(&policy);
    login("alice").refused(&policy);
    let why = login("dave").refused(&policy);
    assert_eq!(
        why,
        "no role lets dave in: role `dba`: a membership could not be found out"
    );
    let other = try_load(&["[role.dba]\nmembers = [\"attr:department=DBA\"]"]).unwrap();
    login("erin").refused(&other);
}

#[test]
fn hosts_are_the_names_of_this_host_and_localhost_is_none_of_them() {
    for hosts in [
        "\"db-1\"",
        "\"DB-*\"",
        "\"web\", \"db-1.example.org\"",
        "\"*.example.org\"",
    ] {
        login("alice").admitted(&dba(&format!("login.when.hosts = [{hosts}]")));
    }
    for hosts in ["\"db\"", "\"web-*\"", "\"db-1.example.com\"", "\"*.org\""] {
        let why = login("alice").refused(&dba(&format!("login.when.hosts = [{hosts}]")));
        assert!(why.contains("db-1.example.org, db-1"), "{why}");
    }
    let any = dba("login.when.hosts = [\"*\"]");
    login("alice").admitted(&any);
    login("alice")
        .on(&["localhost", "localhost.localdomain"])
        .refused(&any);
    login("alice").on(&[]).refused(&any);
}

#[test]
fn hosts_come_from_aliases_too_and_an_empty_one_fits_no_host() {
    let text = |hosts: &str| {
        format!(
            "[alias]\nhosts.all = [\"@hosts.db\", \"web\"]\nhosts.db = [{hosts}]\n\
             [role.dba]\nmembers = [\"alice\"]\nlogin.when.hosts = [\"@hosts.db\"]"
        )
    };
    login("alice").admitted(&policy(&text("\"db-*\"")));
    login("alice").refused(&policy(&text("")));
}

#[test]
fn a_service_is_named_exactly() {
    let policy = dba("login.when.services = [\"sshd\", \"su-l\"]");
    login("alice").admitted(&policy);
    login("alice").by("su-l").admitted(&policy);
    for service in ["su", "sshd2", "", "SSHD", "ssh"] {
        let why = login("alice").by(service).refused(&policy);
        assert!(why.contains("login.when.services"), "{why}");
    }
}

#[test]
fn a_source_is_an_address_within_a_network_and_nothing_else() {
    let policy = dba("login.when.from = [\"10.0.0.0/8\", \"2001:db8::/32\"]");
    for from in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"] {
        login("alice").from(Some(from)).admitted(&policy);
    }
    for from in [
        Some("11.0.0.1"),
        Some("::ffff:11.0.0.1"),
        Some("::1"),
        Some("::10.1.2.3"),
        None,
    ] {
        let why = login("alice").from(from).refused(&policy);
        assert!(why.contains("login.when.from"), "{why}");
    }
    let everywhere = dba("login.when.from = [\"0.0.0.0/0\", \"::/0\"]");
    login("alice").from(None).refused(&everywhere);
}

#[test]
fn hours_are_told_with_their_end() {
    let policy = dba("login.when.hours = \"Mon..Fri 07:00-20:00 Europe/Berlin\"");
    let until = login("alice").admitted(&policy).2;
    assert_eq!(until, Some("2026-01-05T19:00:00Z".parse().unwrap()));
    let why = login("alice").at("2026-01-05T19:00:00Z").refused(&policy);
    assert!(why.contains("login.when.hours"), "{why}");
    let always = dba("login.when.hours = [\"daily 00:00-12:00 UTC\", \"daily 12:00-24:00 UTC\"]");
    assert_eq!(login("alice").admitted(&always).2, None);
}

#[test]
fn everything_that_a_role_says_must_fit() {
    let policy = dba(
        "login.when = { hosts = [\"db-*\"], services = [\"sshd\"], from = [\"10.0.0.0/8\"], \
         hours = [\"Mon 12:00-13:00 Europe/Berlin\"] }",
    );
    login("alice").admitted(&policy);
    login("alice").on(&["web"]).refused(&policy);
    login("alice").by("login").refused(&policy);
    login("alice").from(None).refused(&policy);
    login("alice").at("2026-01-06T11:00:00Z").refused(&policy);
}

#[test]
fn of_several_roles_the_least_demanding_lets_in_and_of_those_the_longest() {
    let role = |name: &str, login: &str| {
        format!("[role.{name}]\nmembers = [\"alice\", \"%ops\"]\n{login}\n")
    };
    let hours = |to: &str| format!("login.when.hours = \"Mon 11:00-{to}:00 UTC\"");
    let mut roles = vec![
        role("free", "login.require = {}"),
        role("day", "login.require.mfa = \"24h\""),
        role(
            "hour-b",
            &format!("login.require.mfa = \"1h\"\n{}", hours("20")),
        ),
        role(
            "hour-a",
            &format!("login.require.mfa = \"1h\"\n{}", hours("15")),
        ),
        role("y-always", ""),
        role("z-always", ""),
    ];
    for expected in ["free", "day", "hour-b", "hour-a", "y-always", "z-always"] {
        assert_eq!(
            login("alice").admitted(&policy(&roles.concat())).0,
            expected
        );
        roles.remove(0);
    }
}

#[test]
fn a_role_that_spans_files_is_one_role_with_all_their_lists() {
    let files = [
        "[role.dba]\nmembers = [\"alice\"]\nlogin.when.hosts = [\"web\"]\nlogin.require = {}",
        "[role.dba]\nlogin.when = { hosts = [\"db-1\"], services = [\"login\"] }",
        "[role.dba]\nmembers = [\"erin\"]\nlogin.when.services = [\"sshd\"]",
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let policy = try_load(&order.map(|at| files[at])).unwrap();
        assert_eq!(login("erin").admitted(&policy).1, None);
        login("alice").on(&["web"]).by("login").admitted(&policy);
        login("alice").on(&["db-2"]).refused(&policy);
        login("alice").by("su").refused(&policy);
    }
}

#[test]
fn people_belong_on_a_host_where_some_role_takes_them_in_by_whatever_way() {
    let policy = policy(
        "[role.dba]\nmembers = [\"alice\", \"%ops\"]\nlogin.when = { hosts = [\"db-*\"], services = \
         [\"none\"], from = [\"192.0.2.7\"], hours = \"Sun 03:00-03:01 UTC\" }\n\
         [role.web]\nmembers = [\"bob\"]\nlogin.when.hosts = [\"web-*\"]\n\
         [role.all]\nmembers = [\"zoe\"]",
    );
    let admits = |user: &str, host: &[&str]| policy.admits(user, host, &Town);
    for (user, on_db, on_web) in [
        ("alice", Membership::Yes, Membership::No),
        ("carol", Membership::Yes, Membership::No),
        ("bob", Membership::No, Membership::Yes),
        ("zoe", Membership::Yes, Membership::Yes),
        ("dave", Membership::Unknown, Membership::No),
        ("eve", Membership::No, Membership::No),
    ] {
        assert_eq!(admits(user, &HOST), on_db, "{user}");
        assert_eq!(admits(user, &["web-3"]), on_web, "{user}");
    }
    assert_eq!(admits("alice", &["localhost"]), Membership::No);
}

#[test]
fn a_refusal_says_of_each_role_why_and_escapes_what_others_wrote() {
    let roles: String = (10..30)
        .map(|i| format!("[role.r{i}]\nmembers = [\"alice\"]\nlogin.when.services = [\"su\"]\n"))
        .collect();
    let why = login("alice").by("ss\u{1b}[2Jhd").refused(&policy(&roles));
    assert!(
        why.starts_with("no role lets alice in: role `r10`: not by `ss\\u{1b}[2Jhd`"),
        "{why}"
    );
    assert!(
        why.ends_with("; and 12 more") && why.contains("`r17`") && !why.contains("`r18`"),
        "{why}"
    );
}

/// One `login.when` of few words, so that it often fits and often does not.
fn when() -> impl Strategy<Value = String> {
    let part = |key: &'static str, choices: Vec<&'static str>| {
        prop::option::of(prop::sample::select(choices))
            .prop_map(move |choice| choice.map(|choice| format!("{key} = [{choice}]")))
    };
    let hosts = part(
        "hosts",
        vec!["\"db-*\"", "\"web\"", "\"@hosts.none\"", "\"*\", \"web\""],
    );
    let services = part(
        "services",
        vec!["\"sshd\"", "\"login\"", "\"login\", \"sshd\""],
    );
    let hours = part(
        "hours",
        vec![
            "\"Mon..Fri 07:00-20:00 Europe/Berlin\"",
            "\"Fri..Sun 22:00-06:00 UTC\"",
            "\"daily 00:00-24:00 UTC\"",
        ],
    );
    let from = part(
        "from",
        vec![
            "\"10.0.0.0/8\"",
            "\"2001:db8::/32\"",
            "\"0.0.0.0/0\", \"::/0\"",
        ],
    );
    (hosts, services, hours, from).prop_map(|(hosts, services, hours, from)| {
        let parts: Vec<_> = [hosts, services, hours, from]
            .into_iter()
            .flatten()
            .collect();
        format!("login.when = {{ {} }}\n", parts.join(", "))
    })
}

/// The body of a role, and its `login.when` apart.
fn role() -> impl Strategy<Value = (String, String)> {
    let member = prop::sample::select(vec![
        "alice",
        "bob",
        "%ops",
        "%staff",
        "attr:department=dba",
    ]);
    let members = prop::collection::vec(member, 0..3);
    let require = prop::sample::select(vec![
        "",
        "login.require = {}\n",
        "login.require = { mfa = \"15m\" }\n",
        "login.require.mfa = \"always\"\n",
    ]);
    let when = prop_oneof![1 => Just(String::new()), 3 => when()];
    (members, require, when)
        .prop_map(|(members, require, when)| (format!("members = {members:?}\n{require}"), when))
}

fn loaded(roles: &[(String, String)]) -> Policy {
    let named = roles.iter().enumerate();
    let texts = named.map(|(i, (body, when))| format!("[role.r{i}]\n{body}{when}"));
    policy(&(texts.collect::<String>() + "[alias]\nhosts.none = []"))
}

fn asked() -> impl Strategy<Value = At> {
    let users = prop::sample::select(vec!["alice", "bob", "carol", "dave", "erin", "eve"]);
    let hosts = prop::sample::select(vec![
        vec!["db-1.example.org", "db-1"],
        vec!["web"],
        vec!["localhost"],
        vec![],
    ]);
    let services = prop::sample::select(vec!["sshd", "login", "su"]);
    let from = prop::option::of(prop::sample::select(vec![
        "10.1.2.3",
        "::ffff:10.9.9.9",
        "2001:db8::1",
        "192.0.2.1",
    ]));
    let second = 1_767_225_600i64..1_798_761_600;
    (users, hosts, services, from, second).prop_map(|(user, host, service, from, second)| {
        let time = Timestamp::from_second(second).unwrap().to_string();
        login(user).on(&host).by(service).from(from).at(&time)
    })
}

fn is_in(verdict: &LoginVerdict) -> bool {
    matches!(verdict, LoginVerdict::Admitted { .. })
}

/// Nothing about anybody can be found out.
struct Fog;

impl People for Fog {
    fn member(&self, _: &str, _: &str) -> Membership {
        Membership::Unknown
    }

    fn attribute(&self, _: &str, _: &str, _: &str) -> Membership {
        Membership::Unknown
    }
}

proptest! {
    #[test]
    fn without_its_login_when_a_role_keeps_nobody_out_who_came_in(
        roles in prop::collection::vec(role(), 1..4),
        at in any::<prop::sample::Index>(),
        asked in asked(),
    ) {
        let mut freed = roles.clone();
        at.get_mut(&mut freed).1.clear();
        if let LoginVerdict::Admitted { mfa, .. } = asked.of(&loaded(&roles)) {
            let LoginVerdict::Admitted { mfa: after, .. } = asked.of(&loaded(&freed)) else {
                panic!("kept out by having no conditions");
            };
            prop_assert!(after <= mfa);
        }
    }

    #[test]
    fn one_more_role_keeps_nobody_out_and_demands_no_more(
        roles in prop::collection::vec(role(), 0..4),
        more in role(),
        asked in asked(),
    ) {
        let before = asked.of(&loaded(&roles));
        let after = asked.of(&loaded(&[roles, vec![more]].concat()));
        if let LoginVerdict::Admitted { mfa, .. } = before {
            let LoginVerdict::Admitted { mfa: after, .. } = after else { panic!("kept out") };
            prop_assert!(after <= mfa);
        }
    }

    #[test]
    fn what_is_unknown_lets_nobody_in(
        roles in prop::collection::vec(role(), 0..4),
        asked in asked(),
    ) {
        let policy = loaded(&roles);
        let (fog, none) = (asked.of_people(&policy, &Fog), asked.of_people(&policy, &Nobody));
        prop_assert_eq!(is_in(&fog), is_in(&none));
        let host: Vec<_> = asked.host.iter().map(String::as_str).collect();
        let here = |people: &dyn People| policy.admits(&asked.user, &host, people) == Membership::Yes;
        prop_assert_eq!(here(&Fog), here(&Nobody));
    }

    #[test]
    fn whoever_comes_in_belongs_on_the_host_and_stays_till_later(
        roles in prop::collection::vec(role(), 0..4),
        asked in asked(),
    ) {
        let policy = loaded(&roles);
        if let LoginVerdict::Admitted { until, mfa, role, .. } = asked.of(&policy) {
            let host: Vec<_> = asked.host.iter().map(String::as_str).collect();
            prop_assert_eq!(policy.admits(&asked.user, &host, &Town), Membership::Yes);
            prop_assert!(until.is_none_or(|until| until > asked.time.parse().unwrap()));
            let role = policy.roles().find(|one| one.name == role).unwrap();
            prop_assert_eq!(role.login.mfa, mfa);
            prop_assert_eq!(policy.has_role(&role.name, &asked.user, &Town), Membership::Yes);
        }
    }
}

/// Everybody is in nothing and has nothing.
struct Nobody;

impl People for Nobody {
    fn member(&self, _: &str, _: &str) -> Membership {
        Membership::No
    }

    fn attribute(&self, _: &str, _: &str, _: &str) -> Membership {
        Membership::No
    }
}
