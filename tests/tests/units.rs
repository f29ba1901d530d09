//! The package and its units: what is installed, how it is fenced in, and what installing, upgrading
//! and removing it does to a machine at work.

use std::time::Duration;

use elevate_tests::{DEBS_VARIABLE, Machine, SharedMachine, Spec};

const UNITS: [&str; 7] = [
    "elevated.service",
    "elevate-launcher.service",
    "elevate-launcher.socket",
    "elevate-login.socket",
    "elevate-directory.service",
    "elevate-directory.socket",
    "elevate.slice",
];

const PACKAGES: [&str; 3] = ["libpam-elevate", "elevate-directory", "elevate"];

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.lead]
members = ["%lead"]

[rule.anything]
roles = ["operator"]
run_as = "ALL"
commands = ["ALL"]
require = {}

[rule.asked]
roles = ["operator"]
run_as = "root"
commands = ["/usr/bin/touch ..."]
require = { approvals = 1, approvers = ["role:lead"] }
"#;

/// What follows runs in a service of its own, which is forgotten afterwards.
const IN_A_SERVICE: [&str; 5] = ["systemd-run", "--pipe", "--wait", "--quiet", "--collect"];

const PATIENCE: Duration = Duration::from_secs(20);

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("units").prepared(prepare));

fn prepare(machine: &Machine) {
    machine.policy("units", POLICY);
}

#[test]
fn the_units_are_as_systemd_wants_them() {
    let machine = MACHINE.get();
    let verified = machine.run(&[&["systemd-analyze", "verify", "--man=no"], &UNITS[..]].concat());
    let said = verified.success().errors();
    assert_eq!(said, "");
}

#[test]
fn the_daemon_is_fenced_in() {
    let machine = MACHINE.get();
    let exposed = [
        "systemd-analyze",
        "security",
        "--no-pager",
        "--threshold=20",
        "elevated",
    ];
    let exposed = machine.run(&exposed).success().text();
    println!("{}", exposed.lines().last().unwrap_or_default());

    let pid = machine.main_pid("elevated").expect("elevated runs");
    let status = String::from_utf8(machine.read(&format!("/proc/{pid}/status"))).unwrap();
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(
            status.contains(&format!("{set}:\t0000000000000000")),
            "{status}"
        );
    }
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    assert!(status.contains("Seccomp:\t2"), "{status}");

    let links = machine.run(&[
        "nsenter",
        "--net",
        "-t",
        &pid.to_string(),
        "ip",
        "-o",
        "link",
    ]);
    assert_eq!(links.success().text().lines().count(), 1, "loopback alone");
    let socket = "import socket; socket.socket(socket.AF_INET)";
    let inside = [
        "-p",
        "RestrictAddressFamilies=AF_UNIX",
        "python3",
        "-c",
        socket,
    ];
    let refused = machine.run(&[&IN_A_SERVICE[..], &inside].concat());
    assert!(
        refused.errors().contains("not supported"),
        "{}",
        refused.describe()
    );
    let families = [
        "systemctl",
        "show",
        "--value",
        "-p",
        "RestrictAddressFamilies",
        "elevated",
    ];
    assert_eq!(machine.run(&families).text(), "AF_UNIX");
}

/// Goes where a sandbox would not let it.
const EVERYWHERE: &str = r#"#!/bin/sh -eu
for folder in /etc /usr /boot /root /home /var/lib /tmp /dev/shm; do
    echo >$folder/everywhere-$$
    rm $folder/everywhere-$$
done
unshare --mount mount -t tmpfs none /mnt
unshare --net true
grep -E 'NoNewPrivs|Seccomp:|CapEff' /proc/self/status
"#;

