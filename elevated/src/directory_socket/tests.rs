//! `elevate-directory`'s side played over a real socket, with a real store and a real folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use elevate_policy::{Defaults, HostFacts, Source};
use elevate_protocol::directory::{
    Applied, Begun, Change, INTERFACE, Method, OUT_OF_TURN, Order, Ordered, Person,
};
use elevate_protocol::limits::DIRECTORY_BYTES;
use elevate_protocol::varlink::{self, Messages, Reply};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::audit::journal::Journal;
use crate::daemon::{Daemon, Parts};
use crate::elevation::Elevations;
use crate::factors::{self, Factors, Places};
use crate::host::Host;
use crate::identity::directory::samples::{gone, group, of_group, of_person, person};
use crate::identity::{self, Identities, LocalFiles, Place, Publisher};
use crate::last_good::LastGood;
use crate::policies::Policies;
use crate::settings::Settings;
use crate::store::{Sqlite, Writer};

const SOURCE: &str = "ldap://localhost dc=example,dc=org";
const POLICY: &str = "[role.dba]\nmembers = [\"%dba\", \"carol\"]\n";

struct House {
    folder: TempDir,
    daemon: Arc<Daemon>,
    socket: PathBuf,
}

/// A daemon whose directory's user has the uid of this test, or another one.
fn house_in(folder: TempDir, peer: u32) -> House {
    let path = |name: &str| folder.path().join(name);
    let host = Host {
        name: "db1".into(),
        machine_id: "machine".into(),
        boot_id: "boot".into(),
        controllers: Vec::new(),
    };
    let passwd = format!("root:x:0:0::/root:/bin/sh\nelevate-directory:x:{peer}:2::/:/bin/false\n");
    fs::write(path("passwd"), passwd).unwrap();
    fs::write(path("group"), "sudo:x:27:\n").unwrap();
    let _ = fs::create_dir(path("userdb"));
    fs::set_permissions(path("userdb"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut store = Sqlite::open(&path("state.db"), "machine", "boot").unwrap();
    let places = Places {
        credentials: None,
        file: path("secrets.key"),
    };
    let kept_factors = factors::Kept::load(&mut store, &places, "machine").unwrap();
    let kept = identity::Kept::load(&mut store, Default::default()).unwrap();
    let writer = Writer::start(store).unwrap();
    let place = Place {
        names: host.names(),
        boot_id: "boot".into(),
        cache_max_age: Duration::from_secs(3600),
    };
    let local = LocalFiles::new(folder.path());
    let publisher = Publisher::new(&path("userdb"));
    let identities = Identities::new(local, kept, place, publisher, writer.clone());
    let daemon = Daemon::new(Parts {
        factors: Factors::new(kept_factors, &host, writer.clone()),
        host,
        settings: (Settings::default(), None),
        journal: Journal::start().unwrap(),
        store: writer,
        identities,
        policies: policies(&folder),
        elevations: Elevations::default(),
    });
    let socket = path("directory.sock");
    let _ = fs::remove_file(&socket);
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    super::serve(Arc::clone(&daemon), listener.into()).unwrap();
    tokio::spawn(Arc::clone(&daemon).follow_directory());
    House {
        folder,
        daemon,
        socket,
    }
}

/// The policy that was believed last, as its folder can't be.
fn policies(folder: &TempDir) -> Policies {
    let path = |name: &str| folder.path().join(name);
    let _ = fs::create_dir(path("policy"));
    fs::set_permissions(path("policy"), fs::Permissions::from_mode(0o777)).unwrap();
    let last_good = LastGood::new(&path("policy.last-good"), "machine");
    let source = Source {
        name: "test.toml".into(),
        text: POLICY.into(),
    };
    last_good.keep(&[source]).unwrap();
    let defaults = Defaults {
        limit_default: Duration::from_secs(60),
        limit_max: Duration::from_secs(60),
    };
    let facts = HostFacts::default();
    Policies::new(&path("none"), &path("policy"), facts, defaults, last_good)
}

fn house() -> House {
    house_in(tempfile::tempdir().unwrap(), own_uid())
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

impl House {
    async fn connect(&self) -> Client {
        Client {
            socket: UnixStream::connect(&self.socket).await.unwrap(),
            messages: Messages::new(DIRECTORY_BYTES),
        }
    }

    fn published(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("userdb")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names
            .filter_map(|name| Some(name.strip_suffix(".user")?.to_owned()))
            .filter(|name| name.parse::<u32>().is_err())
            .collect();
        names.sort_unstable();
        names
    }

    async fn comes_to_publish(&self, names: &[&str]) {
        for _ in 0..500 {
            if self.published() == names {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("published are {:?} and not {names:?}", self.published());
    }
}

struct Client {
    socket: UnixStream,
    messages: Messages,
}

impl Client {
    async fn send(&mut self, call: &varlink::Call) {
        self.socket.write_all(&varlink::encode(call)).await.unwrap();
    }

    /// `None` where the other side hung up.
    async fn receive(&mut self) -> Option<Reply> {
        loop {
            if let Some(reply) = self.messages.read().unwrap() {
                return Some(reply);
            }
            let mut bytes = vec![0; 65536];
            match self.socket.read(&mut bytes).await {
                Ok(count) if count > 0 => self.messages.push(&bytes[..count]),
                _ => return None,
            }
        }
    }

    async fn call(&mut self, method: Method) -> Reply {
        self.send(&varlink::call(&method)).await;
        self.receive().await.unwrap()
    }

    async fn begins(&mut self) -> Option<String> {
        let source = SOURCE.to_owned();
        let reply = self.call(Method::Begin { source }).await;
        reply.results::<Begun>().unwrap().cursor
    }

    async fn applies(&mut self, changes: Vec<Change>, cursor: Option<&str>) -> Reply {
        let cursor = cursor.map(str::to_owned);
        let complete = cursor.is_some();
        let unchanged = Vec::new();
        let apply = Method::Apply {
            changes,
            unchanged,
            complete,
            cursor,
        };
        self.call(apply).await
    }

    async fn is_in_contact(&mut self) -> Reply {
        let problem = None;
        let connected = true;
        self.call(Method::Contact { connected, problem }).await
    }
}

fn refused(reply: &Reply) -> u64 {
    reply.results::<Applied>().unwrap().refused
}

fn content() -> Vec<Change> {
    vec![
        of_person(person("alice", 5001)),
        of_person(person("bob", 5002)),
        of_person(person("carol", 5003)),
        of_group(group("dba", 6001, &["alice"])),
    ]
}

/// Attack 24 over the socket.
#[tokio::test]
async fn hostile_records_are_counted_and_the_rest_is_published() {
    let house = house();
    let mut client = house.connect().await;
    assert_eq!(client.begins().await, None);
    client.is_in_contact().await;
    let mut changes = content();
    changes.extend([
        of_person(person("toor", 0)),
        of_person(person("root", 5010)),
        of_group(group("sudo", 6027, &["alice"])),
        of_group(group("admins", 27, &["alice"])),
    ]);
    assert_eq!(refused(&client.applies(changes, Some("1")).await), 4);
    house.comes_to_publish(&["alice", "carol"]).await;
    let status = house.daemon.identities.status();
    assert_eq!(
        (status.state, status.people, status.admitted, status.groups),
        ("connected", 5, 2, 3)
    );
    let names: Vec<&str> = status
        .refused
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["admins", "root", "sudo", "toor"]);
}

#[tokio::test]
async fn who_is_disabled_or_gone_is_published_no_more() {
    let house = house();
    let mut client = house.connect().await;
    client.begins().await;
    client.is_in_contact().await;
    client.applies(content(), Some("1")).await;
    house.comes_to_publish(&["alice", "carol"]).await;
    let disabled = Person {
        active: false,
        ..person("alice", 5001)
    };
    client.applies(vec![of_person(disabled)], None).await;
    house.comes_to_publish(&["carol"]).await;
    client.applies(vec![gone("id-carol-5003")], None).await;
    house.comes_to_publish(&[]).await;
}

#[tokio::test]
async fn a_restart_goes_on_from_the_cursor_and_the_records() {
    let house = house();
    let mut client = house.connect().await;
    client.begins().await;
    client.is_in_contact().await;
    client.applies(content(), Some("cookie")).await;
    house.comes_to_publish(&["alice", "carol"]).await;
    // Another daemon on the same files.
    let again = house_in(house.folder, own_uid());
    let (_, accounts) = again.daemon.facts().await.unwrap();
    assert_eq!(accounts.by_name("alice").unwrap().uid, 5001);
    assert_eq!(
        again.connect().await.begins().await.as_deref(),
        Some("cookie")
    );
}

#[tokio::test]
async fn nobody_else_hands_over_records() {
    let house = house_in(tempfile::tempdir().unwrap(), own_uid() + 4711);
    let mut client = house.connect().await;
    client
        .send(&varlink::call(&Method::Begin {
            source: SOURCE.into(),
        }))
        .await;
    assert_eq!(client.receive().await, None);
}

#[tokio::test]
async fn a_newer_connection_takes_the_place_of_an_older_one() {
    let house = house();
    let (mut older, mut newer) = (house.connect().await, house.connect().await);
    older.begins().await;
    newer.begins().await;
    for reply in [
        older.applies(content(), None).await,
        older.is_in_contact().await,
    ] {
        assert_eq!(reply.error.as_deref(), Some(OUT_OF_TURN));
    }
    assert_eq!(newer.is_in_contact().await.error, None);
    drop(older);
    assert_eq!(newer.applies(content(), Some("1")).await.error, None);
    assert_eq!(house.daemon.identities.status().people, 3);
}

#[tokio::test]
async fn nothing_is_taken_in_before_a_begin() {
    let house = house();
    let mut client = house.connect().await;
    let reply = client.applies(content(), None).await;
    assert_eq!(reply.error.as_deref(), Some(OUT_OF_TURN));
    assert_eq!(house.daemon.identities.status().people, 0);
}

#[tokio::test]
async fn what_is_no_update_is_an_error_and_the_connection_goes_on() {
    let house = house();
    let mut client = house.connect().await;
    client.begins().await;
    let reply = client.applies(vec![Change::default()], None).await;
    assert_eq!(
        reply.error.as_deref(),
        Some("org.varlink.service.InvalidParameter")
    );
    let many: Vec<Change> = (0..501).map(|n| gone(&format!("x{n}"))).collect();
    assert!(client.applies(many, None).await.error.is_some());
    let mut strange = varlink::call(&Method::Begin {
        source: SOURCE.into(),
    });
    strange.parameters.insert("uid".into(), 0.into());
    client.send(&strange).await;
    assert!(client.receive().await.unwrap().error.is_some());
    assert_eq!(refused(&client.applies(content(), Some("1")).await), 0);
}

#[tokio::test]
async fn orders_reach_whoever_waits_for_them() {
    let house = house();
    let identities = &house.daemon.identities;
    assert!(identities.sync().is_err());
    let mut client = house.connect().await;
    client.begins().await;
    let mut waits = house.connect().await;
    let mut call = varlink::call(&Method::Orders {});
    call.more = true;
    waits.send(&call).await;
    for _ in 0..2 {
        // The call may be on its way still.
        while identities.sync().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let reply = waits.receive().await.unwrap();
        assert!(reply.continues);
        assert_eq!(reply.results::<Ordered>().unwrap().order, Order::Resync);
    }
}

#[tokio::test]
async fn an_unknown_entry_that_is_unchanged_orders_all_again() {
    let house = house();
    let mut client = house.connect().await;
    client.begins().await;
    let apply = Method::Apply {
        changes: Vec::new(),
        unchanged: vec!["never-seen".into()],
        complete: false,
        cursor: None,
    };
    assert_eq!(client.call(apply).await.error, None);
    // Nobody was there to hear it: it is heard by whoever waits next.
    client.send(&varlink::call(&Method::Orders {})).await;
    let reply = client.receive().await.unwrap();
    assert_eq!(reply.results::<Ordered>().unwrap().order, Order::Resync);
    assert!(!reply.continues);
}

#[tokio::test]
async fn the_end_of_elevate_directory_is_seen() {
    let house = house();
    let mut client = house.connect().await;
    client.begins().await;
    client.is_in_contact().await;
    client.applies(content(), Some("1")).await;
    drop(client);
    let identities = &house.daemon.identities;
    while identities.status().state == "connected" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let status = identities.status();
    assert_eq!(status.state, "disconnected");
    assert_eq!(status.problem, "elevate-directory is not running");
    assert!(status.valid_until.is_some());
    // The cache is in force.
    let (_, accounts) = house.daemon.facts().await.unwrap();
    assert!(accounts.by_name("alice").is_ok());
}

#[tokio::test]
async fn the_service_describes_itself() {
    let house = house();
    let mut client = house.connect().await;
    let call = varlink::Call {
        method: "org.varlink.service.GetInfo".into(),
        parameters: Default::default(),
        more: false,
        oneway: false,
    };
    client.send(&call).await;
    let info = client.receive().await.unwrap();
    assert!(
        info.parameters["interfaces"]
            .as_array()
            .unwrap()
            .contains(&INTERFACE.into())
    );
}
