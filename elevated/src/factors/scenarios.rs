//! Factors over a real store: at once, after a restart, with a disk that fails.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use elevate_protocol::Secret;
use elevate_protocol::account::Account;
use elevate_protocol::limits::RECOVERY_CODES;
use proptest::prelude::*;
use tempfile::TempDir;
use totp_rs::Builder;

use super::{Accepted, Factors, Kept, Pending, Places, Rejected};
use crate::clock::Moment;
use crate::host::Host;
use crate::store::{Sqlite, Writer};

const NOW: Moment = Moment {
    boot: 1_000_000,
    wall: 1_700_000_000_000,
};

fn account(name: &str, uid: u32) -> Account {
    Account {
        name: name.into(),
        uid,
        gid: uid,
        groups: vec![uid],
        home: "/".into(),
        shell: "/bin/sh".into(),
    }
}

fn alice() -> Account {
    account("alice", 1000)
}

/// As a daemon starts with what is in `folder`.
fn start(folder: &Path) -> Factors {
    let host = Host {
        name: "web1".into(),
        machine_id: "machine".into(),
        boot_id: "boot".into(),
        controllers: Vec::new(),
    };
    let mut store = Sqlite::open(&folder.join("state.db"), &host.machine_id, "boot").unwrap();
    let places = Places {
        credentials: None,
        file: folder.join("secrets.key"),
    };
    let kept = Kept::load(&mut store, &places, &host.machine_id).unwrap();
    Factors::new(kept, &host, Writer::start(store).unwrap())
}

fn later(millis: u64) -> Moment {
    Moment {
        boot: NOW.boot + millis,
        wall: NOW.wall + millis,
    }
}

/// The code of an authenticator that scanned `pending`, at that moment.
fn code(pending: &Pending, at: Moment) -> Secret {
    let secret = totp_rs::Secret::try_from_base32(pending.base32.reveal()).unwrap();
    let totp = Builder::new().with_secret(secret).build().unwrap();
    totp.generate(at.wall / 1000).to_string().into()
}

async fn enrolled(factors: &Factors) -> (Pending, Vec<Secret>) {
    let pending = factors.enrol(&alice()).unwrap();
    let first = code(&pending, NOW);
    let codes = factors.confirm(&alice(), &pending, &first, NOW).await;
    (pending, codes.unwrap())
}

#[tokio::test]
async fn of_many_verifications_of_one_code_at_once_one_is_accepted() {
    let folder = TempDir::new().unwrap();
    let factors = Arc::new(start(folder.path()));
    let (pending, recovery) = enrolled(&factors).await;
    let now = later(60_000);
    for code in [code(&pending, now), recovery[0].clone()] {
        let tries: Vec<_> = (0..8)
            .map(|_| {
                let (factors, code) = (Arc::clone(&factors), code.clone());
                tokio::spawn(async move { factors.verify(&alice(), &code, now).await })
            })
            .collect();
        let mut accepted = 0;
        for tried in tries {
            match tried.await.unwrap() {
                Ok(_) => accepted += 1,
                Err(why) => assert!(
                    matches!(
                        why,
                        Rejected::Replayed | Rejected::Wrong | Rejected::Locked(_)
                    ),
                    "{why:?}"
                ),
            }
        }
        assert_eq!(accepted, 1);
    }
}

#[tokio::test]
async fn a_used_code_stays_used_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (pending, recovery) = enrolled(&factors).await;
    let now = later(60_000);
    let totp = code(&pending, now);
    assert_eq!(
        factors.verify(&alice(), &totp, now).await,
        Ok(Accepted::Totp)
    );
    assert_eq!(
        factors.verify(&alice(), &recovery[3], now).await,
        Ok(Accepted::Recovery)
    );
    drop(factors);
    let factors = start(folder.path());
    assert_eq!(
        factors.verify(&alice(), &totp, now).await,
        Err(Rejected::Replayed)
    );
    assert_eq!(
        factors.verify(&alice(), &recovery[3], now).await,
        Err(Rejected::Wrong)
    );
    assert_eq!(
        factors.verify(&alice(), &recovery[4], now).await,
        Ok(Accepted::Recovery)
    );
    let status = factors.status(&alice(), now).unwrap().unwrap();
    assert_eq!(status.recovery_codes, RECOVERY_CODES - 2);
    assert_eq!(status.since, NOW.wall);
}

