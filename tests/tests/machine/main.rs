//! The harness itself, on machines without our packages: what other tests rely on must hold.

mod directory_server;
mod door;
mod whole;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use elevate_tests::{Machine, SharedMachine, Spec, poll};

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("machine").plain());

#[test]
fn every_unit_of_a_machine_is_up() {
    let machine = MACHINE.get();
    assert_eq!(
        machine
            .run(&["systemctl", "is-system-running"])
            .success()
            .text(),
        "running"
    );
    let version = String::from_utf8(machine.read("/etc/os-release")).unwrap();
    assert!(version.contains(machine.release().name()), "{version}");
    assert_eq!(machine.run(&["hostname"]).text(), "machine");
}

#[test]
fn a_login_is_real() {
    let machine = MACHINE.get();
    machine.user("ann");
    let uid = machine.run(&["id", "-u", "ann"]).success().text();
    let login = machine.login("ann");
    assert_eq!(login.run("id -u").success().text(), uid);
    assert_eq!(login.run("cat /proc/self/loginuid").success().text(), uid);

    let audit_session = login.run("cat /proc/self/sessionid").success().text();
    assert_ne!(audit_session, u32::MAX.to_string());
    let again = login.run("cat /proc/self/sessionid").success().text();
    assert_eq!(again, audit_session, "one login is one audit session");
    let other = machine
        .login("ann")
        .run("cat /proc/self/sessionid")
        .success()
        .text();
    assert_ne!(other, audit_session, "another login is another");

    let shown = login
        .run("loginctl show-session $XDG_SESSION_ID -p Name -p Remote")
        .success();
    assert_eq!(shown.text(), "Name=ann\nRemote=yes");
    let cgroup = login.run("cat /proc/self/cgroup").success().text();
    assert!(
        cgroup.contains(&format!("/user-{uid}.slice/session-")),
        "{cgroup}"
    );
}

#[test]
fn a_login_ends_when_it_is_dropped() {
    let machine = MACHINE.get();
    machine.user("lea");
    let login = machine.login("lea");
    let session = login.run("echo $XDG_SESSION_ID").success().text();
    login.logout();
    machine.poll("lea's session to end", Duration::from_secs(20), || {
        let shown = machine.run(&["loginctl", "show-session", &session, "-p", "State"]);
        (shown.status != 0).then_some(())
    });
}

#[test]
fn output_and_status_come_back_apart() {
    let machine = MACHINE.get();
    machine.user("oda");
    let login = machine.login("oda");
    let output = login
        .command("cat; echo err >&2; exit 7")
        .stdin("in")
        .run()
        .status(7);
    assert_eq!(
        (output.text().as_str(), output.errors().as_str()),
        ("in", "err")
    );
    assert_eq!(machine.run(&["sh", "-c", "exit 3"]).status, 3);
}

#[test]
fn commands_of_the_harness_look_like_a_service_and_not_like_a_login() {
    let machine = MACHINE.get();
    let cgroup = machine.run(&["cat", "/proc/self/cgroup"]).success().text();
    assert!(
        cgroup.ends_with("0::/system.slice/harness.service"),
        "{cgroup}"
    );
    let loginuid = machine
        .run(&["cat", "/proc/self/loginuid"])
        .success()
        .text();
    assert_eq!(loginuid, u32::MAX.to_string());
    assert!(
        !machine.run(&["env"]).success().text().contains("CARGO"),
        "the host's environment"
    );
}

