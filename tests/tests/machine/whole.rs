//! Whole machines do what containers do, on a kernel of their own, and end the same way.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use elevate_tests::{Machine, SharedMachine, Spec, poll};

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("whole").plain().whole());

#[test]
fn a_whole_machine_has_its_release_s_kernel_and_every_controller_and_no_network() {
    let machine = MACHINE.get();
    let kernel = machine.run(&["uname", "-r"]).success().text();
    let package = format!("linux-image-{kernel}");
    machine.run(&["dpkg", "--status", &package]).success();
    let controllers = machine.read("/sys/fs/cgroup/cgroup.controllers");
    let controllers = String::from_utf8(controllers).unwrap();
    for controller in ["cpu", "memory", "pids"] {
        let mut all = controllers.split_whitespace();
        assert!(all.any(|name| name == controller), "{controllers}");
    }
    let links = machine.run(&["ls", "/sys/class/net"]).success().text();
    assert_eq!(links, "lo");
    assert_eq!(machine.run(&["hostname"]).success().text(), "whole");
}

#[test]
fn a_command_in_a_whole_machine_is_a_service_s_and_a_login_is_real() {
    let machine = MACHINE.get();
    let odd = ["printf", "%s|", "it's", "$HOME", "", "two words", "a\nb"];
    let said = machine.run(&odd).success();
    assert_eq!(said.stdout, b"it's|$HOME||two words|a\nb|");
    let failed = machine
        .command(&["sh", "-c", "cat; echo oh >&2; exit 3"])
        .stdin(vec![b'x'; 200_000])
        .run()
        .status(3);
    assert_eq!(
        (failed.stdout.len(), failed.errors().as_str()),
        (200_000, "oh")
    );
    let none = u32::MAX.to_string();
    let loginuid = machine.run(&["cat", "/proc/self/loginuid"]).text();
    assert_eq!(loginuid, none);

    machine.user("ann");
    let ann = machine.login("ann");
    let uid = ann.run("id -u").success().text();
    assert_eq!(ann.run("cat /proc/self/loginuid").success().text(), uid);
    let mut shell = ann.shell();
    shell.send("stty size; exit 7\n");
    shell.expect("24 80");
    assert_eq!(shell.wait(), 7);
}

/// This test runs itself once more as the process that gets killed.
#[test]
fn a_whole_machine_dies_with_the_process_that_made_it() {
    const AS_VICTIM: &str = "ELEVATE_TEST_VICTIM";
    const TEST: &str = "whole::a_whole_machine_dies_with_the_process_that_made_it";
    if let Ok(name) = std::env::var(AS_VICTIM) {
        let _machine = Machine::boot(Spec::new(&name).plain().whole()).unwrap();
        println!("\nbooted");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let name = format!("victim-{}", std::process::id());
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(AS_VICTIM, &name)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let booted = lines.any(|line| line == "booted");
    let before = emulators(&name);
    victim.kill().unwrap();
    victim.wait().unwrap();

    assert!(booted, "the victim booted its machine");
    assert_eq!(before, 1);
    poll("the machine to be gone", Duration::from_secs(20), || {
        (emulators(&name) == 0).then_some(())
    });
}

/// How many processes of the host run this machine.
fn emulators(machine: &str) -> usize {
    let hostname = format!("systemd.hostname={machine} ");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines
        .filter(|line| {
            line.starts_with(b"qemu") && String::from_utf8_lossy(line).contains(&hostname)
        })
        .count()
}
