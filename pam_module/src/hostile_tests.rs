//! What answers is hostile, broken or slow: never a yes, and never later than the deadline.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use pam::constants::PamResultCode as Code;
use proptest::prelude::*;

use crate::decision::Phase;
use crate::fake::FakeHost;
use crate::phase;
use crate::socket::Endpoint;
use crate::world::World;

/// The shortest timeout that a line may ask for.
const TIMEOUT: Duration = Duration::from_secs(1);
/// What a busy test machine may add to it.
const GRACE: Duration = Duration::from_secs(2);

fn run(socket: &Path, spool: &Path, phase: Phase) -> Code {
    let mut host = FakeHost::new("sshd", "alice");
    host.careless = true;
    let world = World {
        endpoint: Endpoint {
            path: socket,
            owner: rustix::process::geteuid().as_raw(),
        },
        spool,
        terminal: || None,
        by_root: true,
    };
    phase::run(phase, &[c"timeout=1"], false, &mut host, world)
}

/// A call against a daemon that does `serve` with every connection; how long it took.
fn against(phase: Phase, serve: impl Fn(UnixStream) + Send + Sync + 'static) -> (Code, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("login.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let daemon = {
        let over = Arc::clone(&over);
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                serve(stream);
            }
        })
    };
    let begun = Instant::now();
    let code = run(&socket, &folder.path().join("spool"), phase);
    let took = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    // Wakes it, so that it sees that all is over.
    let _ = UnixStream::connect(&socket);
    daemon.join().unwrap();
    (code, took)
}

fn refused_in_time(serve: impl Fn(UnixStream) + Clone + Send + Sync + 'static) {
    for (phase, code) in [
        (Phase::Auth, Code::PAM_AUTHINFO_UNAVAIL),
        (Phase::Account, Code::PAM_PERM_DENIED),
        (Phase::Open, Code::PAM_SESSION_ERR),
        (Phase::Close, Code::PAM_IGNORE),
    ] {
        let (found, took) = against(phase, serve.clone());
        assert_eq!(found, code, "{phase:?}");
        assert!(took < TIMEOUT + GRACE, "{phase:?} took {took:?}");
    }
}

/// Reads until the other end is gone.
fn drain(mut stream: UnixStream) {
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).is_ok_and(|got| got > 0) {}
}

