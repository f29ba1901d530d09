//! Whole calls against a daemon of the test's own, on a real socket.

use std::ffi::CString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use elevate_protocol::limits::CODE_BYTES;
use elevate_protocol::login::{Method, Outcome as Alone, REFUSED, Spooled, Step, Stepped};
use elevate_protocol::varlink::{self, Messages, Reply};
use pam::constants::PamResultCode as Code;

use crate::conversation::Tone;
use crate::decision::Phase;
use crate::fake::{FakeHost, Said};
use crate::phase;
use crate::socket::Endpoint;
use crate::world::World;

const PROMPT: &str = "Verification code: ";
const DEAF: &str = "Login refused: elevated does not answer; an administrator finds out why";
const RESCUED: &str = "elevated does not answer: this is a rescue, and on record";

/// Socket and spool of one test.
struct Place {
    folder: tempfile::TempDir,
    /// Whether root runs the program.
    by_root: bool,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Place {
            folder,
            by_root: true,
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("login.sock")
    }

    /// A daemon that does `serve` with each of `connections` connections, then stops listening.
    fn daemon(
        &self,
        connections: usize,
        mut serve: impl FnMut(UnixStream) + Send + 'static,
    ) -> JoinHandle<()> {
        let listener = UnixListener::bind(self.socket()).unwrap();
        std::thread::spawn(move || {
            for _ in 0..connections {
                serve(listener.accept().unwrap().0);
            }
        })
    }

    fn run(&self, phase: Phase, line: &str, host: &mut FakeHost) -> Code {
        self.run_on(phase, line, host, || None)
    }

    fn run_on(
        &self,
        phase: Phase,
        line: &str,
        host: &mut FakeHost,
        terminal: fn() -> Option<String>,
    ) -> Code {
        let owner = rustix::process::geteuid().as_raw();
        self.run_as(phase, line, host, terminal, owner)
    }

    fn run_as(
        &self,
        phase: Phase,
        line: &str,
        host: &mut FakeHost,
        terminal: fn() -> Option<String>,
        owner: u32,
    ) -> Code {
        let words: Vec<CString> = line
            .split_whitespace()
            .map(|word| CString::new(word).unwrap())
            .collect();
        let words: Vec<_> = words.iter().map(CString::as_c_str).collect();
        let (socket, spool) = (self.socket(), self.folder.path().join("login-spool"));
        let world = World {
            endpoint: Endpoint {
                path: &socket,
                owner,
            },
            spool: &spool,
            terminal,
            by_root: self.by_root,
        };
        phase::run(phase, &words, false, host, world)
    }

    fn spooled(&self) -> Vec<Spooled> {
        let Ok(files) = fs::read_dir(self.folder.path().join("login-spool")) else {
            return Vec::new();
        };
        let read = |path: PathBuf| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        files.map(|file| read(file.unwrap().path())).collect()
    }
}

/// The daemon's side of one connection.
struct Server {
    stream: UnixStream,
    messages: Messages,
}

impl Server {
    fn new(stream: UnixStream) -> Self {
        let messages = Messages::new(elevate_protocol::limits::LOGIN_BYTES);
        Server { stream, messages }
    }

    /// The next call; `None` when the module has hung up.
    fn call(&mut self) -> Option<Method> {
        loop {
            if let Some(mut call) = self.messages.read().unwrap() {
                return Some(
                    varlink::method(&mut call, elevate_protocol::login::INTERFACE).unwrap(),
                );
            }
            let mut buffer = [0; 1024];
            match self.stream.read(&mut buffer).unwrap() {
                0 => return None,
                got => self.messages.push(&buffer[..got]),
            }
        }
    }

    fn reply(&mut self, reply: &Reply) {
        self.stream.write_all(&varlink::encode(reply)).unwrap();
    }

    fn ask(&mut self) {
        let step = Step::Ask {
            prompt: PROMPT.into(),
            echo: false,
        };
        self.reply(&Reply::new(&Stepped { step }));
    }

    fn pass(&mut self) {
        self.reply(&Reply::new(&Stepped { step: Step::Passed }));
    }

    fn refuse(&mut self) {
        let words = serde_json::json!({ "message": "Login refused" });
        self.reply(&Reply::error(REFUSED, &words));
    }
}

