//! However a session ends, the terminal is as it was before.

use elevate_tests::{Machine, MachineInTest, Spec, Terminal};

use super::{MACHINE, PATIENCE, modes, operator, prepare, status};

/// Begins a session that sleeps, and does something to it. Comes back when the shell has its
/// terminal again, with the status that it saw.
fn interrupted(
    machine: &Machine,
    name: &str,
    sleep: &str,
    interrupt: impl FnOnce(&mut Terminal),
) -> String {
    let user = operator(machine, name);
    let mut shell = user.shell();
    let before = modes(&mut shell);
    shell.send(format!("elevate sh -c 'echo begun; exec {sleep}'\n"));
    shell.expect("\nbegun\r\n");
    interrupt(&mut shell);
    shell.expect("ready> $");
    let status = status(&mut shell);
    assert_eq!(modes(&mut shell), before);
    machine.poll("the end of the command", PATIENCE, || {
        (machine.processes(sleep) == 0).then_some(())
    });
    status
}

fn leader(machine: &Machine, user: &str) -> u32 {
    let start = machine.event("start", &[("ELEVATE_USER", user)]);
    start.get("ELEVATE_LEADER").unwrap().parse().unwrap()
}

#[test]
fn after_a_signal_to_the_client() {
    let machine = MACHINE.get();
    for (name, number) in [("TERM", 15), ("HUP", 1), ("INT", 2), ("QUIT", 3)] {
        let user = format!("res-{}", name.to_lowercase());
        let sleep = format!("sleep 84{number:02}");
        let status = interrupted(&machine, &user, &sleep, |_| {
            let signal = format!("-{name}");
            let kill = ["pkill", &signal, "-u", &user, "-x", "elevate"];
            machine.run(&kill).success();
        });
        assert_eq!(status, (128 + number).to_string(), "{name}");
    }
}

#[test]
fn after_the_leader_was_killed() {
    let machine = MACHINE.get();
    let status = interrupted(&machine, "res-leader", "sleep 8421", |shell| {
        machine.signal(leader(&machine, "res-leader"), "KILL");
        shell.expect("the session's supervisor went away");
    });
    assert_eq!(status, "1");
}

#[test]
fn after_the_grant_was_revoked() {
    let machine = MACHINE.get();
    let status = interrupted(&machine, "res-revoked", "sleep 8422", |shell| {
        let start = machine.event("start", &[("ELEVATE_USER", "res-revoked")]);
        let revoke = ["elevatectl", "grants", "revoke", &start.request()];
        machine.run(&revoke).success();
        shell.expect("the grant ended: root revoked it");
    });
    assert_eq!(status, "137");
}

#[test]
fn after_the_client_was_stopped_and_went_on() {
    let machine = MACHINE.get();
    let signal = |user: &str, signal: &str| {
        let kill = ["pkill", signal, "-u", user, "-x", "elevate"];
        machine.run(&kill).success();
    };
    let status = interrupted(&machine, "res-stop", "sleep 8423", |shell| {
        signal("res-stop", "-STOP");
        shell.expect("Stopped.*elevate sh");
        shell.expect("ready> $");
        shell.send("fg\n");
        shell.expect("elevate sh[^\n]*\n");
        // As raw as before: the key goes to the command, and is no signal of this terminal.
        machine.poll("a raw terminal", PATIENCE, || {
            let tty = machine.run(&["sh", "-c", "ps -o tty= -u res-stop -C elevate | tail -n 1"]);
            let tty = format!("/dev/{}", tty.text());
            let modes = machine.run(&["stty", "-F", &tty, "-a"]).text();
            modes.contains("-icanon").then_some(())
        });
        shell.send("\x03");
    });
    assert_eq!(status, "130");
}

/// The client can do nothing then. The shell puts the terminal back, as it does after any job that
/// a signal ended.
#[test]
fn after_the_client_was_killed_by_the_shell_that_started_it() {
    let machine = MACHINE.get();
    let status = interrupted(&machine, "res-kill", "sleep 8424", |_| {
        let kill = ["pkill", "-KILL", "-u", "res-kill", "-x", "elevate"];
        machine.run(&kill).success();
    });
    assert_eq!(status, "137");
}

#[test]
fn after_daemon_and_launcher_were_killed_the_session_goes_on_until_its_own_end() {
    let machine = MachineInTest::alone(Spec::new("terminal-crash").prepared(prepare));
    let status = interrupted(&machine, "res-crash", "sleep 8425", |shell| {
        for unit in ["elevated.service", "elevate-launcher.service"] {
            let pid = machine.main_pid(unit).expect(unit);
            machine.signal(pid, "KILL");
            machine.poll(&format!("another {unit}"), PATIENCE, || {
                let other = machine.main_pid(unit).is_some_and(|new| new != pid);
                other.then_some(())
            });
        }
        assert_eq!(machine.processes("sleep 8425"), 1);
        shell.send("\x03");
    });
    assert_eq!(status, "130");
}