#[tokio::test]
async fn nothing_counts_before_a_code_confirmed_it_and_that_code_is_used() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let pending = factors.enrol(&alice()).unwrap();
    let first = code(&pending, NOW);
    let none = factors.verify(&alice(), &first, NOW).await;
    assert_eq!(none, Err(Rejected::NotEnrolled));
    let wrong = code(&factors.enrol(&alice()).unwrap(), NOW);
    let confirmed = factors.confirm(&alice(), &pending, &wrong, NOW).await;
    assert_eq!(confirmed.unwrap_err(), Rejected::Wrong);
    assert_eq!(factors.status(&alice(), NOW), Ok(None));
    let codes = factors.confirm(&alice(), &pending, &first, NOW).await;
    assert_eq!(codes.unwrap().len(), RECOVERY_CODES);
    let again = factors.verify(&alice(), &first, NOW).await;
    assert_eq!(again, Err(Rejected::Replayed));
    assert_eq!(
        factors.enrol(&alice()).unwrap_err(),
        Rejected::Enrolled,
        "a factor was put in the place of another"
    );
    let other = factors.confirm(&alice(), &pending, &first, NOW).await;
    assert_eq!(other.unwrap_err(), Rejected::Enrolled);
}

#[tokio::test]
async fn a_factor_belongs_to_its_name_and_its_uid() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (pending, _) = enrolled(&factors).await;
    let now = later(60_000);
    let code = code(&pending, now);
    for other in [account("alice", 1001), account("bob", 1000)] {
        assert_eq!(
            factors.verify(&other, &code, now).await,
            Err(Rejected::NotEnrolled)
        );
        assert_eq!(factors.status(&other, now), Ok(None));
        factors.enrol(&other).unwrap();
    }
    assert_eq!(
        factors.verify(&alice(), &code, now).await,
        Ok(Accepted::Totp)
    );
}

#[tokio::test]
async fn new_recovery_codes_take_the_place_of_the_old_ones() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (_, old) = enrolled(&factors).await;
    let new = factors.renew(&alice()).await.unwrap();
    assert_eq!(new.len(), RECOVERY_CODES);
    let verified = factors.verify(&alice(), &old[0], NOW).await;
    assert_eq!(verified, Err(Rejected::Wrong));
    let verified = factors.verify(&alice(), &new[0], NOW).await;
    assert_eq!(verified, Ok(Accepted::Recovery));
}

#[tokio::test]
async fn what_is_removed_is_gone_also_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (pending, codes) = enrolled(&factors).await;
    assert_eq!(factors.owner("alice"), Some(1000));
    factors.remove("alice").await.unwrap();
    assert_eq!(factors.remove("alice").await, Err(Rejected::NotEnrolled));
    drop(factors);
    let factors = start(folder.path());
    let now = later(60_000);
    for code in [&code(&pending, now), &codes[0]] {
        assert_eq!(
            factors.verify(&alice(), code, now).await,
            Err(Rejected::NotEnrolled)
        );
    }
}

#[tokio::test]
async fn wrong_codes_lock_also_over_a_restart() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (_, codes) = enrolled(&factors).await;
    let wrong = Secret::from("zzzz-zzzz-zzzz".to_owned());
    for _ in 0..5 {
        assert_eq!(
            factors.verify(&alice(), &wrong, NOW).await,
            Err(Rejected::Wrong)
        );
    }
    drop(factors);
    let factors = start(folder.path());
    assert_eq!(
        factors.verify(&alice(), &codes[0], later(1)).await,
        Err(Rejected::Locked(29_999))
    );
    let status = factors.status(&alice(), later(1)).unwrap().unwrap();
    assert_eq!(status.locked, Some(29_999));
    assert_eq!(
        factors.verify(&alice(), &codes[0], later(30_000)).await,
        Ok(Accepted::Recovery)
    );
}

#[tokio::test]
async fn what_can_be_no_code_guesses_nothing_and_never_locks() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (_, codes) = enrolled(&factors).await;
    for nothing in ["", "\n", "no code", "12345"].repeat(3) {
        let nothing = Secret::from(nothing.to_owned());
        assert_eq!(
            factors.verify(&alice(), &nothing, NOW).await,
            Err(Rejected::Wrong)
        );
    }
    assert_eq!(
        factors.verify(&alice(), &codes[0], NOW).await,
        Ok(Accepted::Recovery)
    );
}

#[tokio::test]
async fn what_can_not_be_written_is_not_accepted_and_yet_used() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (pending, _) = enrolled(&factors).await;
    let database = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    database
        .execute("ALTER TABLE factor RENAME TO elsewhere", [])
        .unwrap();
    let now = later(60_000);
    let code = code(&pending, now);
    let verified = factors.verify(&alice(), &code, now).await;
    assert!(
        matches!(verified, Err(Rejected::Unavailable(_))),
        "{verified:?}"
    );
    let other = account("bob", 1001);
    let pending = factors.enrol(&other).unwrap();
    let first = self::code(&pending, now);
    let confirmed = factors.confirm(&other, &pending, &first, now).await;
    assert!(matches!(confirmed, Err(Rejected::Unavailable(_))));
    assert_eq!(factors.status(&other, now), Ok(None));
    database
        .execute("ALTER TABLE elsewhere RENAME TO factor", [])
        .unwrap();
    assert_eq!(
        factors.verify(&alice(), &code, now).await,
        Err(Rejected::Replayed)
    );
}