/// Whatever the launcher's unit forbade would be forbidden to an administrator's own command.
#[test]
fn a_command_meets_no_sandbox_of_ours() {
    let machine = MACHINE.get();
    machine.member("wide", &["operator"]);
    let user = machine.login("wide");
    machine.write("/usr/local/bin/everywhere", EVERYWHERE, 0o755);
    let inside = user
        .run("elevate --rule anything everywhere")
        .success()
        .text();
    let outside = [&IN_A_SERVICE[..], &["/usr/local/bin/everywhere"]].concat();
    let outside = machine.run(&outside).success().text();
    assert!(inside.contains("NoNewPrivs:\t0"), "{inside}");
    let capabilities = |text: &str| {
        text.lines()
            .find(|l| l.starts_with("CapEff"))
            .map(str::to_owned)
    };
    assert_eq!(capabilities(&inside), capabilities(&outside));
}

#[test]
fn everything_is_enabled_and_up_once_installed() {
    let machine = MACHINE.get();
    for unit in [
        "elevated.service",
        "elevate-launcher.socket",
        "elevate-login.socket",
    ] {
        assert_eq!(
            machine.run(&["systemctl", "is-enabled", unit]).text(),
            "enabled"
        );
        assert_eq!(
            machine.run(&["systemctl", "is-active", unit]).text(),
            "active"
        );
    }
}

#[test]
fn files_belong_to_root_and_nobody_else_can_write_them() {
    let machine = MACHINE.get();
    let list = "dpkg -L elevate libpam-elevate elevate-directory | while read f; do [ -d \"$f\" ] || [ -L \"$f\" ] || stat -c '%U:%G %a %n' \"$f\"; done";
    let files = machine.run(&["sh", "-c", list]).success().text();
    for line in files.lines() {
        let (owner, rest) = line.split_once(' ').unwrap();
        let (mode, name) = rest.split_once(' ').unwrap();
        let program = name.contains("/bin/") || name.contains("/libexec/");
        assert_eq!(
            (owner, mode),
            ("root:root", if program { "755" } else { "644" }),
            "{line}"
        );
    }
    for program in [
        "/usr/bin/elevate",
        "/usr/bin/elevatectl",
        "/usr/libexec/elevate/elevated",
        "/usr/libexec/elevate/elevate-launcher",
        "/usr/libexec/elevate/elevate-directory",
        "/security/pam_elevate.so",
    ] {
        assert!(files.contains(program), "{files}");
    }
    let modes = |path: &str| machine.run(&["stat", "-c", "%U %a", path]).success().text();
    for (path, mode) in [
        ("/run/elevate", "root 711"),
        ("/run/elevate/launcher.sock", "root 600"),
        ("/run/elevate/login.sock", "root 600"),
        ("/run/userdb", "root 755"),
        ("/var/lib/elevate", "root 700"),
        ("/var/lib/elevate/login-spool", "root 700"),
        ("/var/lib/elevate/state.db", "root 600"),
        ("/var/log/elevate", "root 700"),
        ("/var/log/elevate/sessions", "root 700"),
        ("/etc/elevate", "root 755"),
        ("/etc/elevate/policy.d", "root 755"),
    ] {
        assert_eq!(modes(path), mode, "{path}");
    }
    machine.member("looker", &["operator"]);
    machine
        .login("looker")
        .run("elevate --rule anything true")
        .success();
    let recordings = machine
        .run(&["sh", "-c", "stat -c '%U %a' /var/log/elevate/sessions/*"])
        .success();
    assert!(
        recordings.text().lines().all(|line| line == "root 600"),
        "{}",
        recordings.text()
    );
}

/// Root alone proves nothing to the launcher.
#[test]
fn the_launcher_serves_nobody_but_the_daemon() {
    let machine = MACHINE.get();
    let program = "
import socket
launcher = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
launcher.connect('/run/elevate/launcher.sock')
launcher.settimeout(10)
try:
    launcher.send(b'L00000000{}')
    print(launcher.recv(100))
except OSError as error:
    print(type(error).__name__)
";
    let answer = machine.run(&["python3", "-c", program]).success().text();
    assert!(
        ["b''", "BrokenPipeError", "ConnectionResetError"].contains(&answer.as_str()),
        "{answer}"
    );
    machine.poll("the refusal", PATIENCE, || {
        let log = machine
            .run(&["journalctl", "--no-pager", "-u", "elevate-launcher"])
            .text();
        log.contains("refused a connection").then_some(())
    });
    machine.member("lana", &["operator"]);
    machine
        .login("lana")
        .run("elevate --rule anything true")
        .success();
}

