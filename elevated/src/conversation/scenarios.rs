//! Conversations about codes, with a real client's end of the stream.

use std::sync::Arc;
use std::time::Duration;

use elevate_policy::{Defaults, HostFacts, Mfa};
use elevate_protocol::account::Account;
use elevate_protocol::limits::{CODE_TRIES, MESSAGE_BYTES};
use elevate_protocol::message::{self, Frame};
use elevate_protocol::stream::{ToClient, ToServer};
use elevate_protocol::{ErrorName, Secret, seqpacket};
use rustix::process::{PidfdFlags, getpid, pidfd_open};
use tempfile::TempDir;

use super::elevate::still_counts;
use super::factor::{Asked, owe};
use super::mfa::{self, MfaOrder};
use super::proof::Proved;
use super::stream::{Refusal, Stop, Stream};
use crate::audit::journal::Journal;
use crate::clock::Moment;
use crate::daemon::{Daemon, Parts};
use crate::elevation::samples::request;
use crate::elevation::{Elevations, Event, Given};
use crate::factors::{Factors, Kept, Place, Places, Terminal};
use crate::host::Host;
use crate::identity::Identities;
use crate::last_good::LastGood;
use crate::launch::Packets;
use crate::policies::Policies;
use crate::process::{Login, ProcessId};
use crate::settings::Settings;
use crate::store::{Sqlite, Writer};

/// A system account that every Debian has.
const WHOSE: &str = "daemon";

struct House {
    daemon: Arc<Daemon>,
    _folder: TempDir,
}

fn house() -> House {
    let folder = TempDir::new().unwrap();
    let host = Host {
        name: "web1".into(),
        machine_id: "machine".into(),
        boot_id: "boot".into(),
        controllers: Vec::new(),
    };
    let path = |name: &str| folder.path().join(name);
    let mut store = Sqlite::open(&path("state.db"), "machine", "boot").unwrap();
    let places = Places {
        credentials: None,
        file: path("secrets.key"),
    };
    let kept = Kept::load(&mut store, &places, "machine").unwrap();
    let writer = Writer::start(store).unwrap();
    let factors = Factors::new(kept, &host, writer.clone());
    let identities = Identities::local_only(writer.clone());
    let settings = Settings::default();
    let defaults = Defaults {
        limit_default: settings.limit_default,
        limit_max: settings.limit_max,
    };
    let last_good = LastGood::new(&path("last-good"), "machine");
    let facts = HostFacts::default();
    let policies = Policies::new(&path("vendor"), &path("local"), facts, defaults, last_good);
    let daemon = Daemon::new(Parts {
        host,
        settings: (settings, None),
        journal: Journal::start().unwrap(),
        store: writer,
        factors,
        identities,
        policies,
        elevations: Elevations::default(),
    });
    House {
        daemon,
        _folder: folder,
    }
}

/// A client's end.
struct Client(Packets);

impl Client {
    async fn says(&self, what: ToServer) {
        self.0.send(&message::encode(&what), &[]).await.unwrap();
    }

    async fn hears(&self) -> ToClient {
        let packet = self.0.receive(MESSAGE_BYTES).await.unwrap().unwrap();
        match message::decode(&packet.body).unwrap() {
            Frame::Message(message) => message,
            Frame::Data(..) => panic!("data before a session"),
        }
    }

    async fn proves(&self) {
        self.says(ToServer::Hello).await;
        let ToClient::Challenge { nonce } = self.hears().await else {
            panic!("no challenge");
        };
        self.says(ToServer::Proof { nonce }).await;
    }

    async fn types(&self, text: &str) {
        let asked = self.hears().await;
        let prompt = "Verification code: ".to_owned();
        assert_eq!(asked, ToClient::AskCode { prompt });
        let text = text.to_owned().into();
        self.says(ToServer::Code { text }).await;
    }

    async fn is_told(&self, expected: &str) {
        match self.hears().await {
            ToClient::Notice { text } => assert_eq!(text, expected),
            other => panic!("{other:?}"),
        }
    }

    async fn is_refused(&self) -> (ErrorName, String) {
        match self.hears().await {
            ToClient::Refused { error, message, .. } => (error, message),
            other => panic!("{other:?}"),
        }
    }

