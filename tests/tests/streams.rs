//! What passes between a command and the person or program in front of it: pipes, files, terminals.

use std::time::Duration;

use elevate_tests::{Login, Machine, SharedMachine, Spec, Terminal};

const POLICY: &str = r#"
[role.operator]
members = ["%operator"]

[role.unrecorded]
members = ["%unrecorded"]

[rule.recorded]
roles = ["operator"]
run_as = "ALL"
commands = ["ALL"]
require = {}

[rule.unrecorded]
roles = ["unrecorded"]
run_as = "ALL"
commands = ["ALL"]
require = {}
session = { record = "none", execs = "none" }
"#;

static MACHINE: SharedMachine = SharedMachine::new(|| Spec::new("streams").prepared(prepare));

/// Recorded output takes another way than output that isn't.
const BOTH_WAYS: [&str; 2] = ["operator", "unrecorded"];

fn prepare(machine: &Machine) {
    machine.policy("test", POLICY);
    machine.write("/usr/local/bin/pour", POUR, 0o755);
}

fn member<'m>(machine: &'m Machine, name: &str, group: &str) -> Login<'m> {
    let name = format!("{name}-{group}");
    machine.member(&name, &[group]);
    machine.login(&name)
}

#[test]
fn pipes_reach_the_command_and_leave_it() {
    let machine = MACHINE.get();
    for group in BOTH_WAYS {
        let pia = member(&machine, "pia", group);
        assert_eq!(pia.run("echo x | elevate cat").success().text(), "x");
        for line in [
            "elevate cat /etc/shadow | grep -c ^root:",
            "elevate cat /etc/shadow | elevate grep -c ^root:",
        ] {
            assert_eq!(pia.run(line).success().text(), "1", "{group}: {line}");
        }
    }
}

#[test]
fn every_byte_passes_unchanged_both_ways() {
    let machine = MACHINE.get();
    let every_byte: Vec<u8> = (0..=255u8).cycle().take(3_000_001).collect();
    for group in BOTH_WAYS {
        let bea = member(&machine, "bea", group);
        for line in ["elevate cat", "cat | elevate cat | cat"] {
            let output = bea.command(line).stdin(every_byte.clone()).run().success();
            assert!(output.stdout == every_byte, "{group}: {line}");
            assert_eq!(output.errors(), "");
        }
    }
}

#[test]
fn files_reach_the_command_as_files() {
    let machine = MACHINE.get();
    for group in BOTH_WAYS {
        let fay = member(&machine, "fay", group);
        let line = "echo from a file >in && elevate cat <in >out 2>err; echo $?; cat out err";
        assert_eq!(fay.run(line).success().text(), "0\nfrom a file");
        let appended = "elevate echo more >>out; cat out";
        assert_eq!(fay.run(appended).success().text(), "from a file\nmore");
    }
}

#[test]
fn standard_error_comes_apart_from_standard_output() {
    let machine = MACHINE.get();
    for group in BOTH_WAYS {
        let ed = member(&machine, "ed", group);
        let output = ed.run("elevate sh -c 'echo out; echo err >&2; exit 3'");
        let seen = (output.status, output.text(), output.errors());
        assert_eq!(seen, (3, "out".into(), "err".into()));
    }
}

#[test]
fn a_closed_or_empty_input_is_an_end_of_input() {
    let machine = MACHINE.get();
    for group in BOTH_WAYS {
        let cal = member(&machine, "cal", group);
        for line in ["elevate cat </dev/null", "elevate cat <&-", "elevate cat"] {
            assert_eq!(cal.run(line).success().text(), "", "{line}");
        }
        assert_eq!(cal.run("elevate echo x >&-").text(), "");
    }
}

/// So much passes, and so long may that take where much else runs: ten seconds and more by itself.
const MUCH: &str = "1G";
const LONG: Duration = Duration::from_secs(300);

/// Lines that are all different, as many bytes of them as asked for, and then their checksum.
fn checked(line: &str) -> String {
    format!("seq 200000000 | head -c {MUCH} | {line}md5sum")
}

/// So many bytes of the same lines through a terminal, and what this reads of them. script(1) gives it
/// the terminal, and shows what that shows. The end of its own input it would type, to be echoed.
fn poured(bytes: &str, reader: &str) -> String {
    format!("mkfifo open; script -qec 'elevate pour {bytes}' /dev/null 0<>open | {reader}")
}

