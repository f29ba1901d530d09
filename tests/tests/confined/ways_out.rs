//! The known ways from uid 0 in a contained session to root on the host. Each works without `contain`.

use std::time::Duration;

use elevate_tests::{Login, Machine};

use super::{MACHINE, elevated, login};

/// A way out: a script of root's, and a command that succeeds on the machine once it worked; without
/// one, the script's own success says so. The last is what takes its traces away.
struct Way(&'static str, &'static str, &'static str, &'static str);

/// Those that leave their mark in `/escaped`, by somebody who is not contained; each test has its own.
const MARK: &str = "test -e /escaped/mark";
const UNMARK: &str = "rm -f /escaped/mark";
const OWN: &str = "";

const SERVICES: &[Way] = &[
    Way("a transient unit", "systemd-run --wait --quiet touch /escaped/mark", MARK, UNMARK),
    Way(
        "a unit file",
        "printf '[Service]\\nType=oneshot\\nExecStart=touch /escaped/mark\\n' >/etc/systemd/system/way.service
         systemctl daemon-reload; systemctl start way",
        MARK,
        "rm -f /escaped/mark /etc/systemd/system/way.service; systemctl daemon-reload",
    ),
    Way(
        "a unit file that does not last",
        "mkdir -p /run/systemd/system
         printf '[Service]\\nType=oneshot\\nExecStart=touch /escaped/mark\\n' >/run/systemd/system/way.service",
        "test -e /run/systemd/system/way.service",
        "rm -f /run/systemd/system/way.service",
    ),
    Way("the bus", "busctl --no-pager list", OWN, "true"),
    Way("PID 1's own socket", "env -u DBUS_SYSTEM_BUS_ADDRESS systemctl --no-pager show -P Version", OWN, "true"),
    Way("lingering", "loginctl enable-linger nobody", "test -e /var/lib/systemd/linger/nobody", "rm -f /var/lib/systemd/linger/nobody"),
    Way("a job for later", "echo 'touch /escaped/mark' | at now + 1 day", "atq | grep -q .", "atrm $(atq | cut -f1)"),
    Way("the spool of at", "touch /var/spool/cron/atjobs/way", "test -e /var/spool/cron/atjobs/way", "rm -f /var/spool/cron/atjobs/way"),
    Way("a crontab", "echo '* * * * * touch /escaped/mark' | crontab -", "crontab -l", "crontab -r"),
    Way("a file of cron's", "touch /etc/cron.d/way", "test -e /etc/cron.d/way", "rm -f /etc/cron.d/way"),
    Way("a service's socket", "perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => \"/run/way.sock\") or exit 1'", "test -e /escaped/way-file", "rm -f /escaped/way-file"),
    Way("our own bus name", "elevatectl status", OWN, "true"),
];

const FILES: &[Way] = &[
    Way(
        "a setuid copy",
        "cp /bin/sh /srv/data/sh && chmod 4755 /srv/data/sh",
        "test -u /srv/data/sh",
        "rm -f /srv/data/sh",
    ),
    Way(
        "a setgid copy",
        "cp /bin/sh /srv/data/sh; chmod 2755 /srv/data/sh",
        "test -g /srv/data/sh",
        "rm -f /srv/data/sh",
    ),
    Way(
        "a copy with capabilities",
        "cp /bin/sh /srv/data/sh; setcap cap_setuid+ep /srv/data/sh",
        "getcap /srv/data/sh | grep -q setuid",
        "rm -f /srv/data/sh",
    ),
    Way(
        "a disk",
        "mknod /srv/data/disk b 8 0",
        "test -b /srv/data/disk",
        "rm -f /srv/data/disk",
    ),
    Way(
        "the root of PID 1",
        "touch /proc/1/root/escaped/mark",
        MARK,
        UNMARK,
    ),
    Way("its folder", "touch /proc/1/cwd/escaped/mark", MARK, UNMARK),
    Way(
        "a mount that can be written again",
        "mount -o remount,rw /; mount -o remount,rw,bind /; touch /escaped/mark",
        MARK,
        UNMARK,
    ),
    Way(
        "another mount",
        "mount -t tmpfs none /srv/data && umount /srv/data",
        OWN,
        "true",
    ),
    Way(
        "what a mount covers",
        "umount /etc/elevate /var/lib/elevate /proc /run; test -e /etc/elevate/elevated.toml",
        OWN,
        "true",
    ),
    Way(
        "the loader",
        "touch /etc/ld.so.preload",
        "test -e /etc/ld.so.preload",
        "rm -f /etc/ld.so.preload",
    ),
    Way(
        "an account",
        "touch /etc/passwd.way",
        "test -e /etc/passwd.way",
        "rm -f /etc/passwd.way",
    ),
    Way(
        "our policy",
        "cat /etc/elevate/policy.d/confined.toml",
        OWN,
        "true",
    ),
    Way("our state", "ls /var/lib/elevate | grep -q .", OWN, "true"),
    Way(
        "our recordings",
        "ls /var/log/elevate | grep -q .",
        OWN,
        "true",
    ),
    Way(
        "our sockets",
        "test -S /run/elevate/launcher.sock",
        OWN,
        "true",
    ),
];

