//! What tries to outlive a session of an unrestricted rule: it is gone with the session, or root had
//! somebody else begin it, and then that is on record. Contained sessions: tests/tests/confined.

use std::time::Duration;

use super::{MACHINE, login};

/// Each leaves `sleep 32NN` behind in its own way, and the words that are on record of it.
const INSIDE: &[(&str, &str)] = &[
    ("setsid", "setsid -f sleep 3201"),
    ("nohup", "nohup sleep 3202 >/dev/null 2>&1 &"),
    ("double fork", "(sleep 3203 &) & (setsid sleep 3203 &)"),
    (
        "daemon",
        "perl -e 'use POSIX; exit if fork; setsid; exit if fork; $SIG{$_} = q(IGNORE) for keys %SIG; exec qw(sleep 3204)'",
    ),
    // Not before it is what is looked for.
    (
        "stopped",
        "sh -c 'sleep 3206 & until pgrep -fx \"sleep 3206\"; do :; done; kill -STOP $!'",
    ),
];

/// The same, begun by a service of the host's that root may ask.
const OUTSIDE: &[(&str, &str, &str)] = &[
    (
        "systemd-run",
        "systemd-run --quiet --unit=escaped sleep 3211",
        "systemd-run --quiet --unit=escaped sleep 3211",
    ),
    (
        "scope",
        "systemd-run --quiet --scope --unit=escapee setsid -f sleep 3212",
        "systemd-run --quiet --scope --unit=escapee setsid -f sleep 3212",
    ),
    (
        "at",
        "systemctl start atd; echo sleep 3213 | at now",
        "at now",
    ),
    (
        "cron",
        "printf '* * * * * root sleep 3214\\n' >/etc/cron.d/escape; chmod 600 /etc/cron.d/escape",
        "/etc/cron.d/escape",
    ),
    (
        "linger",
        "loginctl enable-linger otto",
        "loginctl enable-linger otto",
    ),
    (
        "a unit file",
        "printf '[Service]\\nExecStart=sleep 3216\\n' >/run/systemd/system/escape.service; \
         systemctl daemon-reload; systemctl start escape",
        "systemctl start escape",
    ),
    (
        "an ssh connection that is shared",
        "ssh -f -N -M -S /run/escape.ssh 127.0.0.1; ssh -S /run/escape.ssh 127.0.0.1 'setsid -f sleep 3217 >/dev/null 2>&1'",
        "ssh -S /run/escape.ssh 127.0.0.1",
    ),
    (
        "a cgroup of another's",
        "sh -c 'echo $$ >/sys/fs/cgroup/system.slice/cgroup.procs || echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs; exec sleep 3218' & sleep 0.2",
        "sleep 3218",
    ),
];

fn left(machine: &elevate_tests::Machine, pattern: &str) -> String {
    machine
        .run(&["pgrep", "--list-full", "--full", pattern])
        .text()
}

#[test]
fn what_a_session_itself_leaves_behind_goes_with_it() {
    let machine = MACHINE.get();
    let user = login(&machine, "houdini", "recorded");
    for (name, script) in INSIDE {
        // Where nothing ends it, it stays.
        let plain = machine.run(&[
            "setsid",
            "sh",
            "-c",
            &format!("exec >/dev/null 2>&1\n{script}\ntrue"),
        ]);
        assert_eq!(plain.status, 0, "{name}: {}", plain.describe());
        machine.poll(
            "the attack to work without us",
            Duration::from_secs(10),
            || (!left(&machine, "^sleep 320[1-6]$").is_empty()).then_some(()),
        );
        machine.run(&["pkill", "--signal", "KILL", "--full", "^sleep 320[1-6]$"]);
        machine.poll("a clean machine", Duration::from_secs(10), || {
            left(&machine, "^sleep 320[1-6]$").is_empty().then_some(())
        });
        user.run(&format!(
            "elevate sh -c {}",
            quoted(&format!("{script}\ntrue"))
        ));
        machine.poll(name, Duration::from_secs(5), || {
            left(&machine, "^sleep 320[1-6]$").is_empty().then_some(())
        });
    }
    machine.run(&["pkill", "--signal", "KILL", "--full", "^sleep 320[1-6]$"]);
    assert_eq!(user.run("elevate id -u").success().text(), "0");
}

#[test]
fn what_root_has_others_begin_is_on_record() {
    let machine = MACHINE.get();
    let user = login(&machine, "otto", "recorded");
    for (name, script, words) in OUTSIDE {
        let done = user.run(&format!("elevate bash -c {}", quoted(script)));
        let request = machine.poll(name, Duration::from_secs(20), || {
            let execs = machine.events(&[("ELEVATE_EVENT", "exec"), ("ELEVATE_USER", "otto")]);
            let said = |entry: &&elevate_tests::Entry| {
                let argv = entry.get("ELEVATE_ARGV").unwrap_or_default();
                argv.contains(words)
            };
            execs.iter().find(said).map(elevate_tests::Entry::request)
        });
        assert!(!request.is_empty(), "{name}: {}", done.describe());
    }
    let undo = "systemctl stop escaped escapee.scope escape; loginctl disable-linger otto; \
        rm -f /etc/cron.d/escape /run/systemd/system/escape.service; systemctl daemon-reload; \
        ssh -S /run/escape.ssh -O exit 127.0.0.1; pkill --full '^sleep 321'; systemctl reset-failed";
    machine.run(&["sh", "-c", undo]);
}

/// As one word of a shell.
fn quoted(script: &str) -> String {
    format!("'{}'", script.replace('\'', r"'\''"))
}
