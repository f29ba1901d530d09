//! The module never says yes when it doesn't know (CVE-2025-23013): with its daemon dead, stopped or
//! slow, with nonsense for an answer, without memory, descriptors, a home or a place for its record.

use std::thread;
use std::time::{Duration, Instant};

use elevate_tests::{Machine, Spec};

use super::door::{enrolled, guarded};

/// Answers on the socket in the place of `elevated`: `fake-elevated UID PAUSE REPLY...`. A login of
/// `r7` hears the seventh reply to each call, anybody else the first; byte by byte where there is a
/// pause.
const FAKE: &str = r#"
import os, re, socket, sys, threading, time
uid, pause = int(sys.argv[1]), float(sys.argv[2])
replies = [reply.encode().decode("unicode_escape").encode("latin-1") for reply in sys.argv[3:]]
path = "/run/elevate/login.sock"
if os.path.lexists(path):
    os.unlink(path)
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.setuid(uid)
listener.listen(256)
def serve(peer):
    try:
        while call := peer.recv(65536):
            chosen = re.search(rb'"user":"r(\d+)"', call)
            reply = replies[int(chosen[1]) if chosen else 0]
            if reply == b"hang up":
                break
            for byte in ([bytes([b]) for b in reply] if pause else [reply]):
                peer.sendall(byte)
                time.sleep(pause)
        peer.close()
    except OSError:
        pass
while True:
    peer = listener.accept()[0]
    threading.Thread(target=serve, args=(peer,), daemon=True).start()
"#;

/// A yes to `Authenticate`.
const PASSED: &str = r#"{"parameters":{"step":{"kind":"passed"}}}\0"#;
/// A yes to `Admit` and `Open`.
const ADMITTED: &str = r#"{"parameters":{}}\0"#;

/// What is no yes, to any call.
const NONSENSE: &[&str] = &[
    "hang up",
    r"\0",
    r"{}\0",
    r"null\0",
    r"[]\0",
    r#"{"parameters":null}\0"#,
    r#"{"parameters":{"step":null}}\0"#,
    r#"{"parameters":{"step":{"kind":"PASSED"}}}\0"#,
    r#"{"parameters":{"step":{"kind":"passed "}}}\0"#,
    r#"{"parameters":{"step":"passed"}}\0"#,
    r#"{"parameters":{"step":{"kind":["passed"]}}}\0"#,
    r#"{"error":"org.elevate.Login.Refused","parameters":{"step":{"kind":"passed"}}}\0"#,
    r#"{"error":"","parameters":{"step":{"kind":"passed"}}}\0"#,
    r#"{"parameters":{"step":{"kind":"passed"}},"continues":true}\0"#,
    r#"{"parameters":{"step":{"kind":"passed"}}}"#,
    r#"{"parameters":{"step":{"kind":"passed"}}}\0{"parameters":{}}\0"#,
    r#"{"error":"org.elevate.Login.OutOfTurn","parameters":{}}\0"#,
    r#"{"error":"org.varlink.service.MethodNotFound","parameters":{}}\0"#,
    r"\xff\xfe\x00\x80",
    r"PASSED\n",
];

const PHASES: [&str; 3] = ["authenticate", "acct_mgmt", "open_session"];

/// Which of the module's three functions, each alone in its stack, let somebody in.
#[track_caller]
fn opened(machine: &Machine, user: &str) -> Vec<&'static str> {
    thread::scope(|scope| {
        let tries = PHASES.map(|phase| {
            let argv = ["pamtester", "probe", user, phase];
            let tried = machine.command(&argv).stdin("123456\n123456\n");
            (phase, scope.spawn(|| tried.run()))
        });
        let opened = tries.into_iter().filter_map(|(phase, tried)| {
            let tried = tried.join().expect("pamtester ran");
            let yes = tried.status == 0 || tried.text().contains("success");
            yes.then_some(phase)
        });
        opened.collect()
    })
}

fn stop(machine: &Machine) {
    let units = ["systemctl", "stop", "elevate-login.socket", "elevated"];
    machine.run(&units).success();
}

/// A fake that runs as `uid` and answers for as long as `during` takes.
fn with_fake<T>(
    machine: &Machine,
    (uid, pause): (&str, &str),
    replies: &[&str],
    during: impl FnOnce() -> T,
) -> T {
    let socket = "/run/elevate/login.sock";
    machine.run(&["rm", "-rf", socket]).success();
    let run = ["systemd-run", "--quiet", "--unit=fake-elevated"];
    let fake = ["python3", "/usr/local/bin/fake-elevated", uid, pause];
    machine.run(&[&run, &fake[..], replies].concat()).success();
    machine.poll("the fake to listen", Duration::from_secs(20), || {
        let listening = machine.run(&["ss", "-Hlx", "src", socket]);
        (!listening.text().is_empty()).then_some(())
    });
    let done = during();
    let stop = ["systemctl", "stop", "fake-elevated"];
    machine.run(&stop).success();
    done
}

