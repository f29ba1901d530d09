//! People and groups over restarts, with a real store.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use elevate_policy::{Defaults, HostFacts, Policy, Source};
use elevate_protocol::directory::{Change, Person};
use tempfile::TempDir;

use super::Passage;
use crate::identity::directory::Update;
use crate::identity::directory::samples::{gone, group, of_group, of_person, person};
use crate::identity::{
    Accounts, Departure, Identities, Kept, LocalFiles, News, Place, Publisher, Rejected,
    UnknownAccount,
};
use crate::store::{Sqlite, Writer};

const SOURCE: &str = "ldap://localhost";

struct Host {
    folder: TempDir,
    policy: Arc<Policy>,
}

fn host() -> Host {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    fs::write(folder.path().join("group"), "root:x:0:\n").unwrap();
    let source = Source {
        name: "test.toml".into(),
        text: "[role.dba]\nmembers = [\"%dba\"]\n".into(),
    };
    let defaults = Defaults {
        limit_default: Duration::from_secs(60),
        limit_max: Duration::from_secs(60),
    };
    let policy = elevate_policy::load(&[source], &HostFacts::default(), &defaults).unwrap();
    Host {
        folder,
        policy: policy.into(),
    }
}

impl Host {
    /// As a daemon that starts finds them.
    fn start(&self, boot_id: &str) -> Identities {
        self.start_with(boot_id, Duration::from_secs(3600))
    }

    fn start_with(&self, boot_id: &str, cache_max_age: Duration) -> Identities {
        let path = self.folder.path();
        let mut store = Sqlite::open(&path.join("state.db"), "machine", boot_id).unwrap();
        let kept = Kept::load(&mut store, Default::default()).unwrap();
        let place = Place {
            names: vec!["db1".into()],
            boot_id: boot_id.into(),
            cache_max_age,
        };
        let nowhere = Publisher::new(Path::new("/nonexistent/userdb"));
        let writer = Writer::start(store).unwrap();
        Identities::new(LocalFiles::new(path), kept, place, nowhere, writer)
    }

    fn accounts(&self, identities: &Identities) -> Arc<Accounts> {
        identities.accounts(&self.policy).unwrap()
    }

    async fn news(&self, identities: &Identities) -> News {
        identities.news(&self.accounts(identities)).await
    }
}

fn update(changes: Vec<Change>) -> Update {
    Update {
        changes,
        ..Update::default()
    }
}

fn content() -> Update {
    let changes = vec![
        of_person(person("alice", 5001)),
        of_group(group("dba", 6001, &["alice"])),
    ];
    Update {
        complete: true,
        cursor: Some("cookie".into()),
        ..update(changes)
    }
}

fn disabled() -> Update {
    let alice = Person {
        active: false,
        ..person("alice", 5001)
    };
    update(vec![of_person(alice)])
}

async fn fed(host: &Host) -> (Identities, u64) {
    let identities = host.start("boot");
    let (feeder, cursor) = identities.begin(SOURCE);
    assert_eq!(cursor, None);
    assert_eq!(identities.contact(feeder, true, None), Ok(true));
    identities.apply(feeder, content()).await.unwrap();
    assert_eq!(host.news(&identities).await.joiners.len(), 1);
    (identities, feeder)
}

#[tokio::test]
async fn a_leaver_whose_end_was_not_reached_is_one_after_the_restart_too() {
    let host = host();
    let (identities, feeder) = fed(&host).await;
    identities.apply(feeder, disabled()).await.unwrap();
    let alice = Departure {
        name: "alice".into(),
        uid: 5001,
        why: "the directory has disabled them".into(),
    };
    assert_eq!(
        host.news(&identities).await.leavers,
        std::slice::from_ref(&alice)
    );
    drop(identities);
    let identities = host.start("boot");
    let accounts = host.accounts(&identities);
    assert_eq!(
        identities.still_leaving(&accounts),
        std::slice::from_ref(&alice)
    );
    let begun = identities.begin_to_end(vec![alice.clone()]);
    assert_eq!(begun, std::slice::from_ref(&alice));
    assert_eq!(identities.begin_to_end(begun.clone()), []);
    identities.left(&begun).await;
    assert_eq!(host.start("boot").still_leaving(&accounts), []);
}

#[tokio::test]
async fn who_is_back_is_no_leaver_any_more() {
    let host = host();
    let (identities, feeder) = fed(&host).await;
    identities.apply(feeder, disabled()).await.unwrap();
    host.news(&identities).await;
    identities.apply(feeder, content()).await.unwrap();
    let accounts = host.accounts(&identities);
    assert_eq!(identities.still_leaving(&accounts), []);
}

#[tokio::test]
async fn who_leaves_again_at_once_is_ended_again() {
    let host = host();
    let (identities, feeder) = fed(&host).await;
    for _ in 0..2 {
        identities.apply(feeder, disabled()).await.unwrap();
        host.news(&identities).await;
        let leaving = identities.still_leaving(&host.accounts(&identities));
        assert_eq!(identities.begin_to_end(leaving).len(), 1);
        identities.apply(feeder, content()).await.unwrap();
        host.news(&identities).await;
        assert_eq!(
            identities.still_leaving(&host.accounts(&identities)),
            [],
            "who is back leaves no more"
        );
    }
}