/// Beside the service, and with its state.
#[test]
fn a_second_daemon_started_by_hand_refuses() {
    let machine = MACHINE.get();
    let started = machine.run(&["/usr/libexec/elevate/elevated"]).status(1);
    assert!(
        started.errors().contains("systemctl start elevated"),
        "{}",
        started.describe()
    );
    let launcher = ["-p", "Type=notify", "/usr/libexec/elevate/elevate-launcher"];
    let with_socket = machine.run(&[&IN_A_SERVICE[..], &launcher].concat());
    assert_ne!(with_socket.status, 0, "{}", with_socket.describe());
}

#[test]
fn the_daemon_and_a_leader_are_small() {
    let machine = Machine::boot(Spec::new("small").prepared(prepare)).unwrap();
    machine.member("mini", &["operator"]);
    let user = machine.login("mini");
    let _running = user
        .command("exec elevate --rule anything sleep 307")
        .start();
    let start = machine.event("start", &[("ELEVATE_USER", "mini")]);
    let leader = start.get("ELEVATE_LEADER").unwrap();
    let (daemon, launcher) = (
        machine.main_pid("elevated").unwrap(),
        machine.main_pid("elevate-launcher").unwrap(),
    );
    // What a process alone keeps in memory; what it shares with others is there once.
    let memory = |pid: &str| {
        let rollup = String::from_utf8(machine.read(&format!("/proc/{pid}/smaps_rollup"))).unwrap();
        let field = |name: &str| {
            let line = rollup
                .lines()
                .find(|line| line.starts_with(name))
                .unwrap_or_default();
            line.split_whitespace()
                .nth(1)
                .unwrap_or_default()
                .parse::<u64>()
                .unwrap()
        };
        let own = field("Private_Clean:") + field("Private_Dirty:");
        (field("Rss:"), field("Pss:"), own)
    };
    let daemon = memory(&daemon.to_string());
    let leader = memory(&leader);
    println!(
        "kB resident, proportional, own: elevated {daemon:?}, leader {leader:?}, launcher {:?}",
        memory(&launcher.to_string())
    );
    assert!(daemon.0 <= 15 * 1024, "elevated {daemon:?}");
    assert!(leader.1 <= 3 * 1024, "a leader {leader:?}");
}

/// The package once more over itself, while a session runs and a request waits.
#[test]
fn an_upgrade_ends_no_session_and_loses_no_request() {
    let machine = Machine::boot(Spec::new("upgrade").prepared(prepare)).unwrap();
    machine.member("upton", &["operator"]);
    machine.member("leadbetter", &["lead"]);
    let (user, lead) = (machine.login("upton"), machine.voter("leadbetter"));
    let mut running = user
        .terminal("elevate --rule anything sh -c 'echo begun; read word; echo got $word; exit 5'");
    running.expect("begun");
    let session = machine
        .event("start", &[("ELEVATE_USER", "upton")])
        .request();
    let waiting = user
        .command("elevate --rule asked touch /upton-was-here")
        .start();
    let request = machine
        .event("request", &[("ELEVATE_RULE", "asked")])
        .request();
    let programs = ["elevated", "elevate-launcher"];
    let before = programs.map(|unit| machine.main_pid(unit));
    let kept = machine.run(&[
        "systemctl",
        "show",
        "--value",
        "-p",
        "NFileDescriptorStore",
        "elevated",
        "elevate-launcher",
    ]);
    let kept: Vec<u32> = kept
        .text()
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(kept, [2, 1], "a control socket and a stream; a leader");

    install(&machine);
    let after = programs.map(|unit| machine.main_pid(unit));
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(old, new)| new.is_some() && old != new),
        "{before:?} {after:?}"
    );
    let listed = user.run("elevatectl sessions list --json").success().text();
    assert!(
        listed.contains(&session) && listed.contains("running"),
        "{listed}"
    );
    let requests = lead.run("elevatectl requests").success().text();
    assert!(requests.contains(&request), "{requests}");
    lead.approve(&request).success();
    waiting.wait().success();
    assert!(machine.has("/upton-was-here"));
    running.send("word\n");
    running.expect("got word");
    assert_eq!(running.wait(), 5);
    machine.event(
        "end",
        &[
            ("ELEVATE_REQUEST", &session),
            ("ELEVATE_OUTCOME", "finished"),
        ],
    );
}