/// A daemon to whom 123456 is the one good code.
fn usual(stream: UnixStream) {
    let mut server = Server::new(stream);
    while let Some(call) = server.call() {
        match call {
            Method::Authenticate { login } if login.user == "robot" => server.pass(),
            Method::Authenticate { .. } => server.ask(),
            Method::Answer { text } if text.reveal() == "123456" => server.pass(),
            Method::Admit { login } if login.user == "alice" => {
                let notice = serde_json::json!({ "notice": "your access ends in 3 days" });
                server.reply(&Reply::new(&notice));
            }
            Method::Open { login } | Method::Close { login } if login.user == "alice" => {
                server.reply(&Reply::new(&()));
            }
            _ => server.refuse(),
        }
    }
}

fn asked(answer: &'static str) -> Said {
    Said::Asked(PROMPT, false, Some(answer))
}

fn refused() -> Said {
    Said::Told("Login refused", Tone::Error)
}

fn deaf() -> Said {
    Said::Told(DEAF, Tone::Error)
}

#[test]
fn after_a_restart_while_somebody_types_they_are_asked_once_more() {
    let place = Place::new();
    let mut restarted = false;
    let daemon = place.daemon(2, move |stream| {
        if std::mem::replace(&mut restarted, true) {
            return usual(stream);
        }
        let mut server = Server::new(stream);
        server.call();
        server.ask();
        // The answer comes, and no reply to it: whether it counted nobody knows.
        server.call();
    });
    let anew = "elevated was restarted while you typed; once more, please. Verification code: ";
    let script = [asked("111111"), Said::Asked(anew, false, Some("123456"))];
    let mut host = FakeHost::new("sshd", "alice").script(script);
    let code = place.run(Phase::Auth, "services=sshd", &mut host);
    assert_eq!(code, Code::PAM_SUCCESS);
    assert!(place.spooled().is_empty());
    daemon.join().unwrap();
}

#[test]
fn a_good_code_opens_and_a_wrong_one_does_not() {
    let place = Place::new();
    let daemon = place.daemon(3, usual);
    let auth = |user: &str, script: Vec<Said>| {
        let mut host = FakeHost::new("sshd", user).script(script);
        place.run(Phase::Auth, "services=sshd", &mut host)
    };
    assert_eq!(auth("alice", vec![asked("123456")]), Code::PAM_SUCCESS);
    assert_eq!(
        auth("alice", vec![asked("654321"), refused()]),
        Code::PAM_AUTH_ERR
    );
    assert_eq!(auth("robot", vec![]), Code::PAM_SUCCESS);
    daemon.join().unwrap();
    assert_eq!(place.spooled(), []);
}

#[test]
fn an_account_is_admitted_with_its_notice_or_refused() {
    let place = Place::new();
    let daemon = place.daemon(2, usual);
    let notice = Said::Told("your access ends in 3 days", Tone::Notice);
    let mut alice = FakeHost::new("sshd", "alice").script([notice]);
    assert_eq!(place.run(Phase::Account, "", &mut alice), Code::PAM_SUCCESS);
    let mut mallory = FakeHost::new("sshd", "mallory").script([refused()]);
    assert_eq!(
        place.run(Phase::Account, "", &mut mallory),
        Code::PAM_PERM_DENIED
    );
    daemon.join().unwrap();
}

#[test]
fn a_session_that_is_refused_does_not_open_and_closes_all_the_same() {
    let place = Place::new();
    let daemon = place.daemon(4, usual);
    for (user, phase, code) in [
        ("alice", Phase::Open, Code::PAM_SUCCESS),
        ("alice", Phase::Close, Code::PAM_SUCCESS),
        ("mallory", Phase::Open, Code::PAM_SESSION_ERR),
        ("mallory", Phase::Close, Code::PAM_IGNORE),
    ] {
        let script = (user == "mallory").then(refused);
        let mut host = FakeHost::new("sshd", user).script(script);
        assert_eq!(place.run(phase, "", &mut host), code, "{user} {phase:?}");
    }
    daemon.join().unwrap();
}

#[test]
fn another_service_is_left_alone_without_asking_anybody() {
    let place = Place::new();
    for phase in [Phase::Auth, Phase::Account, Phase::Open, Phase::Close] {
        let mut cron = FakeHost::new("cron", "alice").without_user();
        let code = place.run(phase, "services=sshd,login nonsense", &mut cron);
        assert_eq!(code, Code::PAM_IGNORE);
    }
    assert_eq!(place.spooled(), []);
}

