//! People and groups under virtual time: who counts, since when and until when.

use std::sync::Arc;
use std::time::Duration;

use elevate_policy::{Defaults, HostFacts, Membership, People as _, Policy, Source};
use elevate_protocol::directory::Change;
use proptest::prelude::*;

use super::directory::samples::{gone, group, of_group, of_person, person};
use super::directory::{Directory, Update};
use super::news::{Departure, News, Told, absence};
use super::state::{Place, State};
use super::{Absence, Accounts, LocalAccounts, UnknownAccount};
use crate::clock::Moment;

const HOUR: u64 = 3_600_000;
const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nadmin:x:1000:1000::/home/admin:/bin/bash\n";
const GROUP: &str = "root:x:0:\nsudo:x:27:admin\ndocker:x:999:alice\nadmin:x:1000:\n";
const POLICY: &str = r#"
[role.dba]
members = ["%dba"]
login.when = { hosts = ["db*"] }
[role.web]
members = ["attr:department=web", "frank"]
[role.elsewhere]
members = ["%far"]
login.when = { hosts = ["far*"] }
"#;

struct House {
    state: State,
    told: Told,
    local: Arc<LocalAccounts>,
    policy: Arc<Policy>,
    now: Moment,
}

fn policy(text: &str) -> Arc<Policy> {
    let source = Source {
        name: "test.toml".into(),
        text: text.into(),
    };
    let defaults = Defaults {
        limit_default: Duration::from_secs(60),
        limit_max: Duration::from_secs(60),
    };
    Arc::new(elevate_policy::load(&[source], &HostFacts::default(), &defaults).unwrap())
}

fn house() -> House {
    let mut house = empty_house();
    house.hears(vec![
        of_person(person("alice", 5001)),
        of_person(with_department("carol", 5003, "web")),
        of_person(with_department("eve", 5005, "external")),
        of_person(person("frank", 5006)),
        of_group(group("dba", 6001, &["alice", "admin", "nobody"])),
        of_group(group("far", 6002, &["eve"])),
        of_group(group("staff", 6000, &[])),
    ]);
    house
}

fn empty_house() -> House {
    let place = Place {
        names: vec!["db1.example.org".into(), "db1".into()],
        boot_id: "boot".into(),
        cache_max_age: Duration::from_secs(24 * 3600),
    };
    let now = Moment {
        boot: HOUR,
        wall: 1000 * HOUR,
    };
    let mut state = State::new(Directory::default(), Default::default(), place);
    state.directory.begin("ldap://localhost");
    state.freshness.reached(now, "boot");
    House {
        state,
        told: Told::new(Default::default(), []),
        local: Arc::new(LocalAccounts::parse(PASSWD, GROUP)),
        policy: policy(POLICY),
        now,
    }
}

fn with_department(name: &str, uid: i64, department: &str) -> elevate_protocol::directory::Person {
    let mut person = person(name, uid);
    person.attributes = [("department".into(), vec![department.into()])].into();
    person
}

impl House {
    fn hears(&mut self, changes: Vec<Change>) {
        let update = Update {
            changes,
            ..Update::default()
        };
        self.state.directory.apply(update).unwrap();
        self.state.directory.written(true);
    }

    fn accounts(&mut self) -> Accounts {
        self.state.accounts(&self.local, &self.policy, self.now).0
    }

    fn news(&mut self) -> News {
        let accounts = self.accounts();
        let wall = self.state.freshness.wall(self.now, "boot");
        let refused = self.state.refused().to_vec();
        self.told
            .news(&accounts, &self.state.directory, &refused, wall)
    }

    fn people(&mut self) -> Vec<String> {
        let accounts = self.accounts();
        let names = accounts.everybody().filter(|(_, uid)| *uid > 5000);
        let mut names: Vec<String> = names.map(|(name, _)| name.to_owned()).collect();
        names.sort_unstable();
        names
    }

    fn leavers(&mut self) -> Vec<(String, u32, String)> {
        let leavers = self.news().leavers.into_iter();
        leavers
            .map(|Departure { name, uid, why }| (name, uid, why))
            .collect()
    }

    fn pass(&mut self, hours: u64) {
        self.now.boot += hours * HOUR;
        self.now.wall += hours * HOUR;
    }
}

#[test]
fn only_those_whom_a_role_admits_to_this_host_count() {
    assert_eq!(house().people(), ["alice", "carol", "frank"]);
}