    /// Enrols, and is shown these recovery codes.
    async fn enrols(&self) -> Vec<Secret> {
        let ToClient::Enrolment { secret, uri } = self.hears().await else {
            panic!("no secret");
        };
        assert!(uri.reveal().contains(secret.reveal()));
        self.types("000 000").await;
        self.is_told("the code is wrong").await;
        self.types(&totp(&secret)).await;
        match self.hears().await {
            ToClient::RecoveryCodes { codes } => codes,
            other => panic!("{other:?}"),
        }
    }
}

fn totp(base32: &Secret) -> String {
    let secret = totp_rs::Secret::try_from_base32(base32.reveal()).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(Moment::now().wall / 1000).to_string()
}

fn streams() -> (Stream, Client) {
    let (ours, theirs) = seqpacket::pair().unwrap();
    seqpacket::want_credentials(&ours).unwrap();
    let client = Client(Packets::new(theirs).unwrap());
    (Stream::new(ours).unwrap(), client)
}

async fn ordered(house: &House, order: MfaOrder, user: &str) -> Client {
    let (ours, client) = streams();
    let daemon = Arc::clone(&house.daemon);
    tokio::spawn(mfa::mfa(daemon, 0, order, user.to_owned(), ours));
    client.proves().await;
    client
}

/// Root, whose uid the kernel attests of this test, with a factor and its recovery codes.
async fn root(house: &House) -> (Account, Vec<Secret>) {
    let (_, accounts) = house.daemon.facts().await.unwrap();
    let account = accounts.by_uid(0).unwrap();
    let factors = &house.daemon.factors;
    let pending = factors.enrol(&account).unwrap();
    let code = totp(&pending.base32).into();
    let confirmed = factors.confirm(&account, &pending, &code, Moment::now());
    let codes = confirmed.await.unwrap();
    (account, codes)
}

/// This process, as if it had logged in there.
fn proved(place: Option<Place>) -> Proved {
    let pid = getpid();
    Proved {
        pid: pid.as_raw_pid(),
        process: pidfd_open(pid, PidfdFlags::empty()).unwrap(),
        login: Login {
            session: None,
            uid: Some(0),
            elevated: false,
            terminal: false,
            place,
        },
    }
}

fn place(audit_session: u32) -> Option<Place> {
    let leader = ProcessId { pid: 7, start: 8 };
    Some(Place {
        audit_session,
        terminal: Some(Terminal {
            number: 34816,
            leader,
        }),
    })
}

const QUARTER: Mfa = Mfa::Within(Duration::from_secs(15 * 60));

/// What comes of it when `account` owes `mfa` at `place`, and types what `types` does.
async fn owes(
    house: &House,
    account: &Account,
    (mfa, place): (Mfa, Option<Place>),
    types: impl AsyncFnOnce(Client),
) -> Result<Given, Stop> {
    let (stream, client) = streams();
    let proved = proved(place);
    let asked = Asked {
        account,
        proved: &proved,
        purpose: "a test",
    };
    let owed = owe(&house.daemon, &stream, asked, Some(mfa), true);
    tokio::join!(owed, types(client)).0
}