#[test]
fn the_line_for_logins_with_a_key_asks_only_after_a_key() {
    let place = Place::new();
    let daemon = place.daemon(1, usual);
    let line = "services=sshd after=publickey";
    for accepted in [None, Some("password\n"), Some("")] {
        let mut host = FakeHost::new("sshd", "alice");
        host.accepted = accepted.map(Into::into);
        assert_eq!(place.run(Phase::Auth, line, &mut host), Code::PAM_IGNORE);
    }
    let mut host = FakeHost::new("sshd", "alice").script([asked("123456")]);
    host.accepted = Some("publickey ssh-ed25519 AAAA\n".into());
    assert_eq!(place.run(Phase::Auth, line, &mut host), Code::PAM_SUCCESS);
    daemon.join().unwrap();
}

#[test]
fn who_does_not_answer_does_not_get_in_and_the_daemon_sees_them_hang_up() {
    let place = Place::new();
    let daemon = place.daemon(1, |stream| {
        let mut server = Server::new(stream);
        assert!(matches!(server.call(), Some(Method::Authenticate { .. })));
        server.ask();
        assert_eq!(server.call(), None);
    });
    let mut host = FakeHost::new("sshd", "alice").script([Said::Asked(PROMPT, false, None)]);
    assert_eq!(place.run(Phase::Auth, "", &mut host), Code::PAM_CONV_ERR);
    daemon.join().unwrap();
    let mut nobody = FakeHost::new("sshd", "").without_user();
    assert_eq!(place.run(Phase::Auth, "", &mut nobody), Code::PAM_CONV_ERR);
    assert_eq!(place.spooled(), []);
}

#[test]
fn an_answer_too_long_for_any_code_goes_as_an_empty_one() {
    let long: &'static str = "1".repeat(CODE_BYTES + 1).leak();
    let place = Place::new();
    let daemon = place.daemon(1, |stream| {
        let mut server = Server::new(stream);
        server.call();
        server.ask();
        let text = String::new().into();
        assert_eq!(server.call(), Some(Method::Answer { text }));
        server.refuse();
    });
    let mut host = FakeHost::new("sshd", "alice").script([asked(long), refused()]);
    assert_eq!(place.run(Phase::Auth, "", &mut host), Code::PAM_AUTH_ERR);
    daemon.join().unwrap();
}

#[test]
fn a_restart_in_the_middle_of_a_call_is_not_noticed() {
    let place = Place::new();
    let mut seen = 0;
    let daemon = place.daemon(3, move |stream| {
        seen += 1;
        match seen {
            1 => drop(stream),
            2 => assert!(Server::new(stream).call().is_some()),
            _ => usual(stream),
        }
    });
    let mut host = FakeHost::new("sshd", "alice").script([asked("123456")]);
    assert_eq!(place.run(Phase::Auth, "", &mut host), Code::PAM_SUCCESS);
    daemon.join().unwrap();
}

#[test]
fn a_socket_that_comes_within_a_moment_is_waited_for() {
    let place = Place::new();
    let socket = place.socket();
    let later = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        usual(UnixListener::bind(socket).unwrap().accept().unwrap().0);
    });
    let mut host = FakeHost::new("sshd", "robot");
    assert_eq!(place.run(Phase::Auth, "", &mut host), Code::PAM_SUCCESS);
    later.join().unwrap();
}

#[test]
fn an_answer_that_is_lost_is_not_sent_again() {
    let place = Place::new();
    let daemon = place.daemon(1, |stream| {
        let mut server = Server::new(stream);
        server.call();
        server.ask();
        assert!(matches!(server.call(), Some(Method::Answer { .. })));
    });
    let mut host = FakeHost::new("sshd", "alice").script([asked("123456"), deaf()]);
    assert_eq!(
        place.run(Phase::Auth, "", &mut host),
        Code::PAM_AUTHINFO_UNAVAIL
    );
    daemon.join().unwrap();
    assert_eq!(place.spooled().len(), 1);
}

#[test]
fn without_a_daemon_it_is_no_and_on_record_in_every_phase() {
    for (phase, code) in [
        (Phase::Auth, Code::PAM_AUTHINFO_UNAVAIL),
        (Phase::Account, Code::PAM_PERM_DENIED),
        (Phase::Open, Code::PAM_SESSION_ERR),
    ] {
        let place = Place::new();
        let mut host = FakeHost::new("sshd", "alice").script([deaf()]);
        assert_eq!(place.run(phase, "rescue=root@tty1", &mut host), code);
        let spooled = place.spooled();
        let [entry] = &spooled[..] else {
            panic!("{spooled:?}")
        };
        assert_eq!(
            (entry.outcome, &*entry.phase),
            (Alone::Refused, phase.name())
        );
        assert_eq!(entry.login.user, "alice");
        assert!(entry.problem.contains("cannot be reached"), "{entry:?}");
        assert_eq!(host.logged.len(), 1);
    }
}

