//! The caller's environment steers nothing (CVE-2014-9680 and kin).

use std::time::Duration;

use super::{MACHINE, login};

/// What a caller may have set. `HERE` stands for a folder of theirs.
const HOSTILE: &[&str] = &[
    "LD_PRELOAD=HERE/x.so",
    "LD_LIBRARY_PATH=HERE",
    "LD_AUDIT=HERE/x.so",
    "GLIBC_TUNABLES=glibc.malloc.check=3",
    "MALLOC_PERTURB_=1",
    "GCONV_PATH=HERE",
    "LOCPATH=HERE",
    "NLSPATH=HERE/%N",
    "TZ=HERE/zone",
    "TZDIR=HERE",
    "HOSTALIASES=HERE/hosts",
    "RES_OPTIONS=debug",
    "TMPDIR=HERE",
    "BASH_ENV=HERE/rc",
    "ENV=HERE/rc",
    "BASH_FUNC_id%%=() { echo stolen; }",
    "SHELLOPTS=xtrace",
    "PS4=$(touch HERE/stolen)",
    "IFS=/",
    "PERL5OPT=-MHERE",
    "PYTHONPATH=HERE",
    "DBUS_SYSTEM_BUS_ADDRESS=unix:path=HERE/bus",
    "DBUS_SESSION_BUS_ADDRESS=unix:path=HERE/bus",
    "DBUS_STARTER_ADDRESS=unix:path=HERE/bus",
    "XDG_RUNTIME_DIR=HERE",
    "XDG_CONFIG_HOME=HERE",
    "XDG_SEAT=seat0",
    "XDG_SESSION_ID=1",
    "NOTIFY_SOCKET=HERE/notify",
    "LISTEN_FDS=3",
    "LISTEN_PID=1",
    "RUST_LOG=trace",
    "RUST_BACKTRACE=1",
    "SUDO_USER=root",
    "SUDO_UID=0",
    "ELEVATE_USER=root",
    "HOME=HERE",
    "USER=root",
    "LOGNAME=root",
    "SHELL=HERE/shell",
    "PATH=HERE:/usr/bin:/bin",
    "TERM=HERE/terminal",
    "LANG=HERE",
    "LANGUAGE=../../../..HERE",
    "LC_ALL=HERE/locale",
    "LC_MESSAGES=%n%n%n",
];

/// Every variable that a command may ever see here.
const ALLOWED: &[&str] = &[
    "PATH",
    "HOME",
    "SHELL",
    "USER",
    "LOGNAME",
    "TERM",
    "LC_CTYPE",
    "ELEVATE_REQUEST",
    "ELEVATE_USER",
    "ELEVATE_UID",
    "ELEVATE_GID",
    "ELEVATE_COMMAND",
    "SUDO_USER",
    "SUDO_UID",
    "SUDO_GID",
    "SUDO_COMMAND",
];

/// What says only how much a program tells.
const HARMLESS: [&str; 3] = ["HARMLESS", "RUST_LOG", "RUST_BACKTRACE"];

#[test]
fn the_command_sees_an_allow_list_and_nothing_that_names_a_file() {
    let machine = MACHINE.get();
    let user = login(&machine, "envy", "recorded");
    let hostile = HOSTILE.map_here("/home/envy");
    let line = format!("env -i {hostile} LC_CTYPE=C.UTF-8 /usr/bin/elevate env");
    let seen = user.run(&line).success().text();
    for variable in seen.lines() {
        let name = variable.split('=').next().unwrap_or_default();
        assert!(ALLOWED.contains(&name), "{variable}");
        let about_the_command = name.ends_with("_COMMAND");
        assert!(
            about_the_command || !variable.contains("/home/envy"),
            "{variable}"
        );
    }
    for honest in [
        "HOME=/root",
        "USER=root",
        "SUDO_USER=envy",
        "ELEVATE_USER=envy",
        "LC_CTYPE=C.UTF-8",
    ] {
        assert!(seen.lines().any(|line| line == honest), "{honest}: {seen}");
    }
}

/// `-E` under a rule that keeps everything, each variable asked for by its name, and each set on the
/// command line: what steers a program comes in by no way.
#[test]
fn by_no_flag_does_a_variable_come_in_that_steers_a_program() {
    let machine = MACHINE.get();
    let user = login(&machine, "kent", "keeping");
    let hostile = HOSTILE.map_here("/home/kent");
    let line = format!("env -i {hostile} HARMLESS=kept /usr/bin/elevate -E env");
    let seen = user.run(&line).success().text();
    assert!(seen.lines().any(|line| line == "HARMLESS=kept"), "{seen}");
    for variable in seen.lines() {
        let name = variable.split('=').next().unwrap_or_default();
        assert!(
            HARMLESS.contains(&name) || ALLOWED.contains(&name),
            "{variable}"
        );
        let about_the_command = name.ends_with("_COMMAND");
        assert!(
            about_the_command || !variable.contains("/home/kent"),
            "{variable}"
        );
    }
    for variable in HOSTILE {
        let set = [*variable].map_here("/home/kent");
        let name = variable.split('=').next().unwrap_or_default();
        if HARMLESS.contains(&name) {
            continue;
        }
        let by_name = format!("env {set} elevate --preserve-env='{name}' env");
        // A name that is none of a variable's is no assignment, and then it is a command.
        for line in [by_name, format!("elevate {set} env")] {
            let refused = user.run(&line);
            assert_ne!(refused.status, 0, "{}", refused.describe());
            assert_eq!(refused.text(), "", "{line}");
        }
    }
    let set = user.run("elevate HARMLESS=set env").success().text();
    assert!(set.lines().any(|line| line == "HARMLESS=set"), "{set}");
}