#[tokio::test]
async fn without_its_key_nothing_is_verified_or_enrolled_and_a_removal_works() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (_, codes) = enrolled(&factors).await;
    assert_eq!(factors.problem(), None);
    assert!(!factors.is_lost(&alice()));
    drop(factors);
    std::fs::remove_file(folder.path().join("secrets.key")).unwrap();
    let factors = start(folder.path());
    let why = factors.problem().unwrap().to_owned();
    assert!(why.contains("secrets.key is missing"), "{why}");
    let unavailable = Rejected::Unavailable(why);
    assert_eq!(
        factors.verify(&alice(), &codes[0], NOW).await,
        Err(unavailable.clone())
    );
    let other = account("bob", 1001);
    assert_eq!(factors.enrol(&other).unwrap_err(), unavailable);
    assert!(factors.is_lost(&alice()) && !factors.is_lost(&other));
    factors.remove("alice").await.unwrap();
    drop(factors);
    assert_eq!(start(folder.path()).problem(), None);
}

#[tokio::test]
async fn no_debug_print_and_no_file_has_a_secret() {
    let folder = TempDir::new().unwrap();
    let factors = start(folder.path());
    let (pending, codes) = enrolled(&factors).await;
    let now = later(60_000);
    let verified = factors.verify(&alice(), &codes[9], now).await;
    let printed = format!("{factors:?} {pending:?} {codes:?} {verified:?}");
    let mut secrets = vec![pending.base32.reveal().to_owned()];
    for code in &codes {
        secrets.push(code.reveal().to_owned());
        secrets.push(code.reveal().replace('-', ""));
    }
    let decoded = totp_rs::Secret::try_from_base32(pending.base32.reveal()).unwrap();
    secrets.push(super::hex::encode(decoded.as_bytes()));
    let mut files = String::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        files += &String::from_utf8_lossy(&bytes);
    }
    for secret in secrets {
        assert!(!printed.contains(&secret), "a debug print shows a secret");
        assert!(!files.contains(&secret), "a secret is stored in clear");
    }
    let key = std::fs::read_to_string(folder.path().join("secrets.key")).unwrap();
    assert!(!printed.contains(key.split(' ').next().unwrap()));
}

/// One try: by how many steps its code is early or late (or which recovery code), and after how
/// many microseconds whoever asks hangs up.
#[derive(Debug, Clone)]
struct Attempt {
    code: Result<i64, usize>,
    hangs_up: Option<u64>,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let code = prop_oneof![
        4 => (-2..=2i64).prop_map(Ok),
        1 => (0..2usize).prop_map(Err),
    ];
    let hangs_up = prop_oneof![3 => Just(None), 1 => (0..3000u64).prop_map(Some)];
    (code, hangs_up).prop_map(|(code, hangs_up)| Attempt { code, hangs_up })
}

/// What happens at once, and how the clocks go on after it; the daemon is restarted or not.
fn rounds() -> impl Strategy<Value = Vec<(Vec<Attempt>, i64, bool)>> {
    let attempts = proptest::collection::vec(attempt(), 1..6);
    proptest::collection::vec((attempts, -90..90i64, any::<bool>()), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_is_tried_at_once_and_whenever_a_code_is_accepted_once(rounds in rounds()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let accepted = runtime.block_on(accepted(rounds));
        let mut once = accepted.clone();
        once.sort();
        once.dedup();
        prop_assert_eq!(once.len(), accepted.len(), "twice: {:?}", accepted);
    }
}

/// The codes that were accepted.
async fn accepted(rounds: Vec<(Vec<Attempt>, i64, bool)>) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let mut factors = Arc::new(start(folder.path()));
    let (pending, recovery) = enrolled(&factors).await;
    let (mut now, mut accepted) = (NOW, Vec::new());
    for (attempts, seconds, restart) in rounds {
        let tries: Vec<_> = attempts
            .into_iter()
            .map(|attempt| {
                let at = |steps: i64| Moment {
                    wall: now.wall.saturating_add_signed(steps * 30_000),
                    ..now
                };
                let code = match attempt.code {
                    Ok(steps) => code(&pending, at(steps)),
                    Err(which) => recovery[which].clone(),
                };
                let factors = Arc::clone(&factors);
                tokio::spawn(async move {
                    let patience = attempt
                        .hangs_up
                        .map_or(Duration::MAX, Duration::from_micros);
                    let alice = alice();
                    let verified = factors.verify(&alice, &code, now);
                    match tokio::time::timeout(patience, verified).await {
                        Ok(Ok(_)) => Some(code.reveal().to_owned()),
                        _ => None,
                    }
                })
            })
            .collect();
        for tried in tries {
            accepted.extend(tried.await.unwrap());
        }
        now.boot += 60_000;
        now.wall = now.wall.saturating_add_signed(seconds * 1000);
        if restart {
            factors = Arc::new(start(folder.path()));
        }
    }
    accepted
}