#[test]
fn a_person_has_their_groups_and_those_that_the_hosts_own_file_lists() {
    let accounts = house().accounts();
    let alice = accounts.by_name("alice").unwrap();
    assert_eq!(
        (alice.uid, alice.gid, alice.groups),
        (5001, 6000, vec![6000, 6001, 999])
    );
    assert_eq!(accounts.by_uid(5001).unwrap().name, "alice");
    assert_eq!(accounts.by_name_or_id("#5001").unwrap().home, "/home/alice");
    assert_eq!(accounts.group("dba"), Ok(("dba".into(), 6001)));
    assert_eq!(accounts.group("#6000"), Ok(("staff".into(), 6000)));
    assert_eq!(accounts.group("#0"), Ok(("root".into(), 0)));
}

#[test]
fn edges_of_numbers_are_nobodys() {
    let accounts = house().accounts();
    let edges = [
        "#-1",
        "#4294967295",
        "#2147483648",
        "#4294967296",
        "#",
        "#0x0",
        "#+0",
        "# 0",
    ];
    for text in edges {
        assert_eq!(
            accounts.by_name_or_id(text),
            Err(UnknownAccount::Nobody),
            "{text}"
        );
        assert_eq!(accounts.group(text), Err(UnknownAccount::Nobody), "{text}");
    }
    assert_eq!(accounts.by_name_or_id("#0").unwrap().name, "root");
}

#[test]
fn membership_is_yes_no_or_unknown() {
    let accounts = house().accounts();
    assert_eq!(accounts.member("alice", "dba"), Membership::Yes);
    assert_eq!(accounts.member("alice", "staff"), Membership::Yes);
    assert_eq!(accounts.member("alice", "docker"), Membership::Yes);
    assert_eq!(accounts.member("alice", "sudo"), Membership::No);
    assert_eq!(accounts.member("alice", "far"), Membership::No);
    assert_eq!(accounts.member("alice", "unheard-of"), Membership::Unknown);
    assert_eq!(accounts.member("eve", "far"), Membership::Unknown);
    assert_eq!(
        accounts.attribute("carol", "department", "web"),
        Membership::Yes
    );
    assert_eq!(
        accounts.attribute("carol", "department", "dba"),
        Membership::No
    );
    assert_eq!(
        accounts.attribute("admin", "department", "web"),
        Membership::No
    );
    assert_eq!(
        accounts.attribute("mallory", "department", "web"),
        Membership::Unknown
    );
}

/// A directory's group names a person of the directory, who here is somebody else.
#[test]
fn a_local_account_is_in_no_group_of_the_directory() {
    let accounts = house().accounts();
    assert_eq!(accounts.member("admin", "dba"), Membership::No);
    assert_eq!(accounts.by_name("admin").unwrap().groups, [1000, 27]);
}

#[test]
fn somebody_without_a_groups_number_has_a_group_of_their_own() {
    let mut house = house();
    let mut own = with_department("zoe", 5050, "web");
    own.gid = 5050;
    house.hears(vec![of_person(own)]);
    let accounts = house.accounts();
    assert_eq!(accounts.group("zoe"), Ok(("zoe".into(), 5050)));
    assert_eq!(accounts.member("zoe", "zoe"), Membership::Yes);
    assert_eq!(accounts.member("alice", "zoe"), Membership::No);
}

#[test]
fn leavers_are_told_once_with_their_reason() {
    let mut house = house();
    let joined = house.news().joiners;
    let names: Vec<&str> = joined.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["alice", "carol", "frank"]);
    assert_eq!(house.news(), News::default());
    let mut disabled = person("alice", 5001);
    disabled.active = false;
    house.hears(vec![of_person(disabled), gone("id-frank-5006")]);
    assert_eq!(
        house.leavers(),
        [
            (
                "alice".into(),
                5001,
                "the directory has disabled them".into()
            ),
            (
                "frank".into(),
                5006,
                "the directory has no record of them".into()
            ),
        ]
    );
    assert_eq!(house.news(), News::default());
    assert_eq!(house.people(), ["carol"]);
}

#[test]
fn who_loses_their_last_role_leaves() {
    let mut house = house();
    house.news();
    house.hears(vec![
        of_group(group("dba", 6001, &[])),
        of_person(with_department("carol", 5003, "sales")),
    ]);
    let why = "no role admits them to this host";
    assert_eq!(
        house.leavers(),
        [
            ("alice".into(), 5001, why.into()),
            ("carol".into(), 5003, why.into())
        ]
    );
    house.policy = policy("[role.web]\nmembers = [\"alice\"]\n");
    let news = house.news();
    assert_eq!(news.joiners, [("alice".into(), 5001)]);
    assert_eq!(news.leavers.len(), 1);
}

#[test]
fn a_record_that_becomes_another_ones_twin_ends_both() {
    let mut house = house();
    house.news();
    house.hears(vec![of_person(person("mallory", 5001))]);
    let news = house.news();
    assert_eq!(news.leavers.len(), 1);
    let why = &news.leavers[0].why;
    assert!(why.contains("its uid 5001 is also that of"), "{why}");
    let refused: Vec<&str> = news
        .refused
        .iter()
        .map(|refused| refused.name.as_str())
        .collect();
    assert_eq!(refused, ["alice", "mallory"]);
    assert_eq!(house.news().refused, []);
}