/// The one variable that `elevate` reads names a program of the caller's own, and without `-A` none.
#[test]
fn a_program_that_asks_for_codes_runs_only_when_it_is_called_for_and_as_the_caller() {
    let machine = MACHINE.get();
    let user = login(&machine, "asa", "coded");
    let _factor = user.enrol();
    let ask = "#!/bin/sh\nid -un >>/home/asa/ran\n";
    machine.write("/home/asa/ask", ask, 0o755);
    for line in ["elevate id", "elevate -n id", "elevate -nA id"] {
        let named = "ELEVATE_ASKPASS=/home/asa/ask SUDO_ASKPASS=/home/asa/ask";
        user.run(&format!("{named} {line}")).status(1);
        assert!(!machine.has("/home/asa/ran"), "{line}");
    }
    user.run("ELEVATE_ASKPASS=/home/asa/ask elevate -A id")
        .status(1);
    assert_eq!(user.run("cat ran").text(), "asa");
}

#[test]
fn a_shell_function_of_the_callers_reaches_no_shell_of_roots() {
    let machine = MACHINE.get();
    let user = login(&machine, "finn", "recorded");
    let function = "'BASH_FUNC_id%%=() { echo stolen; }'";
    let stolen = user.run(&format!("env {function} bash -c id")).success();
    assert_eq!(
        stolen.text(),
        "stolen",
        "the attack works on one's own shell"
    );
    let line = format!("env {function} elevate bash -c 'id -un'");
    assert_eq!(user.run(&line).success().text(), "root");
}

#[test]
fn a_private_bus_is_not_spoken_to() {
    let machine = MACHINE.get();
    let user = login(&machine, "privy", "recorded");
    let listen = "
import socket
listener = socket.socket(socket.AF_UNIX)
listener.bind('/home/privy/bus')
listener.listen()
open('/home/privy/listens', 'w')
while True:
    listener.accept()
    open('/home/privy/heard', 'a').write('x')
";
    let _listening = user
        .command(&format!("python3 -c \"{listen}\""))
        .timeout(Duration::from_secs(600))
        .start();
    machine.wait_for_file("/home/privy/listens");
    let bus = "env DBUS_SYSTEM_BUS_ADDRESS=unix:path=/home/privy/bus";
    let elevated = user.run(&format!("{bus} elevate id -un")).success();
    assert_eq!(elevated.text(), "root");
    user.run(&format!("{bus} elevatectl status")).success();
    assert!(!machine.has("/home/privy/heard"), "somebody came");

    user.run(&format!("timeout 1 {bus} busctl list"));
    assert!(
        machine.has("/home/privy/heard"),
        "whoever reads the variable does come"
    );
}

#[test]
fn no_process_of_ours_has_the_callers_environment() {
    let machine = MACHINE.get();
    let user = login(&machine, "mark", "recorded");
    let _running = user
        .command("exec env LC_MARK=seen TZ=seen elevate sleep 301")
        .start();
    let start = machine.event("start", &[("ELEVATE_USER", "mark")]);
    let leader = start
        .get("ELEVATE_LEADER")
        .expect("a start names its leader");
    let pid = |unit| machine.main_pid(unit).expect("it runs").to_string();
    for pid in [leader, pid("elevated"), pid("elevate-launcher")] {
        let environment = machine.read(&format!("/proc/{pid}/environ"));
        let environment = String::from_utf8_lossy(&environment);
        assert!(!environment.contains("seen"), "{pid}: {environment}");
    }
    let command = start.get("ELEVATE_PID").expect("a start names its command");
    let kept = machine.read(&format!("/proc/{command}/environ"));
    let kept = String::from_utf8_lossy(&kept);
    assert!(kept.contains("LC_MARK=seen"), "{kept}");
    assert!(!kept.contains("TZ=seen"), "{kept}");
}

trait Here {
    fn map_here(&self, folder: &str) -> String;
}

impl Here for [&str] {
    /// The variables as words of a shell, with their folder in place.
    fn map_here(&self, folder: &str) -> String {
        let quoted = self
            .iter()
            .map(|variable| format!("'{}'", variable.replace("HERE", folder)));
        quoted.collect::<Vec<_>>().join(" ")
    }
}