fn answer(bytes: &'static [u8]) -> impl Fn(UnixStream) + Clone + Send + Sync + 'static {
    move |mut stream| {
        let _ = stream.write_all(bytes);
        drain(stream);
    }
}

#[test]
fn silence_is_a_no() {
    refused_in_time(drain);
}

#[test]
fn a_server_that_closes_at_once_is_a_no() {
    refused_in_time(drop);
}

#[test]
fn garbage_is_a_no() {
    for garbage in [
        &b"\0"[..],
        b"yes\0",
        b"{}\0",
        b"[]\0",
        b"null\0",
        b"{\"parameters\":null}\0",
        b"{\"parameters\":{\"step\":{\"kind\":\"welcome\"}},\"error\":\"x\"}\0",
        b"{\"parameters\":{},\"continues\":true}\0",
        b"{\"parameters\":{\"step\":{\"kind\":\"passed\"}}}\0{}\0",
        b"{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{}}\0",
        b"\xff\xfe\0",
    ] {
        refused_in_time(answer(garbage));
    }
}

#[test]
fn an_answer_byte_by_byte_is_no_longer_than_one_at_once() {
    refused_in_time(|mut stream| {
        for byte in b"{\"parameters\":{\"step\":{\"kind\":\"passed\"}}}\0" {
            if stream.write_all(&[*byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
}

#[test]
fn a_flood_without_end_is_a_no() {
    refused_in_time(|mut stream| while stream.write_all(&[b' '; 4096]).is_ok() {});
}

#[test]
fn a_giant_message_is_a_no() {
    refused_in_time(|mut stream| {
        let mut giant = br#"{"parameters":{"step":{"kind":"passed"},"x":""#.to_vec();
        giant.resize(1 << 20, b'x');
        giant.extend(b"\"}}\0");
        let _ = stream.write_all(&giant);
    });
}

#[test]
fn questions_without_end_are_a_no() {
    let asks = b"{\"parameters\":{\"step\":{\"kind\":\"ask\",\"prompt\":\"?\",\"echo\":true}}}\0";
    let (code, took) = against(Phase::Auth, move |mut stream| {
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer).is_ok_and(|got| got > 0) {
            let _ = stream.write_all(asks);
        }
    });
    assert_eq!(code, Code::PAM_AUTHINFO_UNAVAIL);
    assert!(took < TIMEOUT + GRACE);
}

#[test]
fn a_full_backlog_is_waited_for_no_longer_than_the_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("login.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    rustix::net::listen(listener.as_fd(), 0).unwrap();
    let _first = UnixStream::connect(&socket).unwrap();
    let begun = Instant::now();
    let code = run(&socket, &folder.path().join("spool"), Phase::Auth);
    assert_eq!(code, Code::PAM_AUTHINFO_UNAVAIL);
    let took = begun.elapsed();
    assert!(TIMEOUT <= took && took < TIMEOUT + GRACE, "{took:?}");
}

/// One daemon for all cases of the property tests: it answers with the bytes that it was given,
/// and hangs up, once for each connection.
struct Parrot {
    folder: tempfile::TempDir,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Parrot {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("login.sock")).unwrap();
        let bytes: Arc<Mutex<Vec<u8>>> = Arc::default();
        let said = Arc::clone(&bytes);
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.write_all(&said.lock().unwrap());
                // Not at once: the module would take that for a restart, and call again.
                drain(stream);
            }
        });
        Parrot { folder, bytes }
    }

    /// How a call ends that is answered with `bytes` and a NUL.
    fn answers(&self, phase: Phase, bytes: &[u8]) -> Code {
        *self.bytes.lock().unwrap() = [bytes, b"\0"].concat();
        let spool: PathBuf = self.folder.path().join("spool");
        let code = run(&self.folder.path().join("login.sock"), &spool, phase);
        let _ = std::fs::remove_dir_all(spool);
        code
    }
}

static PARROT: LazyLock<Mutex<Parrot>> = LazyLock::new(|| Mutex::new(Parrot::start()));

/// JSON as it might be a reply, or nearly.
fn nearly_a_reply() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("parameters"),
        Just("error"),
        Just("continues"),
        Just("step"),
        Just("kind"),
        Just("ask"),
        Just("notice"),
        Just("org.elevate.Login.Refused"),
        Just("org.elevate.Login.OutOfTurn"),
    ];
    let leaf = prop_oneof![
        word.clone().prop_map(|word| format!("\"{word}\"")),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("0".to_owned()),
        Just("{}".to_owned()),
    ];
    leaf.prop_recursive(4, 16, 3, move |inner| {
        let pair = (word.clone(), inner).prop_map(|(key, value)| format!("\"{key}\":{value}"));
        proptest::collection::vec(pair, 0..3).prop_map(|pairs| format!("{{{}}}", pairs.join(",")))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn hostile_bytes_never_open(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let parrot = PARROT.lock().unwrap_or_else(|lock| lock.into_inner());
        for phase in [Phase::Auth, Phase::Account, Phase::Open] {
            prop_assert_ne!(parrot.answers(phase, &bytes), Code::PAM_SUCCESS);
        }
    }

    #[test]
    fn what_is_nearly_a_yes_never_opens(json in nearly_a_reply()) {
        let parrot = PARROT.lock().unwrap_or_else(|lock| lock.into_inner());
        prop_assert_ne!(parrot.answers(Phase::Auth, json.as_bytes()), Code::PAM_SUCCESS);
    }
}