#[tokio::test]
async fn who_gets_a_leavers_uid_at_once_gets_nothing_of_theirs() {
    let host = host();
    let (identities, feeder) = fed(&host).await;
    let successor = Person {
        id: "another-record".into(),
        ..person("mallory", 5001)
    };
    let changes = vec![
        gone("id-alice-5001"),
        of_person(successor),
        of_group(group("dba", 6001, &["alice", "mallory"])),
    ];
    identities.apply(feeder, update(changes)).await.unwrap();
    let news = host.news(&identities).await;
    assert_eq!(news.joiners, [("mallory".to_owned(), 5001)]);
    let leaving = identities.still_leaving(&host.accounts(&identities));
    assert_eq!(leaving, news.leavers);
    assert_eq!(leaving[0].name, "alice");
}

#[tokio::test]
async fn a_directory_that_is_not_believed_makes_nothing_younger() {
    let host = host();
    let identities = host.start_with("boot", Duration::from_millis(1));
    let (feeder, _) = identities.begin(SOURCE);
    let names: Vec<String> = (0..12).map(|number| format!("p{number}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let people = (5001..).zip(&names);
    let mut changes: Vec<Change> = people
        .map(|(uid, name)| of_person(person(name, uid)))
        .collect();
    changes.push(of_group(group("dba", 6001, &members)));
    identities.apply(feeder, update(changes)).await.unwrap();
    identities.contact(feeder, true, None).unwrap();
    let (feeder, _) = identities.begin(SOURCE);
    let rest = Update {
        complete: true,
        ..update(vec![
            of_person(person("p1", 5002)),
            of_group(group("dba", 6001, &members)),
        ])
    };
    identities.apply(feeder, rest).await.unwrap();
    assert!(identities.status().problem.contains("11 of 12 people"));
    tokio::time::sleep(Duration::from_millis(20)).await;
    identities.contact(feeder, true, None).unwrap();
    let found = host.accounts(&identities).by_name("p1");
    assert_eq!(found.unwrap_err(), UnknownAccount::Outdated);
}

#[tokio::test]
async fn records_cursor_and_age_outlive_the_daemon() {
    let host = host();
    let (identities, _) = fed(&host).await;
    drop(identities);
    let identities = host.start("boot");
    let accounts = host.accounts(&identities);
    assert_eq!(accounts.by_name("alice").unwrap().groups, [6000, 6001]);
    assert_eq!(identities.status().state, "disconnected");
    assert_eq!(identities.begin(SOURCE).1.as_deref(), Some("cookie"));
}

/// Attack 26: a boot in between makes nothing younger. This machine has been up for longer than a
/// moment, and so long the records of another boot are old at the least.
#[tokio::test]
async fn past_the_age_of_the_cache_nobody_counts_over_restarts_and_reboots() {
    let host = host();
    let (identities, _) = fed(&host).await;
    drop(identities);
    let moment = Duration::from_millis(1);
    for boot in ["boot", "next boot"] {
        let identities = host.start_with(boot, moment);
        tokio::time::sleep(2 * moment).await;
        let accounts = host.accounts(&identities);
        assert_eq!(accounts.by_name("alice"), Err(UnknownAccount::Outdated));
        assert_eq!(identities.passage(), [Passage::Outdated]);
        assert_eq!(identities.passage(), []);
        assert_eq!(identities.status().state, "expired");
        assert_eq!(host.news(&identities).await.leavers, []);
    }
}

#[tokio::test]
async fn a_store_that_takes_nothing_keeps_no_leaver_in() {
    let host = host();
    let (identities, feeder) = fed(&host).await;
    let path = host.folder.path().join("state.db");
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("DROP TABLE identity").unwrap();
    let rejected = identities.apply(feeder, disabled()).await;
    assert!(matches!(rejected, Err(Rejected::Unwritten(_))));
    let accounts = host.accounts(&identities);
    assert_eq!(accounts.by_name("alice"), Err(UnknownAccount::Nobody));
    assert!(identities.status().problem.contains("the store failed"));
    // The cursor stays where it is on disk, so that the change comes again.
    let (feeder, cursor) = identities.begin(SOURCE);
    assert_eq!(cursor.as_deref(), Some("cookie"));
    let table = "CREATE TABLE identity (id TEXT PRIMARY KEY NOT NULL, record TEXT NOT NULL)";
    other.execute_batch(table).unwrap();
    identities.apply(feeder, update(Vec::new())).await.unwrap();
    let kept: i64 = other
        .query_row("SELECT count(*) FROM identity", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
    assert_eq!(identities.status().problem, "");
}

#[tokio::test]
async fn a_changed_local_file_is_seen_at_the_next_look() {
    let host = host();
    let (identities, _) = fed(&host).await;
    let passwd = "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/a:/bin/sh\n";
    fs::write(host.folder.path().join("passwd"), passwd).unwrap();
    let news = host.news(&identities).await;
    assert_eq!((news.leavers.len(), news.refused.len()), (1, 1));
    assert_eq!(
        host.accounts(&identities).by_name("alice").unwrap().uid,
        1000
    );
}

#[tokio::test]
async fn a_first_synchronisation_is_no_news_of_records_that_grew_too_old() {
    let host = host();
    let identities = host.start("boot");
    let (feeder, _) = identities.begin(SOURCE);
    identities.apply(feeder, content()).await.unwrap();
    assert_eq!(identities.passage(), []);
    // Nobody counts all the same, as nobody said yet that the directory is reached.
    let found = host.accounts(&identities).by_name("alice").map(|_| ());
    assert_eq!(found, Err(UnknownAccount::Outdated));
    identities.hung_up(feeder);
    assert_eq!(identities.passage(), [Passage::Outdated]);
}