const POUR: &str = "#!/bin/sh
stty raw -echo
seq 200000000 | head -c $1
";

#[test]
fn much_passes_through_a_pipe_without_a_byte_lost_or_moved() {
    let machine = MACHINE.get();
    for group in BOTH_WAYS {
        let gil = member(&machine, "gil", group);
        let sums = ["", "elevate cat | "].map(|through| {
            let command = gil.command(&checked(through)).timeout(LONG);
            command.run().success().text()
        });
        assert_eq!(sums[0], sums[1], "{group}");
    }
}

#[test]
fn much_passes_through_a_terminal_without_a_byte_lost_or_moved() {
    let machine = MACHINE.get();
    let tig = member(&machine, "tig", "operator");
    let sums = [checked(""), poured(MUCH, "md5sum")].map(|line| {
        let command = tig.command(&line).timeout(LONG);
        command.run().success().text()
    });
    assert_eq!(sums[0], sums[1]);
}

#[test]
fn a_slow_reader_gets_everything() {
    let machine = MACHINE.get();
    for group in BOTH_WAYS {
        let slo = member(&machine, "slo", group);
        let line = "elevate seq 300000 | { read -r one; sleep 2; wc -l; }";
        assert_eq!(slo.run(line).success().text(), "299999", "{group}");
    }
    let sid = member(&machine, "sid", "operator");
    let slow = "{ head -c 1000; sleep 2; cat; } | md5sum";
    let plain = "seq 200000000 | head -c 20M | md5sum".to_owned();
    let sums = [plain, poured("20M", slow)].map(|line| sid.run(&line).success().text());
    assert_eq!(sums[0], sums[1], "of a terminal");
}

#[test]
fn a_reader_that_goes_away_ends_the_command() {
    let machine = MACHINE.get();
    for group in BOTH_WAYS {
        let yul = member(&machine, "yul", group);
        let user = yul.user();
        assert_eq!(
            yul.run("elevate yes | head -n 1").success().text(),
            "y",
            "{group}"
        );
        let end = machine.event("end", &[("ELEVATE_USER", user)]);
        assert!(end.is("ELEVATE_STATUS", "signal 13"), "{group}: {end:?}");
        let status = "bash -c 'elevate yes | head -n 1; exit ${PIPESTATUS[0]}'";
        assert_eq!(yul.run(status).status, 128 + 13, "{group}");
        assert_eq!(yul.run("yes | elevate head -n 1").success().text(), "y");
    }
}