const KERNEL: &[Way] = &[
    Way(
        "a setting",
        "echo 1 >/proc/sys/net/ipv4/ip_forward",
        "grep -q 1 /proc/sys/net/ipv4/ip_forward",
        "echo 0 >/proc/sys/net/ipv4/ip_forward",
    ),
    Way(
        "another cgroup",
        "mkdir /sys/fs/cgroup/way",
        "test -d /sys/fs/cgroup/way",
        "rmdir /sys/fs/cgroup/way",
    ),
    Way(
        "leaving its cgroup",
        "echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs",
        OWN,
        "true",
    ),
    Way(
        "a user namespace",
        "unshare --user --map-root-user true",
        OWN,
        "true",
    ),
    Way("a mount namespace", "unshare --mount true", OWN, "true"),
    Way(
        "namespaces of PID 1",
        "nsenter --target 1 --mount touch /escaped/mark",
        MARK,
        UNMARK,
    ),
    Way(
        "a process's memory",
        "perl -e '$pid = shift() + 0; syscall(101, 16, $pid, 0, 0) == 0 or exit 1; syscall(101, 17, $pid, 0, 0)' $(cat /scripts/victim)",
        OWN,
        "true",
    ),
    Way(
        "a process's files",
        "readlink /proc/$(cat /scripts/victim)/exe",
        OWN,
        "true",
    ),
    Way("a signal", "kill -CONT $(cat /scripts/victim)", OWN, "true"),
    Way(
        "a keyring",
        "perl -e 'syscall(250, 0, -4, 0) >= 0 or exit 1'",
        OWN,
        "true",
    ),
];

const NETWORK: &[Way] = &[Way(
    "an abstract socket",
    "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) or exit 2; connect(S, pack_sockaddr_un(\"\\0way\")) or exit 1'",
    "test -e /escaped/way-abstract",
    "rm -f /escaped/way-abstract",
)];

pub(super) fn prepare(machine: &Machine) {
    for (name, listen) in [("way-file", "/run/way.sock"), ("way-abstract", "@way")] {
        let socket = format!("[Socket]\nListenStream={listen}\nAccept=yes\n");
        let service = format!("[Service]\nExecStart=touch /escaped/{name}\n");
        let folder = "/etc/systemd/system";
        machine.write(&format!("{folder}/{name}.socket"), socket, 0o644);
        machine.write(&format!("{folder}/{name}@.service"), service, 0o644);
        machine
            .run(&["systemctl", "start", &format!("{name}.socket")])
            .success();
    }
    machine
        .run(&["systemd-run", "--unit=victim", "sleep", "infinity"])
        .success();
    let victim = machine.main_pid("victim.service").expect("a victim");
    machine.write("/scripts/victim", victim.to_string(), 0o644);
}

/// How long somebody else may take to leave a mark.
const PATIENCE: Duration = Duration::from_secs(10);

/// Tries this way in a session of this user's: it works, or it doesn't.
#[track_caller]
fn attempt(user: &Login<'_>, Way(name, attack, proof, undo): &Way, works: bool) {
    let machine = user.machine();
    let own = |line: &str| line.replace("/escaped/mark", &format!("/escaped/{}", user.user()));
    let shell = |line: &str| machine.run(&["sh", "-c", &own(line)]);
    let tried = elevated(user, "", &own(attack));
    let worked = || match *proof {
        OWN => tried.status == 0,
        proof => shell(proof).status == 0,
    };
    match works {
        true => {
            let what = format!("{name}, without `contain`: {}", tried.describe());
            machine.poll(&what, PATIENCE, || worked().then_some(()));
        }
        false => assert!(!worked(), "{name} leads out: {}", tried.describe()),
    }
    shell(undo);
}

#[track_caller]
fn shut_contained_and_open_without(name: &str, group: &str, ways: &[Way]) {
    let machine = MACHINE.get();
    let contained = login(&machine, name, group);
    let free = login(&machine, &format!("{name}-free"), "free");
    for way in ways {
        attempt(&contained, way, false);
        attempt(&free, way, true);
    }
}

#[test]
fn no_service_does_what_a_contained_session_may_not() {
    shut_contained_and_open_without("silas", "contained", SERVICES);
}

#[test]
fn no_file_leads_out_of_a_contained_session() {
    shut_contained_and_open_without("fides", "contained", FILES);
}

#[test]
fn the_kernel_is_no_way_out_of_a_contained_session() {
    shut_contained_and_open_without("kira", "contained", KERNEL);
}

#[test]
fn the_hosts_network_is_no_way_to_its_sockets() {
    shut_contained_and_open_without("nestor", "networked", NETWORK);
    // In a network of its own it would not even be there.
    shut_contained_and_open_without("nora", "contained", NETWORK);
}

#[test]
fn a_file_handed_to_a_contained_command_is_not_changed() {
    let machine = MACHINE.get();
    let change = "chmod 0666 /proc/self/fd/0; perl -e 'chmod 0666, *STDIN'";
    machine.write("/scripts/change", change, 0o644);
    for (name, group, mode) in [("hera", "contained", "644"), ("hector", "free", "666")] {
        machine.write("/etc/handed", "in", 0o644);
        let user = login(&machine, name, group);
        user.run("elevate sh /scripts/change </etc/handed");
        let now = machine.run(&["stat", "-c", "%a", "/etc/handed"]);
        assert_eq!(now.text(), mode, "{group}");
    }
}

#[test]
fn nothing_of_a_contained_session_outlives_it() {
    let machine = MACHINE.get();
    let user = login(&machine, "omar", "contained");
    let spread =
        "for i in 1 2 3; do (setsid nohup sleep 8765 >/dev/null 2>&1 &); done; echo spread";
    assert_eq!(elevated(&user, "", spread).success().text(), "spread");
    assert_eq!(machine.processes("sleep 8765"), 0);
    let long = "trap '' TERM HUP INT; (setsid nohup sleep 8764 >/dev/null 2>&1 &); sleep 8764";
    let ended = elevated(&user, "--for 2s", long);
    assert_ne!(ended.status, 0);
    assert_eq!(machine.processes("sleep 8764"), 0);
}