#[test]
fn the_rescue_is_for_its_user_on_its_console_and_on_record() {
    let run = |user: &str, phase, terminal: fn() -> Option<String>, script: Vec<Said>| {
        let place = Place::new();
        let mut host = FakeHost::new("login", user).script(script);
        let code = place.run_on(phase, "rescue=root@tty1,hvc0", &mut host, terminal);
        let outcomes: Vec<_> = place.spooled().iter().map(|entry| entry.outcome).collect();
        (code, outcomes)
    };
    let notice = || vec![Said::Told(RESCUED, Tone::Notice)];
    let rescued = (Code::PAM_IGNORE, vec![Alone::Rescued]);
    assert_eq!(
        run("root", Phase::Auth, || Some("hvc0".into()), notice()),
        rescued
    );
    for phase in [Phase::Account, Phase::Open] {
        assert_eq!(run("root", phase, || Some("tty1".into()), vec![]), rescued);
    }
    let refused = (Code::PAM_AUTHINFO_UNAVAIL, vec![Alone::Refused]);
    for terminal in [|| Some("tty2".into()), || Some("pts/1".into()), || None] {
        let found = run("root", Phase::Auth, terminal, vec![deaf()]);
        assert_eq!(found, refused);
    }
    let alice = run("alice", Phase::Auth, || Some("tty1".into()), vec![deaf()]);
    assert_eq!(alice, refused);
}

#[test]
fn whoever_may_stop_or_starve_the_program_gets_no_rescue_of_it() {
    let place = Place {
        by_root: false,
        ..Place::new()
    };
    let mut host = FakeHost::new("su", "root").script([deaf()]);
    let tty1 = || Some("tty1".into());
    let code = place.run_on(Phase::Auth, "rescue=root@tty1", &mut host, tty1);
    assert_eq!(code, Code::PAM_AUTHINFO_UNAVAIL);
    assert_eq!(place.spooled()[0].outcome, Alone::Refused);
}

#[test]
fn a_refusal_by_the_daemon_is_never_rescued() {
    let place = Place::new();
    let daemon = place.daemon(1, usual);
    let mut host = FakeHost::new("login", "root").script([asked("000000"), refused()]);
    let tty1 = || Some("tty1".into());
    let code = place.run_on(Phase::Auth, "rescue=root@tty1", &mut host, tty1);
    assert_eq!(code, Code::PAM_AUTH_ERR);
    daemon.join().unwrap();
}

#[test]
fn a_line_that_is_not_understood_refuses_all_but_the_rescue_and_asks_nobody() {
    let place = Place::new();
    let line = "rescue=root@tty1 timeout=soon";
    let mut alice = FakeHost::new("login", "alice").script([deaf()]);
    assert_eq!(
        place.run(Phase::Auth, line, &mut alice),
        Code::PAM_AUTHINFO_UNAVAIL
    );
    assert!(alice.logged[0].contains("timeout=soon: write seconds"));
    let mut root = FakeHost::new("login", "root").script([Said::Told(RESCUED, Tone::Notice)]);
    let code = place.run_on(Phase::Auth, line, &mut root, || Some("tty1".into()));
    assert_eq!(code, Code::PAM_IGNORE);
}

#[test]
fn a_socket_of_somebody_else_is_not_believed() {
    let place = Place::new();
    let daemon = place.daemon(1, |stream| assert!(Server::new(stream).call().is_none()));
    let mut host = FakeHost::new("sshd", "robot").script([deaf()]);
    let code = place.run_as(Phase::Auth, "", &mut host, || None, 4_000_000);
    assert_eq!(code, Code::PAM_AUTHINFO_UNAVAIL);
    assert!(place.spooled()[0].problem.contains("is of uid"));
    daemon.join().unwrap();
}

#[test]
fn the_end_of_a_session_waits_for_nobody_and_is_no_failure() {
    let place = Place::new();
    let _deaf = UnixListener::bind(place.socket()).unwrap();
    let begun = Instant::now();
    let mut host = FakeHost::new("sshd", "alice");
    assert_eq!(place.run(Phase::Close, "", &mut host), Code::PAM_IGNORE);
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert_eq!((place.spooled(), host.logged.len()), (vec![], 1));
}