#[test]
fn a_command_on_a_terminal_has_a_terminal_of_its_own() {
    let machine = MACHINE.get();
    let tea = member(&machine, "tea", "operator");
    let mut terminal = tea.terminal("tty; elevate sh -c 'tty; stty size; echo $TERM'");
    let outer = terminal.expect(r"(/dev/pts/\d+)\r\n");
    let inner = terminal.expect(r"(/dev/pts/\d+)\r\n");
    assert_ne!(outer, inner);
    terminal.expect("24 80\r\nxterm\r\n");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_command_without_a_terminal_has_none() {
    let machine = MACHINE.get();
    let non = member(&machine, "non", "operator");
    let output = non.run("elevate sh -c 'tty; : </dev/tty'");
    assert_ne!(output.status, 0);
    assert_eq!(output.text(), "not a tty");
    assert!(output.errors().contains("/dev/tty"), "{output:?}");
}

#[test]
fn a_job_of_at_has_neither_terminal_nor_session() {
    let machine = MACHINE.get();
    let atto = member(&machine, "atto", "operator");
    let job = "elevate sh -c 'id -u; tty; cat' >at.out 2>at.err; echo $? >at.status";
    let line = format!("echo \"{job}\" | at now");
    atto.run(&line).success();
    let home = "/home/atto-operator";
    machine.wait_for_file(&format!("{home}/at.status"));
    let status = machine.poll("the status", Duration::from_secs(20), || {
        let status = machine.read(&format!("{home}/at.status"));
        (!status.is_empty()).then_some(status)
    });
    let [out, err] = ["out", "err"].map(|file| machine.read(&format!("{home}/at.{file}")));
    let out = String::from_utf8_lossy(&out).into_owned();
    let err = String::from_utf8_lossy(&err).into_owned();
    assert_eq!((out.as_str(), err.as_str()), ("0\nnot a tty\n", ""));
    assert_eq!(status, b"0\n");
}

#[test]
fn a_larger_window_reaches_the_command() {
    let machine = MACHINE.get();
    let wim = member(&machine, "wim", "operator");
    let script = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.1; done";
    let mut terminal = wim.terminal(&format!("elevate bash -c \"{script}\""));
    terminal.expect("ready");
    terminal.resize(50, 132);
    terminal.expect("50 132");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn what_is_typed_reaches_the_command_and_control_d_ends_it() {
    let machine = MACHINE.get();
    let kay = member(&machine, "kay", "operator");
    let mut terminal = kay.terminal("elevate sh -c 'read a; echo \"<$a>\"; cat; echo over'");
    terminal.send("hello\n");
    terminal.expect("<hello>");
    terminal.send("again\n");
    terminal.expect("again\r\nagain");
    terminal.send("\x04");
    terminal.expect("over");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn control_c_ends_the_command_and_leaves_the_terminal_as_it_was() {
    let machine = MACHINE.get();
    let cid = member(&machine, "cid", "operator");
    let mut terminal = cid.terminal("bash --norc");
    let before = modes(&mut terminal);
    terminal.send("elevate sh -c 'echo ready; sleep 8101'\n");
    terminal.expect("\rready\r\n");
    assert_eq!(machine.processes("sleep 8101"), 1);
    terminal.send("\x03");
    terminal.expect(r"\$ $");
    terminal.send("echo \"status $?\"\n");
    terminal.expect("status 130");
    assert_eq!(machine.processes("sleep 8101"), 0);
    assert_eq!(modes(&mut terminal), before);
    terminal.send("exit 0\n");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn control_z_stops_it_like_any_job_and_fg_continues_it() {
    let machine = MACHINE.get();
    let zoe = member(&machine, "zoe", "operator");
    let mut terminal = zoe.terminal("bash --norc");
    let before = modes(&mut terminal);
    terminal.send("elevate sh -c 'echo ready; read word; echo got $word; exit 5'\n");
    terminal.expect("\rready\r\n");
    terminal.send("\x1a");
    terminal.expect("Stopped.*elevate");
    assert_eq!(modes(&mut terminal), before);
    terminal.send("fg\n");
    terminal.expect("elevate sh");
    terminal.send("apple\n");
    terminal.expect(r"got apple\r\n[^\n]*\$ $");
    terminal.send("echo \"status $?\"\n");
    terminal.expect("status 5");
    assert_eq!(modes(&mut terminal), before);
}

/// The modes of the terminal that a shell is in front of.
fn modes(terminal: &mut Terminal) -> String {
    terminal.send("stty --save | sed 's/^/modes=/'\n");
    terminal.expect(r"modes=([0-9a-f]+:[0-9a-f:]+)\r")
}

#[test]
fn an_editor_works() {
    let machine = MACHINE.get();
    let vic = member(&machine, "vic", "operator");
    let mut terminal = vic.terminal("elevate vi /root/edited");
    terminal.expect("edited");
    terminal.send("ihello from vi\x1b:wq\n");
    assert_eq!(terminal.wait(), 0);
    assert_eq!(machine.read("/root/edited"), b"hello from vi\n");
}

#[test]
fn a_pipeline_on_a_terminal_keeps_both_ends_of_it() {
    let machine = MACHINE.get();
    let lin = member(&machine, "lin", "operator");
    let mut terminal = lin.terminal("elevate sh -c 'tty; echo shown >/dev/tty; seq 3' | tac");
    terminal.expect("shown");
    terminal.expect(r"3\r\n2\r\n1\r\n/dev/pts/\d+");
    assert_eq!(terminal.wait(), 0);
    let mut terminal = lin.terminal("seq 3 | elevate tac");
    terminal.expect(r"3\r\n2\r\n1\r\n");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_signal_to_the_client_reaches_the_command() {
    let machine = MACHINE.get();
    let sal = member(&machine, "sal", "operator");
    let script = "trap \"echo caught; exit 9\" TERM; echo ready; while :; do sleep 0.1; done";
    let running = sal
        .command(&format!("exec elevate sh -c '{script}'"))
        .start();
    machine.poll("the command", Duration::from_secs(20), || {
        running.stdout_so_far().contains("ready").then_some(())
    });
    machine
        .run(&["pkill", "-TERM", "-u", sal.user(), "-x", "elevate"])
        .success();
    let output = running.wait().status(9);
    assert_eq!(output.text(), "ready\ncaught");
}