fn refused(stopped: Result<Given, Stop>) -> Refusal {
    match stopped {
        Err(Stop::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn root_enrols_renews_and_removes_a_factor_of_somebody_else() {
    let house = house();
    let client = ordered(&house, MfaOrder::Enrol, WHOSE).await;
    let codes = client.enrols().await;
    assert_eq!(client.hears().await, ToClient::Done);
    let (_, accounts) = house.daemon.facts().await.unwrap();
    let account = accounts.by_name(WHOSE).unwrap();
    let left = || {
        let status = house.daemon.factors.status(&account, Moment::now());
        status.unwrap().map(|status| status.recovery_codes)
    };
    assert_eq!(left(), Some(codes.len()));

    let client = ordered(&house, MfaOrder::Enrol, WHOSE).await;
    let (error, message) = client.is_refused().await;
    assert_eq!(error, ErrorName::Denied);
    assert_eq!(message, "a second factor is enrolled already");

    let client = ordered(&house, MfaOrder::Renew, WHOSE).await;
    let ToClient::RecoveryCodes { codes: new } = client.hears().await else {
        panic!("no codes");
    };
    assert_eq!(client.hears().await, ToClient::Done);
    assert!(new.iter().all(|code| !codes.contains(code)));

    let client = ordered(&house, MfaOrder::Remove, WHOSE).await;
    assert_eq!(client.hears().await, ToClient::Done);
    assert_eq!(left(), None);
    for order in [MfaOrder::Remove, MfaOrder::Renew] {
        let client = ordered(&house, order, WHOSE).await;
        assert_eq!(client.is_refused().await.0, ErrorName::NotFound);
    }
}

#[tokio::test]
async fn nothing_is_enrolled_when_no_code_fits_or_the_client_goes() {
    let house = house();
    let client = ordered(&house, MfaOrder::Enrol, WHOSE).await;
    assert!(matches!(client.hears().await, ToClient::Enrolment { .. }));
    for _ in 1..CODE_TRIES {
        client.types("nonsense").await;
        client.is_told("the code is wrong").await;
    }
    client.types("nonsense").await;
    let (error, message) = client.is_refused().await;
    assert_eq!(error, ErrorName::Denied);
    assert!(message.ends_with("nothing was enrolled"), "{message}");
    let client = ordered(&house, MfaOrder::Enrol, WHOSE).await;
    assert!(matches!(client.hears().await, ToClient::Enrolment { .. }));
    drop(client);
    assert!(!house.daemon.factors.is_kept(WHOSE));
}

#[test]
fn a_factor_changes_only_from_a_login_of_ones_own_or_by_another_who_is_root() {
    let account = |uid| Account {
        name: format!("user{uid}"),
        uid,
        gid: uid,
        groups: vec![uid],
        home: "/".into(),
        shell: "/bin/sh".into(),
    };
    let by = |uid, login_uid, elevated, whose| {
        let mut proved = proved(None);
        proved.login.uid = login_uid;
        proved.login.elevated = elevated;
        mfa::allowed(uid, &account(whose), &proved).map_err(|refusal| refusal.message)
    };
    assert_eq!(by(1000, Some(1000), false, 1000), Ok(()));
    assert_eq!(by(0, Some(0), false, 0), Ok(()));
    for login_uid in [None, Some(0), Some(1001)] {
        assert_eq!(by(0, login_uid, false, 1000), Ok(()));
        assert_eq!(by(0, login_uid, true, 1000), Ok(()));
        let own = by(1000, login_uid, false, 1000).unwrap_err();
        assert!(own.contains("only from a login of your own"), "{own}");
    }
    let elevated = by(1000, Some(1000), true, 1000).unwrap_err();
    assert!(elevated.contains("elevated session"), "{elevated}");
    let through_root = by(0, Some(1000), true, 1000).unwrap_err();
    assert!(through_root.contains("change your own as yourself"));
}

#[tokio::test]
async fn a_code_is_asked_for_until_it_is_right_and_used_up() {
    let house = house();
    let (account, codes) = root(&house).await;
    let given = owes(&house, &account, (Mfa::Always, place(1)), async |client| {
        client.types("000000").await;
        client.is_told("the code is wrong").await;
        client.types(codes[0].reveal()).await;
    });
    assert_eq!(given.await.unwrap(), Given::Recovery);
    let again = owes(&house, &account, (Mfa::Always, place(1)), async |client| {
        for _ in 1..CODE_TRIES {
            client.types(codes[0].reveal()).await;
            client.is_told("the code is wrong").await;
        }
        client.types(codes[0].reveal()).await;
    });
    assert_eq!(refused(again.await).error, ErrorName::Denied);
}

#[tokio::test]
async fn a_code_stays_fresh_where_it_was_given_alone() {
    let house = house();
    let (account, codes) = root(&house).await;
    let types = async |client: Client| client.types(codes[0].reveal()).await;
    let given = owes(&house, &account, (QUARTER, place(1)), types).await;
    assert_eq!(given.unwrap(), Given::Recovery);
    let nothing = async |_| ();
    let given = owes(&house, &account, (QUARTER, place(1)), nothing).await;
    assert!(matches!(given, Ok(Given::Fresh(age)) if age < 60_000));
    // Elsewhere, without an audit session, where a fresher one is owed or one each time, the
    // client is asked, and is gone.
    let short = Mfa::Within(Duration::ZERO);
    tokio::time::sleep(Duration::from_millis(2)).await;
    for owed in [
        (QUARTER, place(2)),
        (QUARTER, None),
        (short, place(1)),
        (Mfa::Always, place(1)),
    ] {
        let stopped = owes(&house, &account, owed, nothing).await;
        assert!(matches!(stopped, Err(Stop::Gone)), "{owed:?} {stopped:?}");
    }
    // A login's own code counts in all of it.
    house.daemon.freshness.note_login(0, 3, Moment::now());
    let given = owes(&house, &account, (QUARTER, place(3)), nothing).await;
    assert!(matches!(given, Ok(Given::Fresh(_))));
}

#[tokio::test]
async fn without_an_audit_session_every_code_counts_for_one_thing() {
    let house = house();
    let (account, codes) = root(&house).await;
    for code in &codes[..3] {
        let types = async |client: Client| client.types(code.reveal()).await;
        let given = owes(&house, &account, (QUARTER, None), types).await;
        assert_eq!(given.unwrap(), Given::Recovery);
    }
}

#[tokio::test]
async fn who_has_no_factor_or_too_many_wrong_codes_is_not_asked() {
    let house = house();
    let (_, accounts) = house.daemon.facts().await.unwrap();
    let account = accounts.by_uid(0).unwrap();
    let nothing = async |_| ();
    let refusal = refused(owes(&house, &account, (QUARTER, place(1)), nothing).await);
    assert_eq!(refusal.error, ErrorName::Denied);
    let hint = "enrol one with: elevatectl mfa enrol";
    assert_eq!(refusal.hint.as_deref(), Some(hint));
    root(&house).await;
    let wrong = "zzzz-zzzz-zzzz".to_owned().into();
    for _ in 0..5 {
        let verified = house.daemon.factors.verify(&account, &wrong, Moment::now());
        verified.await.unwrap_err();
    }
    let refusal = refused(owes(&house, &account, (QUARTER, place(1)), nothing).await);
    assert!(refusal.message.starts_with("too many codes were wrong"));
}

#[tokio::test]
async fn nobody_is_asked_who_can_not_answer() {
    let house = house();
    let (account, _) = root(&house).await;
    let (stream, _client) = streams();
    let proved = proved(place(1));
    let asked = Asked {
        account: &account,
        proved: &proved,
        purpose: "a test",
    };
    let stopped = owe(&house.daemon, &stream, asked, Some(QUARTER), false).await;
    assert_eq!(refused(stopped).error, ErrorName::InteractionRequired);
    let given = owe(&house.daemon, &stream, asked, None, false).await;
    assert_eq!(given.unwrap(), Given::None);
}

#[tokio::test]
async fn a_code_from_another_process_than_the_proved_one_is_not_looked_at() {
    let house = house();
    let (account, codes) = root(&house).await;
    let (stream, client) = streams();
    let mut other = proved(place(1));
    other.pid = 1;
    let asked = Asked {
        account: &account,
        proved: &other,
        purpose: "a test",
    };
    let owed = owe(&house.daemon, &stream, asked, Some(Mfa::Always), true);
    let typed = client.types(codes[0].reveal());
    let refusal = refused(tokio::join!(owed, typed).0);
    assert_eq!(refusal.error, ErrorName::InvalidArgument);
    let verified = house
        .daemon
        .factors
        .verify(&account, &codes[0], Moment::now());
    verified.await.unwrap();
}

#[tokio::test]
async fn what_somebody_asked_who_left_meanwhile_neither_waits_nor_runs() {
    let house = house();
    for (number, needed) in [(1, 0), (2, 1)] {
        let request = request(number, needed, 60_000, Moment::now());
        let id = request.id;
        let asked = Event::Asked(Box::new(request));
        house.daemon.apply(asked).await.unwrap();
        assert!(!house.daemon.elevation(id).unwrap().is_over());
        still_counts(&house.daemon, 0, id).await.unwrap();
        assert!(!house.daemon.elevation(id).unwrap().is_over());
        // Nobody has this uid in any Debian's files.
        let refusal = still_counts(&house.daemon, 4_000_000, id).await;
        assert_eq!(refusal.unwrap_err().error, ErrorName::Denied);
        assert!(house.daemon.elevation(id).unwrap().is_over());
    }
}
