//! Who is told of a request, what they see, and what comes of their yes.

use super::*;

#[test]
fn an_approver_is_told_looks_and_approves_at_their_own_terminal_and_the_command_runs() {
    let machine = MACHINE.get();
    let (alice, bob) = (operator(&machine, "alice"), lead(&machine, "bob"));
    let mut desk = bob.terminal("bash --norc");
    desk.send("echo sitting $((1 + 1))\n");
    desk.expect("sitting 2");
    let cron = machine.main_pid("cron.service").expect("cron runs");

    let line = "cd /tmp && elevate --reason 'restart after config change' systemctl restart cron";
    let (asking, request) = ask(&alice, line);
    desk.expect(&format!(
        r"elevate: alice asks to run as root: systemctl restart cron \(restart after config change\)\s+elevate: look with `elevatectl show {request}`"
    ));

    desk.send(format!("elevatectl show {request}\n"));
    let hash = machine.run(&["sha256sum", "/usr/bin/systemctl"]).success();
    let hash = hash.text()[..64].to_owned();
    for part in [
        "state .*waiting, 0 of 1 approvals",
        r"who .*alice \(uid \d+\)",
        "as whom .*root",
        &format!("runs .*/usr/bin/systemctl, sha256 {hash}"),
        "word 0 .*systemctl",
        "word 1 .*restart",
        "word 2 .*cron",
        "in folder .*/tmp",
        "for .*5m",
        "reason .*restart after config change",
        "rule .*restart-cron",
    ] {
        desk.expect(part);
    }
    assert_eq!(machine.main_pid("cron.service"), Some(cron), "not yet");

    desk.send(format!("elevatectl approve {request}\n"));
    desk.expect(r"Approve\? \[y/N\] ");
    desk.send("y\n");
    desk.expect("Verification code: $");
    desk.send(format!("{}\n", bob.code()));
    desk.expect(&format!("approved request {request}: granted, 1 of 1"));
    let output = asking.wait().success();
    assert!(
        output.errors().contains("bob approved (1 of 1)"),
        "{output:?}"
    );
    assert_ne!(machine.main_pid("cron.service"), Some(cron));
    desk.send("exit 0\n");
    desk.wait();
}

#[test]
fn an_answer_other_than_yes_approves_nothing() {
    let machine = MACHINE.get();
    let (ana, ben) = (operator(&machine, "ana"), lead(&machine, "ben"));
    let (asking, request) = ask(&ana, "elevate touch /root/ana");
    for answer in ["n\n", "\n", "\x04"] {
        let mut desk = ben.terminal(&format!("elevatectl approve {request}"));
        desk.expect(r"Approve\? \[y/N\] ");
        desk.send(answer);
        desk.expect("not approved; the request still stands");
        assert_eq!(desk.wait(), 1);
    }
    ben.run(&format!("elevatectl approve {request}")).status(2);
    assert_eq!(show(&ana, &request)["state"], "waiting");
    assert!(!machine.has("/root/ana"));
    ben.deny(&request).success();
    asking.wait().status(1);
}

#[test]
fn an_approved_command_runs_as_root_in_its_own_terminal_and_scope() {
    let machine = MACHINE.get();
    let (ara, bea) = (operator(&machine, "ara"), lead(&machine, "bea"));
    let script = "id -u; tty; read word; echo got $word; kill -USR1 $$";
    let line = format!("tty; elevate sh -c '{script}'; echo status $?");
    let mut terminal = ara.terminal(&line);
    let outer = terminal.expect(r"(/dev/pts/\d+)\r\n");
    let request =
        terminal.expect(r"waiting for 1 approval \(role lead\) · request (\w{8}) · 1\d:\d\d left");
    bea.approve(&request).success();
    terminal.expect(r"bea approved \(1 of 1\)");
    terminal.expect(r"\r\n0\r\n");
    let inner = terminal.expect(r"(/dev/pts/\d+)\r\n");
    assert_ne!(outer, inner);

    let start = machine.event("start", &[("ELEVATE_REQUEST", &request)]);
    let pid = start.get("ELEVATE_PID").unwrap();
    let cgroup = machine.run(&["cat", &format!("/proc/{pid}/cgroup")]);
    let scope = format!("elevate.slice/elevate-{request}.scope");
    assert!(
        cgroup.text().contains(&format!("0::/{scope}")),
        "{cgroup:?}"
    );
    let leader = start.get("ELEVATE_LEADER").unwrap();
    let outside = machine.run(&["cat", &format!("/proc/{leader}/cgroup")]);
    assert!(
        outside.text().contains("elevate-launcher.service"),
        "{outside:?}"
    );

    terminal.send("apple\n");
    terminal.expect("got apple");
    terminal.expect("status 138");
    terminal.wait();
    assert!(!terminal.screen().contains("waiting for 0"));
    assert!(!machine.has(&format!("/sys/fs/cgroup/{scope}")));
}

#[test]
fn a_missing_reason_is_asked_for_on_the_terminal() {
    let machine = MACHINE.get();
    let rea = operator(&machine, "rea");
    let mut terminal = rea.terminal("elevate id -u");
    terminal.expect("Reason: ");
    terminal.send("because\n");
    terminal.expect(r"\n0\r\n");
    assert_eq!(terminal.wait(), 0);
    let request = machine.event("request", &[("ELEVATE_USER", "rea")]);
    assert!(request.is("ELEVATE_REASON", "because"), "{request:?}");

    let mut terminal = rea.terminal("elevate id -u");
    terminal.expect("Reason: ");
    terminal.send("\n");
    terminal.expect("no reason was given; nothing was run");
    assert_eq!(terminal.wait(), 1);

    for line in [
        "elevate id -u",
        "elevate -n id -u",
        "elevate --reason ' ' id -u",
    ] {
        let refused = rea.run(line).status(1);
        assert_eq!(refused.text(), "", "{line}");
        assert!(
            refused.errors().contains("--reason TEXT"),
            "{line}: {refused:?}"
        );
    }
    let given = rea.run("elevate --reason because id -u").success();
    assert_eq!(given.text(), "0");
}

#[test]
fn who_will_not_wait_is_told_that_an_approval_is_needed() {
    let machine = MACHINE.get();
    let nat = operator(&machine, "nat");
    let refused = nat.run("elevate -n touch /root/nat").status(1);
    assert!(
        refused.errors().contains("needs an approval"),
        "{refused:?}"
    );
    machine.event("refusal", &[("ELEVATE_USER", "nat")]);
    assert_eq!(machine.events(&[("ELEVATE_USER", "nat")]).len(), 1);
}

#[test]
fn who_watches_sees_every_step_and_only_what_concerns_them() {
    let machine = MACHINE.get();
    let (wes, bob) = (operator(&machine, "wes"), lead(&machine, "beppe"));
    let eve = member(&machine, "evan", &[]);
    let mut watching = bob.terminal("elevatectl watch");
    let mut stranger = eve.terminal("elevatectl watch --json");
    let (asking, request) = ask(&wes, "elevate touch /root/wes");
    watching.expect(&format!(
        "request {request} waiting .*: wes as root: touch /root/wes"
    ));
    bob.approve(&request).success();
    watching.expect(&format!("request {request} granted"));
    watching.expect(&format!("session {request} running"));
    watching.expect(&format!("session {request} ended"));
    asking.wait().success();
    stranger.send("\x03");
    stranger.wait();
    assert!(!stranger.screen().contains(&request));
}