#[test]
fn no_answer_that_makes_no_sense_opens_anything() {
    let machine = Machine::boot(Spec::new("fail-open").prepared(guarded)).unwrap();
    machine.member("fay", &["staff"]);
    machine.write("/usr/local/bin/fake-elevated", FAKE, 0o644);
    stop(&machine);

    // A yes of root's would be seen; that of somebody else is none.
    let both = || [opened(&machine, "r0"), opened(&machine, "r1")];
    let yes = with_fake(&machine, ("0", "0"), &[PASSED, ADMITTED], both);
    assert_eq!(yes, [vec![PHASES[0]], vec![PHASES[1], PHASES[2]]]);
    for uid in ["1000", "65534"] {
        let none = with_fake(&machine, (uid, "0"), &[PASSED, ADMITTED], both);
        assert!(none.iter().all(Vec::is_empty), "{uid}: {none:?}");
    }
    with_fake(&machine, ("0", "0"), NONSENSE, || {
        thread::scope(|scope| {
            for (number, reply) in NONSENSE.iter().enumerate() {
                let (machine, user) = (&machine, format!("r{number}"));
                scope.spawn(move || assert_eq!(opened(machine, &user), [""; 0], "{reply}"));
            }
        });
    });

    // A yes that comes one byte at a time is too late, and the deadline holds.
    let begun = Instant::now();
    let late = with_fake(&machine, ("0", "0.2"), &[PASSED, ADMITTED], both);
    assert_eq!(late[0], [""; 0]);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    // The same at a real door.
    with_fake(&machine, ("0", "0"), &NONSENSE[1..], || {
        machine.ssh("fay").refused(&[]);
    });
}

#[test]
fn no_daemon_a_dead_one_and_a_stopped_one_open_nothing() {
    let machine = Machine::boot(Spec::new("fail-open-dead").prepared(guarded)).unwrap();
    machine.member("r2d2", &["robot"]);
    assert_eq!(opened(&machine, "r2d2").len(), 3, "honest use works");

    let daemon = machine.main_pid("elevated").expect("elevated runs");
    machine.signal(daemon, "STOP");
    let begun = Instant::now();
    assert_eq!(opened(&machine, "r2d2"), [""; 0]);
    assert!(
        begun.elapsed() < Duration::from_secs(3 * 2 + 9),
        "{:?}",
        begun.elapsed()
    );
    machine.signal(daemon, "CONT");
    assert_eq!(opened(&machine, "r2d2").len(), 3);

    stop(&machine);
    assert_eq!(opened(&machine, "r2d2"), [""; 0]);
    machine.ssh("r2d2").refused(&[]);
    // A file where the socket was, a link to another socket, and a folder.
    for instead in [
        "echo '{\"parameters\":{}}' >login.sock",
        "ln -sf /run/dbus/system_bus_socket login.sock",
        "ln -sf /run/systemd/private login.sock",
        "mkdir login.sock",
    ] {
        let script = format!("cd /run/elevate && rm -rf login.sock && {instead}");
        machine.run(&["sh", "-euc", &script]).success();
        assert_eq!(opened(&machine, "r2d2"), [""; 0], "{instead}");
    }
    machine
        .run(&["rm", "-rf", "/run/elevate/login.sock"])
        .success();
    let units = ["systemctl", "start", "elevate-login.socket", "elevated"];
    machine.run(&units).success();
    assert_eq!(opened(&machine, "r2d2").len(), 3);
    machine.event("login-refused", &[("ELEVATE_USER", "r2d2")]);
}

#[test]
fn a_program_short_of_everything_lets_nobody_in() {
    let machine = Machine::boot(Spec::new("fail-open-short").prepared(guarded)).unwrap();
    // Refused for sure: a yes to her comes of a fault alone.
    machine.member("una", &["nobodies"]);
    let program = "exec pamtester probe una authenticate acct_mgmt";
    let mut shortages = vec![
        format!("ulimit -n 3; {program}"),
        format!("ulimit -n 4; {program}"),
        format!("ulimit -n 5; {program}"),
        format!("ulimit -f 0; {program}"),
        format!("{program} <&-"),
        format!("{program} >&- 2>&-"),
        format!("{program} <&- >&- 2>&-"),
        format!("env -i {program}", program = &program["exec ".len()..]),
    ];
    // From what the program can't start with to what it has plenty with.
    shortages.extend((1..=40).map(|mib| format!("ulimit -v {}; {program}", mib * 1024)));
    shortages.extend((1..=8).map(|kib| format!("ulimit -s {}; {program}", kib * 16)));
    for stopped in [false, true] {
        if stopped {
            stop(&machine);
        }
        thread::scope(|scope| {
            for shortage in &shortages {
                let tried = machine.command(&["sh", "-c", shortage]).stdin("123456\n");
                scope.spawn(move || {
                    let tried = tried.run();
                    assert!(
                        tried.status != 0 && !tried.text().contains("success"),
                        "{}",
                        tried.describe()
                    );
                });
            }
        });
    }
    // Nowhere to write that it said no.
    let full = "mount -t tmpfs -o size=4k,nr_inodes=2 full /var/lib/elevate/login-spool";
    machine.run(&["sh", "-euc", full]).success();
    assert_eq!(opened(&machine, "una"), [""; 0]);
}

#[test]
fn somebody_without_a_home_gives_the_same_codes() {
    let machine = super::door::MACHINE.get();
    let mut factor = enrolled(&machine, "homer", "staff");
    let moved = ["usermod", "--home", "/nonexistent", "homer"];
    machine.run(&moved).success();
    let give = |code: &str| {
        let argv = ["pamtester", "probe", "homer", "authenticate", "acct_mgmt"];
        let mut terminal = machine.terminal(&argv);
        terminal.expect("Verification code: $");
        terminal.send(format!("{code}\n"));
        terminal.wait()
    };
    assert_ne!(give(&factor.wrong()), 0);
    assert_eq!(give(&factor.code()), 0);
}