#[test]
fn a_new_local_account_wins_and_its_processes_are_left_alone() {
    let mut house = house();
    house.news();
    // Frank is adopted with his uid; somebody else takes Carol's name.
    let passwd = format!("{PASSWD}frank:x:5006:100::/home/frank:\ncarol:x:1001:1001::/home/c:\n");
    house.local = Arc::new(LocalAccounts::parse(&passwd, GROUP));
    let leavers = house.leavers();
    assert_eq!(leavers.len(), 1);
    assert_eq!((leavers[0].0.as_str(), leavers[0].1), ("carol", 5003));
    assert_eq!(house.accounts().by_name("carol").unwrap().uid, 1001);
    house.local = Arc::new(LocalAccounts::parse(PASSWD, GROUP));
    assert_eq!(house.news().joiners.len(), 2);
}

#[test]
fn who_gets_another_uid_leaves_with_the_old_one_and_joins_with_the_new() {
    let mut house = house();
    house.news();
    let mut moved = person("alice", 5011);
    moved.id = "id-alice-5001".into();
    house.hears(vec![of_person(moved)]);
    let news = house.news();
    assert_eq!(news.joiners, [("alice".into(), 5011)]);
    assert_eq!(news.leavers[0].uid, 5001);
    assert_eq!(news.leavers[0].why, "they have uid 5011 now");
}

#[test]
fn a_mover_stays() {
    let mut house = house();
    house.news();
    let mut moved = person("alice", 5001);
    moved.shell = Some("/bin/zsh".into());
    house.hears(vec![of_person(moved)]);
    assert_eq!(house.news().movers, [("alice".into(), 5001)]);
    house.hears(vec![of_group(group("dba", 6001, &["alice", "carol"]))]);
    assert_eq!(house.news().movers, [("carol".into(), 5003)]);
}

#[test]
fn who_expires_leaves_at_that_moment() {
    let mut house = house();
    let mut leaving = person("frank", 5006);
    leaving.expires = Some(1002 * 3600);
    house.hears(vec![of_person(leaving)]);
    house.news();
    assert_eq!(
        house.state.next_due(house.now),
        Some(house.now.boot + 2 * HOUR)
    );
    house.pass(2);
    assert_eq!(
        house.leavers()[0].2,
        "their account in the directory has expired"
    );
}

#[test]
fn setting_the_clock_back_lets_nobody_in_again() {
    let mut house = house();
    let mut leaving = person("frank", 5006);
    leaving.expires = Some(1002 * 3600);
    house.hears(vec![of_person(leaving)]);
    house.pass(3);
    house.now.wall = 0;
    assert_eq!(house.people(), ["alice", "carol"]);
}

#[test]
fn records_that_are_too_old_let_nobody_in_and_make_no_leavers() {
    let mut house = house();
    house.news();
    house.pass(24);
    assert!(house.accounts().by_name("alice").is_ok());
    let due = house.state.next_due(house.now).unwrap();
    assert_eq!(due, house.now.boot + 1);
    house.now.boot = due;
    let accounts = house.accounts();
    assert_eq!(accounts.by_name("alice"), Err(UnknownAccount::Outdated));
    assert_eq!(accounts.by_uid(5001), Err(UnknownAccount::Outdated));
    assert_eq!(accounts.member("alice", "dba"), Membership::Unknown);
    assert_eq!(
        accounts.attribute("carol", "department", "web"),
        Membership::Unknown
    );
    assert_eq!(accounts.name_of(5001).as_deref(), Some("alice"));
    assert_eq!(accounts.group("dba"), Err(UnknownAccount::Outdated));
    assert!(accounts.by_name("admin").is_ok());
    assert_eq!(house.people(), [""; 0]);
    assert_eq!(house.news(), News::default());
    // Whoever is reached again counts again.
    house.state.freshness.reached(house.now, "boot");
    assert_eq!(house.people(), ["alice", "carol", "frank"]);
    assert_eq!(house.news(), News::default());
}

#[test]
fn records_of_a_directory_that_was_never_reached_count_for_nobody() {
    let mut house = house();
    house.state.freshness = Default::default();
    assert_eq!(
        house.accounts().by_name("alice"),
        Err(UnknownAccount::Outdated)
    );
}