#[test]
fn a_terminal_is_one() {
    let machine = MACHINE.get();
    machine.user("tom");
    let login = machine.login("tom");
    let mut terminal = login.terminal("tty; stty size; read word; echo got $word; cat; stty size");
    terminal.expect("/dev/pts/[0-9]+");
    terminal.expect("24 80");
    terminal.send("apple\n");
    terminal.expect("got (apple)");
    terminal.resize(40, 120);
    terminal.send("\x04");
    terminal.expect("40 120");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn control_c_and_exit_status_pass_through_a_terminal() {
    let machine = MACHINE.get();
    machine.user("cid");
    let login = machine.login("cid");
    let mut terminal = login.terminal("trap 'exit 9' INT; echo ready; while :; do sleep 1; done");
    terminal.expect("ready");
    terminal.send("\x03");
    assert_eq!(terminal.wait(), 9);
}

#[test]
fn closing_a_terminal_hangs_it_up() {
    let machine = MACHINE.get();
    machine.user("hal");
    let login = machine.login("hal");
    let mut terminal = login.terminal("trap 'touch ~/hung-up' HUP; echo ready; sleep 300 & wait");
    terminal.expect("ready");
    terminal.close();
    machine.poll("the hang-up", Duration::from_secs(20), || {
        (login.run("test -e ~/hung-up").status == 0).then_some(())
    });
}

#[test]
fn sudo_works_in_a_login() {
    let machine = MACHINE.get();
    machine.user("sue");
    machine.write("/etc/sudoers.d/sue", "sue ALL=(ALL) NOPASSWD: ALL\n", 0o440);
    assert_eq!(
        machine.login("sue").run("sudo -n id -un").success().text(),
        "root"
    );
}

#[test]
fn the_journal_is_found_by_its_fields() {
    let machine = MACHINE.get();
    let message = "MESSAGE=hello\nELEVATE_TEST=a b\n";
    machine
        .command(&["logger", "--journald"])
        .stdin(message)
        .run()
        .success();
    let entries = machine.poll("the entry", Duration::from_secs(20), || {
        let entries = machine.journal(&[("ELEVATE_TEST", "a b")]);
        (!entries.is_empty()).then_some(entries)
    });
    assert_eq!(entries.len(), 1);
    assert!(entries[0].is("MESSAGE", "hello"));
}

#[test]
fn nothing_is_left_of_a_machine_that_was_dropped() {
    let machine = Machine::boot(Spec::new("gone").plain()).unwrap();
    let pid1 = Path::new("/proc").join(machine.pid1().to_string());
    let name = machine.unique_name().to_owned();
    machine
        .run(&[
            "sh",
            "-c",
            "setsid sleep 300 >/dev/null 2>&1 & nohup sleep 300 >/dev/null 2>&1 &",
        ])
        .success();
    assert!(!machine_cgroups(&name).is_empty());
    drop(machine);
    // Dead at once, and reaped by the host's init whenever that comes to it.
    poll(
        "the machine's PID 1 to be gone",
        Duration::from_secs(20),
        || (!pid1.exists()).then_some(()),
    );
    assert_eq!(machine_cgroups(&name), Vec::<String>::new());
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains("machines/mount"), "{mounts}");
}

#[test]
fn a_fork_storm_stays_in_its_machine() {
    let machine = Machine::boot(Spec::new("storm").plain()).unwrap();
    let storm = "
import os, signal
children = []
try:
    while len(children) < 20000:
        child = os.fork()
        if child == 0:
            signal.pause()
        children.append(child)
except BlockingIOError:
    pass
print(len(children))
for child in children:
    os.kill(child, signal.SIGKILL)
";
    let forked = machine.run(&["python3", "-c", storm]).success().text();
    let forked: u32 = forked.parse().unwrap();
    assert!((1000..4000).contains(&forked), "{forked}");
}

/// This test runs itself once more as the process that gets killed.
#[test]
fn a_machine_dies_with_the_process_that_made_it() {
    const AS_VICTIM: &str = "ELEVATE_TEST_VICTIM";
    if std::env::var_os(AS_VICTIM).is_some() {
        let machine = Machine::boot(Spec::new("victim").plain()).unwrap();
        println!("\nbooted {} {}", machine.pid1(), machine.unique_name());
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_machine_dies_with_the_process_that_made_it",
            "--nocapture",
        ])
        .env(AS_VICTIM, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let booted = lines
        .into_iter()
        .find_map(|line| line.strip_prefix("booted ").map(str::to_owned));
    victim.kill().unwrap();
    victim.wait().unwrap();

    let booted = booted.expect("the victim booted its machine");
    let (pid1, name) = booted.split_once(' ').unwrap();
    let pid1 = Path::new("/proc").join(pid1);
    poll("the machine to be gone", Duration::from_secs(20), || {
        (!pid1.exists() && machine_cgroups(name).is_empty()).then_some(())
    });
}

/// Cgroups of the host, in whatever hierarchies it has mounted, that carry a machine's name.
fn machine_cgroups(name: &str) -> Vec<String> {
    let roots = [
        "/sys/fs/cgroup",
        "/sys/fs/cgroup/pids",
        "/sys/fs/cgroup/unified",
    ];
    let paths = roots.map(|root| format!("{root}/{name}"));
    paths
        .into_iter()
        .filter(|path| Path::new(path).exists())
        .collect()
}
