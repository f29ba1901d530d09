//! Our own processes made to fail half way: a call that the kernel refuses, too few descriptors, too
//! little memory, too many processes. The session never starts, and nothing stays that is half somebody.

use std::time::Duration;

use elevate_tests::{Login, Machine, MachineInTest, Spec};

use super::{login, prepare};

/// What a target's process is, if it is anything: ids, groups, and where it is.
const WHO: &str = "id -u; id -g; id -G; grep -E ^Cap /proc/self/status; cat /proc/self/loginuid";

/// Calls that change who a process is, where it is, or what it holds.
const CALLS: &[&str] = &[
    "setgroups",
    "setresuid",
    "setresgid",
    "setfsuid",
    "setfsgid",
    "dup2 dup3",
    "setpgid setsid",
    "chdir",
    "execveat",
    "close_range",
    "seccomp",
    "socketpair",
    "sendmsg",
    "pidfd_open",
    "fchdir",
    "capset",
    "rt_sigprocmask",
    "timerfd_create",
    "signalfd4",
    "fchown chown fchownat",
    "keyctl",
    "prlimit64",
    "clone3",
    "ioctl",
    "memfd_create",
    "mkdir mkdirat",
];

/// The launcher with these lines in its unit.
fn relaunch(machine: &Machine, lines: &str) {
    let path = "/run/systemd/system/elevate-launcher.service.d/attack.conf";
    machine.write(path, format!("[Service]\n{lines}\n"), 0o644);
    machine.run(&["systemctl", "daemon-reload"]).success();
    // It may not come up at all.
    machine.run(&["systemctl", "restart", "elevate-launcher"]);
    machine.run(&["systemctl", "reset-failed", "elevate-launcher"]);
}

/// Runs what tells who it is as `tina`, with her own file to execute, and nothing where that failed.
fn who(user: &Login<'_>, command: &str) -> (i32, String) {
    let ended = user
        .command(&format!("elevate -u tina {command} 2>/dev/null"))
        .timeout(Duration::from_secs(50))
        .run();
    (ended.status, ended.text())
}

/// Nothing of a session is left, as soon as the client knows that it failed.
#[track_caller]
fn nothing_stays(machine: &Machine, what: &str) {
    let ask = r#"
        pgrep --list-full --exact elevate-leader
        pgrep --list-full --uid tina
        find /sys/fs/cgroup/elevate.slice -mindepth 1 -type d 2>/dev/null
        for pid in $(pgrep --full [w]ho-am-i); do grep -H ^Uid: /proc/$pid/status; done
        true
    "#;
    let mut before = String::new();
    machine.poll(
        &format!("nothing left after {what}"),
        Duration::from_secs(10),
        || {
            let left = machine.run(&["sh", "-c", ask]).success().text();
            if left != before {
                eprintln!("left after {what}: {left}");
                before.clone_from(&left);
            }
            left.is_empty().then_some(())
        },
    );
}

fn prepared(machine: &Machine) {
    prepare(machine);
    machine.user("tina");
    machine.member("tina", &["games"]);
    // Hers, so that it is executed by its descriptor.
    let script = format!("#!/bin/sh\n{WHO}\necho whole\n");
    machine.write("/home/tina/who-am-i", script, 0o755);
    machine
        .run(&["chown", "tina:", "/home/tina/who-am-i"])
        .success();
    machine.run(&["chmod", "755", "/home/tina"]).success();
}

/// A program that doesn't look whether its calls succeed stays root.
const CARELESS: &str = "$) = qq(12345 12345); $< = $> = 12345; print qq($>\\n)";

#[test]
fn whatever_call_fails_nothing_runs_half_way() {
    let machine = MachineInTest::alone(Spec::new("half-way").prepared(prepared));
    let user = login(&machine, "humpty", "recorded");
    let honest = who(&user, "/home/tina/who-am-i");
    assert_eq!(honest.0, 0);
    assert!(honest.1.ends_with("whole"), "{honest:?}");

    let filtered = |call: &str| {
        [
            format!("--property=SystemCallFilter=~{call}"),
            "--property=SystemCallErrorNumber=EPERM".into(),
        ]
    };
    machine.write("/usr/local/bin/careless", CARELESS, 0o644);
    let [filter, number] = filtered("setresuid setreuid setuid setgroups setresgid");
    let careless = machine.run(&[
        "systemd-run",
        "--pipe",
        "--quiet",
        &filter,
        &number,
        "perl",
        "/usr/local/bin/careless",
    ]);
    assert_eq!(
        careless.text(),
        "0",
        "the attack works on a careless program: {}",
        careless.describe()
    );

    let mut refused = 0;
    for call in CALLS {
        relaunch(
            &machine,
            &format!("SystemCallFilter=~{call}\nSystemCallErrorNumber=EPERM"),
        );
        for command in ["/home/tina/who-am-i", "sh /home/tina/who-am-i"] {
            let (status, text) = who(&user, command);
            if status != 0 {
                assert_eq!(text, "", "{call}: half of it ran");
                refused += 1;
            } else {
                assert_eq!(text, honest.1, "{call}: somebody else ran it");
            }
            nothing_stays(&machine, call);
        }
    }
    assert!(refused > CALLS.len(), "the calls do fail: {refused}");
    relaunch(&machine, "");
    assert_eq!(
        who(&user, "/home/tina/who-am-i"),
        honest,
        "honest use works again"
    );
    let begun = machine.events(&[("ELEVATE_EVENT", "start"), ("ELEVATE_USER", "humpty")]);
    let ended = machine.events(&[("ELEVATE_EVENT", "end"), ("ELEVATE_USER", "humpty")]);
    assert!(
        ended.len() >= begun.len(),
        "each that began has an end on record"
    );
    let refusals = machine.events(&[("ELEVATE_EVENT", "refusal"), ("ELEVATE_USER", "humpty")]);
    let failed = ended
        .iter()
        .filter(|entry| !entry.is("ELEVATE_OUTCOME", "finished"));
    assert_eq!(refusals.len() + failed.count(), refused, "one record each");
}