#[test]
fn after_a_restart_those_who_left_meanwhile_are_leavers() {
    let mut house = house();
    let published = [("alice".to_owned(), 5001), ("olga".to_owned(), 5033)];
    house.told = Told::new(published.into(), []);
    let news = house.news();
    let joined: Vec<&str> = news.joiners.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(joined, ["carol", "frank"]);
    assert_eq!(news.leavers.len(), 1);
    assert_eq!(
        (news.leavers[0].name.as_str(), news.leavers[0].uid),
        ("olga", 5033)
    );
}

#[test]
fn what_was_refused_is_told_once_also_over_restarts() {
    let mut house = house();
    house.hears(vec![of_person(person("toor", 0))]);
    assert_eq!(house.news().refused.len(), 1);
    house.told = Told::new(Default::default(), house.told.refused());
    assert_eq!(house.news().refused, []);
    house.hears(vec![of_person(person("toor", 1))]);
    assert_eq!(house.news().refused.len(), 1);
}

#[test]
fn why_somebody_is_absent_is_known() {
    let mut house = house();
    let mut disabled = person("alice", 5001);
    disabled.active = false;
    house.hears(vec![of_person(disabled), of_person(person("toor", 0))]);
    house.accounts();
    let why = |name: &str| {
        let state = &house.state;
        absence(
            name,
            None,
            &state.directory,
            state.refused(),
            house.now.wall,
        )
    };
    assert_eq!(why("alice"), Absence::Disabled);
    assert_eq!(why("eve"), Absence::NotAdmitted);
    assert_eq!(why("mallory"), Absence::Gone);
    assert!(matches!(why("toor"), Absence::Refused(_)));
}

#[test]
fn nothing_is_found_out_anew_where_nothing_changed() {
    let mut house = house();
    let anew = |house: &mut House| {
        house
            .state
            .accounts(&house.local, &house.policy, house.now)
            .1
    };
    assert!(anew(&mut house));
    assert!(!anew(&mut house));
    house.hears(vec![of_person(person("frank", 5006))]);
    assert!(!anew(&mut house));
    house.hears(vec![of_person(person("greta", 5007))]);
    assert!(anew(&mut house));
}

#[test]
fn batches_of_a_long_synchronisation_wait_for_each_other_and_its_end_for_nothing() {
    let mut house = house();
    house.accounts();
    house.state.rebuilt(house.now, Duration::from_millis(100));
    let mut frank = person("frank", 5006);
    frank.active = false;
    house.hears(vec![of_person(frank)]);
    assert_eq!(house.people(), ["alice", "carol", "frank"]);
    assert_eq!(house.state.next_due(house.now), Some(house.now.boot + 400));
    house.now.boot += 400;
    assert_eq!(house.people(), ["alice", "carol"]);
    house.state.rebuilt(house.now, Duration::from_secs(60));
    house.hears(vec![gone("id-carol-5003")]);
    assert_eq!(house.people(), ["alice", "carol"]);
    house.state.hurry();
    assert_eq!(house.people(), ["alice"]);
}

/// One step of a directory's life: a record comes or changes, or goes.
fn step() -> impl Strategy<Value = (usize, Option<Change>)> {
    let record = (0..6usize, 0..3i64, any::<bool>(), 0..4usize, any::<bool>());
    record.prop_map(|(index, number, active, department, gone)| {
        let change = match index {
            0..4 => {
                let department = ["web", "dba", "sales", ""][department];
                let name = ["alice", "bob", "carol", "admin"][index];
                let mut record = with_department(name, 5001 + number, department);
                record.id = format!("id{index}");
                record.active = active;
                of_person(record)
            }
            _ => {
                let members: &[&str] =
                    [&["alice"][..], &["bob", "carol"], &[], &["alice", "bob"]][department];
                let name = ["dba", "ops"][usize::from(active)];
                let mut record = group(name, 6001 + number % 2, members);
                record.id = format!("id{index}");
                of_group(record)
            }
        };
        (index, Some(change).filter(|_| !gone))
    })
}

proptest! {
    /// What is kept from one look to the next (verdicts, twins, groups) never shows.
    #[test]
    fn who_counts_depends_on_the_records_alone(steps in proptest::collection::vec(step(), 1..30)) {
        let mut followed = empty_house();
        let mut last = std::collections::BTreeMap::new();
        for (index, change) in steps {
            let told = change.clone().unwrap_or_else(|| gone(&format!("id{index}")));
            followed.hears(vec![told]);
            followed.people();
            last.insert(index, change);
        }
        let mut fresh = empty_house();
        fresh.hears(last.into_values().flatten().collect());
        prop_assert_eq!(followed.people(), fresh.people());
        let accounts = (followed.accounts(), fresh.accounts());
        for name in followed.people() {
            prop_assert_eq!(accounts.0.by_name(&name), accounts.1.by_name(&name));
        }
        prop_assert_eq!(followed.state.refused(), fresh.state.refused());
    }
}