#[test]
fn removing_ends_sessions_and_keeps_records_and_purging_leaves_nothing_of_ours() {
    let machine = Machine::boot(Spec::new("remove").prepared(prepare)).unwrap();
    machine.member("remo", &["operator"]);
    let user = machine.login("remo");
    user.run("elevate --rule anything echo recorded").success();
    let running = user.command("elevate --rule anything sleep 308").start();
    let session = machine
        .event("start", &[("ELEVATE_COMMAND", "sleep 308")])
        .request();

    machine
        .run(&[&["dpkg", "--remove"], &PACKAGES[..]].concat())
        .success();
    machine.poll("the session's end", PATIENCE, || {
        (machine.processes("sleep 308") == 0).then_some(())
    });
    assert_ne!(running.wait().status, 0);
    assert!(!machine.has(&format!(
        "/sys/fs/cgroup/elevate.slice/elevate-{session}.scope"
    )));
    for gone in [
        "/usr/bin/elevate",
        "/usr/libexec/elevate",
        "/run/elevate",
        "/usr/lib/systemd/system/elevated.service",
    ] {
        assert!(!machine.has(gone), "{gone}");
    }
    for stays in [
        "/var/lib/elevate/state.db",
        "/var/log/elevate/sessions",
        "/etc/elevate/elevated.toml",
        "/etc/elevate/policy.d/units.toml",
    ] {
        assert!(machine.has(stays), "{stays}");
    }
    machine.poll("a machine at ease", PATIENCE, || {
        (machine.run(&["systemctl", "is-system-running"]).text() == "running").then_some(())
    });

    install(&machine);
    user.run("elevate --rule anything echo again").success();
    let listed = machine
        .run(&["elevatectl", "sessions", "list", "--all", "--json"])
        .success()
        .text();
    assert!(
        listed.contains(&session),
        "what was on record is there again: {listed}"
    );

    machine
        .run(&[&["dpkg", "--purge"], &PACKAGES[..]].concat())
        .success();
    for gone in [
        "/var/lib/elevate",
        "/var/log/elevate",
        "/etc/elevate/elevated.toml",
        "/etc/pam.d/elevate",
    ] {
        assert!(!machine.has(gone), "{gone}");
    }
    assert!(
        machine.has("/etc/elevate/policy.d/units.toml"),
        "the administrator wrote that"
    );
    let files = ["systemctl", "list-unit-files", "--no-legend", "elevate*"];
    let left = machine.run(&files).text();
    assert_eq!(left, "");
    let known = machine.run(&[
        "busctl",
        "call",
        "org.elevate.Elevated1",
        "/",
        "org.freedesktop.DBus.Peer",
        "Ping",
    ]);
    assert_ne!(known.status, 0);
}

/// Installs the packages under test as an administrator would.
fn install(machine: &Machine) {
    let debs = std::env::var_os(DEBS_VARIABLE).expect("the packages under test");
    let mut install = vec!["dpkg".to_owned(), "--install".to_owned()];
    for (number, deb) in std::env::split_paths(&debs).enumerate() {
        let path = format!("/root/package-{number}.deb");
        machine.write(&path, std::fs::read(deb).unwrap(), 0o644);
        install.push(path);
    }
    let install: Vec<&str> = install.iter().map(String::as_str).collect();
    machine.run(&install).success();
}