#[test]
fn with_too_few_descriptors_it_runs_whole_or_not_at_all() {
    let counts = (6..40).step_by(3);
    scarce("few", counts.map(|count| format!("LimitNOFILE={count}")));
}

#[test]
fn with_too_little_memory_it_runs_whole_or_not_at_all() {
    let memory = [1u32, 4, 6, 8, 12, 24].map(|mb| format!("LimitAS={mb}M"));
    let stack = [16u32, 64].map(|kb| format!("LimitSTACK={kb}K"));
    let others = ["LimitFSIZE=0", "LimitSIGPENDING=0", "TasksMax=3"].map(str::to_owned);
    scarce("scarce", memory.into_iter().chain(stack).chain(others));
}

/// What runs under each of these limits of the launcher's unit is whole, or nothing.
#[track_caller]
fn scarce(name: &str, limits: impl Iterator<Item = String>) {
    let machine = MachineInTest::alone(Spec::new(name).prepared(prepared));
    let user = login(&machine, "dumpty", "recorded");
    let honest = who(&user, "/home/tina/who-am-i");
    assert!(honest.1.ends_with("whole"), "{honest:?}");
    let mut refused = 0;
    for limit in limits {
        relaunch(&machine, &limit);
        let (status, text) = who(&user, "/home/tina/who-am-i");
        eprintln!("{limit}: {status}");
        // The shell itself may fail of the same want: what it said before is true all the same.
        let (ids, honest_ids) = (text.lines().take(2), honest.1.lines().take(2));
        assert!(text.is_empty() || ids.eq(honest_ids), "{limit}: {text}");
        refused += usize::from(status != 0);
        nothing_stays(&machine, &limit);
    }
    assert!(refused > 2, "the limits do bite: {refused}");
    relaunch(&machine, "");
    assert_eq!(who(&user, "/home/tina/who-am-i"), honest);
}

/// The kernel lets setuid(2) through and has execve(2) fail where a user has too many processes
/// already; before it did, programs that didn't look stayed root (CVE-2006-2607 of cron).
#[test]
fn a_target_with_too_many_processes_is_nobodys_root() {
    let machine = MachineInTest::alone(Spec::new("crowd").prepared(prepared));
    let user = login(&machine, "crowder", "recorded");
    machine.write(
        "/etc/security/limits.d/tina.conf",
        "tina hard nproc 3\n",
        0o644,
    );
    let honest = who(&user, "/home/tina/who-am-i");
    let crowd = "for i in 1 2 3 4 5 6; do sleep 600 & done; wait";
    let _crowd = machine
        .command(&[
            "setpriv",
            "--reuid=tina",
            "--regid=tina",
            "--clear-groups",
            "sh",
            "-c",
            crowd,
        ])
        .timeout(Duration::from_secs(600))
        .start();
    machine.poll("the crowd", Duration::from_secs(20), || {
        (machine.processes("sleep 600") == 6).then_some(())
    });
    let (status, text) = who(&user, "/home/tina/who-am-i");
    let limited = machine.run(&[
        "grep",
        "-rs",
        "pam_limits",
        "/etc/pam.d/elevate",
        "/etc/pam.d/common-session",
    ]);
    if limited.status == 0 {
        assert_ne!(status, 0, "{text}");
        assert!(!text.contains("whole"), "{text}");
    }
    assert!(
        text.is_empty() || honest.1.starts_with(&text[..4.min(text.len())]),
        "{text}"
    );
    machine.run(&["pkill", "--uid", "tina", "sleep"]);
    machine.poll("an empty place", Duration::from_secs(20), || {
        (machine.processes("sleep 600") == 0).then_some(())
    });
    assert_eq!(who(&user, "/home/tina/who-am-i"), honest);
}
